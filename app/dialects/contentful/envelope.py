"""Refusals in the vendor's form: `{"sys": {"type": "Error", "id": …}, "message": …, "details": …, "requestId": …}`.

What `details` is depends on the status, and the published clients insist on it: a list of errors at 422, a list of reasons at 403, a text
or an object with a type at 404, nothing at all (and no message) at 409 VersionMismatch.
Source: the vendor's errors page, and recorded answers in the fixtures of its Python and Ruby clients.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Response, g, request

from app.core.errors import Code, Problem
from app.dialects.contentful.links import MASTER
from app.web.replies import answer
from app.web.schemas import MAX_JSON

MEDIA_TYPE = "application/vnd.contentful.management.v1+json"
REQUEST_ID = "contentful_request_id"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status and the `sys.id` of a refusal."""

    status: int
    id: str


BAD_REQUEST = Refusal(400, "BadRequest")
INVALID_QUERY = Refusal(400, "InvalidQuery")
NO_TOKEN = Refusal(401, "AccessTokenInvalid")
DENIED = Refusal(403, "AccessDenied")
NOT_FOUND = Refusal(404, "NotFound")
NO_METHOD = Refusal(405, "MethodNotAllowed")  # not in the vendor's table: HTTP's own, in the vendor's form; so are 413, 415 and 416
TIMED_OUT = Refusal(408, "RequestTimeout")  # also for a file that is too large: the page calls that a Request Timeout error
CONFLICT = Refusal(409, "Conflict")
VERSION = Refusal(409, "VersionMismatch")
TOO_MUCH_JSON = Refusal(413, "RequestEntityTooLarge")
OTHER_TYPE = Refusal(415, "UnsupportedMediaType")
NO_RANGE = Refusal(416, "RangeNotSatisfiable")
INVALID = Refusal(422, "ValidationFailed")
TOO_OFTEN = Refusal(429, "RateLimitExceeded")
OURS = Refusal(500, "ServerError")
UNAVAILABLE = Refusal(503, "ServiceUnavailable")

REFUSALS: Mapping[Code, Refusal] = {
    Code.BAD_REQUEST: BAD_REQUEST,
    Code.INVALID: INVALID,
    Code.EMPTY: BAD_REQUEST,
    Code.TOO_LARGE: TIMED_OUT,
    Code.LENGTH_REQUIRED: BAD_REQUEST,
    Code.UNSUPPORTED_TYPE: OTHER_TYPE,
    Code.DIGEST_MISMATCH: BAD_REQUEST,
    Code.BAD_FILENAME: INVALID,
    Code.METHOD_NOT_ALLOWED: NO_METHOD,
    Code.UNAUTHENTICATED: NO_TOKEN,
    Code.FORBIDDEN: DENIED,
    Code.LINK_INVALID: NOT_FOUND,
    Code.NOT_FOUND: NOT_FOUND,
    Code.GONE: NOT_FOUND,
    Code.EXISTS: VERSION,
    Code.PRECONDITION: VERSION,
    Code.RATE_LIMITED: TOO_OFTEN,
    Code.QUOTA_EXCEEDED: DENIED,
    Code.IDEMPOTENCY_REUSED: INVALID,
    Code.IDEMPOTENCY_RUNNING: CONFLICT,
    Code.FETCH_REFUSED: INVALID,
    Code.FETCH_FAILED: INVALID,
    Code.PART_SIZE: BAD_REQUEST,
    Code.PART_UNKNOWN: NOT_FOUND,
    Code.PARTS_MISSING: CONFLICT,
    Code.OFFSET_MISMATCH: BAD_REQUEST,
    Code.LOCKED: CONFLICT,
    Code.FINISHED: CONFLICT,
    Code.FINAL: CONFLICT,
    Code.UPLOAD_EXPIRED: NOT_FOUND,
    Code.UPLOAD_CANCELLED: NOT_FOUND,
    Code.IN_USE: CONFLICT,
    Code.VERSION_CONFLICT: VERSION,
    Code.RANGE: NO_RANGE,
    Code.TIMEOUT: TIMED_OUT,
    Code.NOT_AN_IMAGE: INVALID,
    Code.TYPE_NOT_ALLOWED: INVALID,
    Code.TRUNCATED: INVALID,
    Code.UNDECODABLE: INVALID,
    Code.TOO_MANY_PIXELS: INVALID,
    Code.TOO_MANY_FRAMES: INVALID,
    Code.TOO_COMPLEX: INVALID,
    Code.TRAILING_BYTES: INVALID,
    Code.TOOK_TOO_LONG: INVALID,
    Code.CHANGED: INVALID,
    Code.CORRUPTED: OURS,
    Code.WORKER_LOST: OURS,
    Code.STORE_FAULT: UNAVAILABLE,
    Code.OVERLOADED: UNAVAILABLE,
    Code.UNAVAILABLE: UNAVAILABLE,
    Code.INTERNAL: OURS,
}

EMPTY_UPLOAD = 'The "Content-Length" header must be greater than 0'
NOT_FOUND_SAID = "The resource could not be found."
QUERY_SAID = "The query you sent was invalid. Probably a filter or ordering specification is not applicable to the type of a field."
SAID: Mapping[Refusal, str] = {
    NO_TOKEN: "The access token you sent could not be found or is invalid.",
    DENIED: "Forbidden",
    NOT_FOUND: NOT_FOUND_SAID,
    INVALID: "Validation error",
    INVALID_QUERY: QUERY_SAID,
    TOO_OFTEN: "You have exceeded the rate limit of this space. Please wait before trying the request again.",
}


def request_id() -> str:
    """32 hex digits: the same for everything that is said in one request."""
    found: str = g.setdefault(REQUEST_ID, uuid.uuid4().hex)
    return found


def fault(path: Sequence[str], name: str, details: str) -> str:
    """One error of a 422 or of an invalid query, as it travels among a refusal's facts."""
    return json.dumps({"name": name, "path": list(path), "details": details})


def required(path: Sequence[str]) -> str:
    """The error of a property that is missing."""
    return fault(path, "required", f'The property "{path[-1]}" is required here')


def render(why: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    refusal = _refusal(why)
    if error_id := why.facts.get("errorId"):
        g.setdefault(REQUEST_ID, error_id)  # so that what the client was told is what the log has
    shown: dict[str, object] = {"sys": {"type": "Error", "id": refusal.id}}
    if refusal is not VERSION:
        shown["message"] = SAID.get(refusal) or _reason(why)
        shown |= _details(why, refusal)
    response = answer({**shown, "requestId": request_id()}, refusal.status)
    response.content_type = MEDIA_TYPE
    response.headers["X-Contentful-Request-Id"] = request_id()
    if refusal is TOO_OFTEN:
        response.headers["X-Contentful-RateLimit-Reset"] = str(why.facts.get("retry_after", 1))
    return response


def _refusal(why: Problem) -> Refusal:
    if why.code is Code.TOO_LARGE and why.facts.get("limit") == MAX_JSON:
        return TOO_MUCH_JSON
    if why.code is Code.BAD_REQUEST and "errors" in why.facts:
        return INVALID_QUERY
    return REFUSALS[why.code]


def _reason(why: Problem) -> str:
    if why.code is Code.EMPTY:
        return EMPTY_UPLOAD
    reason = str(why.facts.get("reason", "")) if why.code is Code.BAD_REQUEST else ""
    return reason[:1].upper() + reason[1:] or why.message


def _details(why: Problem, refusal: Refusal) -> dict[str, object]:
    if refusal is DENIED:
        return {"details": {"reasons": [why.message]}}
    if refusal is NOT_FOUND:
        return {"details": _missing(str(why.facts.get("what", "")), why.facts.get("id"))}
    if refusal in {INVALID, INVALID_QUERY}:
        lines = why.facts.get("errors")
        alone: dict[str, object] = {"name": why.code.value, "path": [], "details": why.message}
        return {"details": {"errors": [_told(str(line)) for line in lines] if isinstance(lines, list) else [alone]}}
    return {}


def _missing(what: str, id: object) -> object:
    """An upload's details are a text, an asset's say which it was (recorded): the one in the path, unless an id is given."""
    args = request.view_args or {}
    here = {"space": args.get("space"), "environment": args.get("environment", MASTER)}
    if what in {"asset", "document"}:
        return {"type": "Asset", **here, "id": id or args.get("id")}
    if what == "environment":
        return {"type": "Environment", "space": here["space"], "id": here["environment"]}
    return {"type": "Space", "id": here["space"]} if what == "space" else NOT_FOUND_SAID


def _told(line: str) -> object:
    """An error as it was made by `fault`; else what a room that knows no vendor says."""
    return json.loads(line) if line.startswith("{") else {"name": "invalid", "path": [], "details": line}

"""Refusals in the vendor's form: an ErrorDto; a ProblemDetails for the one status that its framework answers by itself; nothing with a 429.

Source: `ApiExceptionConverter` and `ErrorDto` of the vendor's server; what it has no value for is left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Response, request

from app.core.errors import Code, Problem
from app.web.replies import answer

INVALID_FORMAT = "Request body has an invalid format."
ONE_FILE = "Can only upload one file."
NO_ROOM = "You have reached your max asset size."
NOT_DOWNLOADED = "Failed to download file."
VALIDATION = "Validation error"

RFC7231 = "https://www.rfc-editor.org/rfc/rfc7231#section-"
LINKS: Mapping[int, str] = {
    400: f"{RFC7231}6.5.1",
    401: "https://www.rfc-editor.org/rfc/rfc7235#section-3.1",
    403: f"{RFC7231}6.5.3",
    404: f"{RFC7231}6.5.4",
    408: f"{RFC7231}6.5.7",
    409: f"{RFC7231}6.5.8",
    410: f"{RFC7231}6.5.9",
    412: f"{RFC7231}6.5.10",
    500: f"{RFC7231}6.6.1",
}
PROBLEM_LINK = "https://tools.ietf.org/html/rfc7231#section-6.5.13"  # the framework's own, not the vendor's

REFUSALS: Mapping[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.INVALID: 400,
    Code.EMPTY: 400,
    Code.TOO_LARGE: 413,
    Code.LENGTH_REQUIRED: 411,
    Code.UNSUPPORTED_TYPE: 415,
    Code.DIGEST_MISMATCH: 400,
    Code.BAD_FILENAME: 400,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.LINK_INVALID: 403,
    Code.NOT_FOUND: 404,
    Code.GONE: 410,
    Code.PART_SIZE: 400,
    Code.PART_UNKNOWN: 404,
    Code.PARTS_MISSING: 409,
    Code.OFFSET_MISMATCH: 400,
    Code.LOCKED: 409,
    Code.FINISHED: 409,
    Code.FINAL: 409,
    Code.UPLOAD_EXPIRED: 410,
    Code.UPLOAD_CANCELLED: 410,
    Code.IN_USE: 400,
    Code.EXISTS: 409,
    Code.VERSION_CONFLICT: 409,
    Code.PRECONDITION: 412,
    Code.RANGE: 416,
    Code.TIMEOUT: 408,
    Code.RATE_LIMITED: 429,
    Code.QUOTA_EXCEEDED: 400,
    Code.IDEMPOTENCY_REUSED: 400,
    Code.IDEMPOTENCY_RUNNING: 409,
    Code.FETCH_REFUSED: 400,
    Code.FETCH_FAILED: 400,
    Code.NOT_AN_IMAGE: 400,
    Code.TYPE_NOT_ALLOWED: 400,
    Code.TRUNCATED: 400,
    Code.UNDECODABLE: 400,
    Code.TOO_MANY_PIXELS: 400,
    Code.TOO_MANY_FRAMES: 400,
    Code.TOO_COMPLEX: 400,
    Code.TRAILING_BYTES: 400,
    Code.TOOK_TOO_LONG: 400,
    Code.CHANGED: 409,
    Code.CORRUPTED: 500,
    Code.WORKER_LOST: 500,
    Code.STORE_FAULT: 503,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}

ERROR_CODES: Mapping[Code, str] = {
    Code.EXISTS: "OBJECT_CONFLICT",
    Code.VERSION_CONFLICT: "CONCURRENCY_EXCEPTION",
    Code.GONE: "OBJECT_DELETED",
    Code.PRECONDITION: "OBJECT_VERSION_CONFLICT",
    Code.IN_USE: "OBJECT_REFERENCED",
}

MESSAGES: Mapping[Code, str] = {  # the vendor's sentences; elsewhere ours
    Code.TOO_LARGE: "Request body too large. The max request body size is {limit} bytes.",
    Code.EXISTS: "Entity ({id}) already exists.",
    Code.GONE: "Entity ({id}) has been deleted.",
    Code.PRECONDITION: "Entity ({id}) requested version {expected}, but found {version}.",
    Code.IN_USE: "Assets is referenced by a content and cannot be deleted.",
    Code.NOT_FOUND: "Not Found",
    Code.UNAUTHENTICATED: "Unauthorized",
    Code.FORBIDDEN: "Forbidden",
}


def render(why: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    if why.code is Code.UNSUPPORTED_TYPE:
        return _problem_details()
    if why.code is Code.RATE_LIMITED:
        return Response(status=REFUSALS[why.code])  # the vendor says it with the status alone
    error = error_dto(why)
    return answer(error, REFUSALS[why.code])


def error_dto(why: Problem) -> dict[str, object]:
    """The vendor's ErrorDto: one in the body of a refusal, or one for each failed job of a bulk update."""
    status = REFUSALS[why.code]
    shown: dict[str, object] = {"message": VALIDATION if status == 400 and why.code not in ERROR_CODES else _message(why)}  # noqa: PLR2004 - HTTP's own number
    if why.code in ERROR_CODES:
        shown["errorCode"] = ERROR_CODES[why.code]
    shown["traceId"] = _trace(why)
    if status in LINKS:
        shown["type"] = LINKS[status]
    if shown["message"] == VALIDATION:
        shown["details"] = _details(why)
    shown["statusCode"] = status
    return shown


def _message(why: Problem) -> str:
    if why.code not in MESSAGES:
        return why.message
    known = {"id": _named(), "expected": request.headers.get("If-Match", "").strip('W/" ') or "?", "version": "?", "limit": "?"}
    return MESSAGES[why.code].format_map(known | dict(why.facts))


def _named() -> str:
    """The entity that the request names, where the refusal does not say."""
    return str((request.view_args or {}).get("id") or "?")


def _details(why: Problem) -> list[str]:
    if why.code is Code.BAD_REQUEST:
        return [ONE_FILE if "files" in why.facts else INVALID_FORMAT]
    if why.code in {Code.FETCH_REFUSED, Code.FETCH_FAILED}:
        return [NOT_DOWNLOADED]
    if why.code is Code.QUOTA_EXCEEDED:
        return [NO_ROOM]
    errors = why.facts.get("errors")
    return [str(error) for error in errors] if isinstance(errors, list) else [why.message]


def _trace(why: Problem) -> str:
    """In the form of a W3C trace context; of a bug of ours it is the id in the log."""
    return f"00-{why.facts.get('errorId') or secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def _problem_details() -> Response:
    shown = {
        "type": PROBLEM_LINK,
        "title": "Unsupported Media Type",
        "status": 415,
        "traceId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
    }
    response = answer(shown, 415)
    response.content_type = "application/problem+json; charset=utf-8"
    return response

"""Refusals in the vendor's form: `{"errors": [{"detail": "…"}]}`, one entry for each thing that is wrong.

The upload's page lists 400, 401 and 403, those of asset images 404 too, and none shows a body; the form is that of the vendor's reader
API. Statuses beside those are HTTP's own: 405, 409, 416, 429, 500, 503.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from app.core.errors import Code, Problem
from app.web.replies import answer

PAGE: Mapping[int, str] = {  # in the words of the pages
    401: "Unauthorized API KEY",
    403: "Unauthorized roles",
    404: "Entity not found",
}

REFUSALS: Mapping[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.INVALID: 400,
    Code.EMPTY: 400,
    Code.TOO_LARGE: 400,
    Code.LENGTH_REQUIRED: 400,
    Code.UNSUPPORTED_TYPE: 400,
    Code.DIGEST_MISMATCH: 400,
    Code.BAD_FILENAME: 400,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.LINK_INVALID: 403,
    Code.NOT_FOUND: 404,
    Code.GONE: 404,
    Code.PART_SIZE: 400,
    Code.PART_UNKNOWN: 404,
    Code.PARTS_MISSING: 400,
    Code.OFFSET_MISMATCH: 400,
    Code.LOCKED: 409,
    Code.FINISHED: 409,
    Code.FINAL: 409,
    Code.UPLOAD_EXPIRED: 400,
    Code.UPLOAD_CANCELLED: 400,
    Code.IN_USE: 409,
    Code.EXISTS: 409,
    Code.VERSION_CONFLICT: 409,
    Code.PRECONDITION: 409,
    Code.RANGE: 416,
    Code.TIMEOUT: 400,
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
    Code.CHANGED: 400,
    Code.CORRUPTED: 500,
    Code.WORKER_LOST: 500,
    Code.STORE_FAULT: 503,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}

CHALLENGE = 'ApiKey realm="backoffice"'  # RFC 9110 11.6.1 wants one with 401; the vendor's scheme has no registered name


def render(why: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    status = REFUSALS[why.code]
    response = answer({"errors": [{"detail": line} for line in _lines(why, status)]}, status)
    if why.code is Code.UNAUTHENTICATED:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _lines(why: Problem, status: int) -> list[str]:
    fields = why.facts.get("errors")
    if why.code is Code.INVALID and isinstance(fields, list):
        return [str(field) for field in fields]
    said = PAGE.get(status, why.message)
    return [f"{said} (error {error_id})" if (error_id := why.facts.get("errorId")) else said]

"""Refusals in the vendor's form: `{"code": "400BadRequest", "message": "…"}`, always application/json (its generated clients insist).

The message names the actual reason; where we have none better to say, it is the sentence that the vendor's page prints.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from app.core.errors import Code, Problem
from app.web.replies import answer

NAMES: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",  # not in the vendor's table: HTTP's own, in the vendor's form
    409: "Conflict",
    416: "RangeNotSatisfiable",  # likewise
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}

PAGE: Mapping[int, str] = {
    400: "The request was unacceptable, often due to a missing or invalid parameter",
    401: "No valid API token provided",
    403: "The API token does not have permissions to perform the request",
    404: "The requested resource could not be found",
    409: "The request conflicts with another request",
    429: "Too many requests have been made against the API in too short a time",
    500: "The server encountered an unexpected condition that prevented it from fulfilling the request",
    503: "The server cannot handle the request due to a temporary overload or scheduled maintenance",
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
    Code.LINK_INVALID: 404,
    Code.NOT_FOUND: 404,
    Code.GONE: 404,
    Code.PART_SIZE: 400,
    Code.PART_UNKNOWN: 404,
    Code.PARTS_MISSING: 409,
    Code.OFFSET_MISMATCH: 409,
    Code.LOCKED: 409,
    Code.FINISHED: 409,
    Code.FINAL: 409,
    Code.UPLOAD_EXPIRED: 409,
    Code.UPLOAD_CANCELLED: 409,
    Code.IN_USE: 409,
    Code.VERSION_CONFLICT: 409,
    Code.EXISTS: 409,
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
    Code.CHANGED: 409,
    Code.CORRUPTED: 500,
    Code.WORKER_LOST: 500,
    Code.STORE_FAULT: 503,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}

PAGE_SAYS_IT = frozenset({401, 403, 404, 500, 503})  # who asked learns no more than this: neither which scope, nor what else there is


def render(why: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    status = REFUSALS[why.code]
    message = PAGE[status] if status in PAGE_SAYS_IT else why.message
    shown: dict[str, object] = {"code": f"{status}{NAMES[status]}", "message": message}
    if error_id := why.facts.get("errorId"):
        shown["details"] = [{"code": "ErrorId", "message": error_id}]
    return answer(shown, status)


def detail(why: Problem, target: str) -> dict[str, str]:
    """Why an operation failed, as one entry of its `details`: the code in the vendor's spelling, the reason, what it is about."""
    name = why.code.value.replace("_", " ").title().replace(" ", "")
    return {"code": name, "message": why.message, "target": target}

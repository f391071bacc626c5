"""Refusals in the vendor's form: ProblemDetails (RFC 7807) as application/problem+json.

The vendor's client logs nothing of it but `message` and `errors`, so both are there: the detail, and what is wrong field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, json, request

from app.core.errors import Code, Problem

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[Code, int] = {
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
    Code.LINK_INVALID: 401,
    Code.NOT_FOUND: 404,
    Code.GONE: 404,
    Code.PART_SIZE: 400,
    Code.PART_UNKNOWN: 404,
    Code.PARTS_MISSING: 400,
    Code.OFFSET_MISMATCH: 400,
    Code.LOCKED: 400,
    Code.FINISHED: 400,
    Code.FINAL: 400,
    Code.UPLOAD_EXPIRED: 400,
    Code.UPLOAD_CANCELLED: 400,
    Code.IN_USE: 400,
    Code.EXISTS: 400,
    Code.VERSION_CONFLICT: 400,
    Code.PRECONDITION: 400,
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

EXPIRED = 403  # a token that merely ran out: the client asks for the next one on 403, and gives up on 401
TURNED_AWAY: Mapping[str, str] = {
    "expired_at": "The token has expired: ask for another one with the refresh token.",
    "revoked_at": "The account is disabled.",
}


def render(why: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    told = next((name for name in TURNED_AWAY if name in why.facts), None) if why.code is Code.UNAUTHENTICATED else None
    status = EXPIRED if told else STATUS[why.code]
    detail = TURNED_AWAY[told] if told else why.message
    shown = {
        "type": f"urn:slipway:problem:{why.code.value}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "message": detail,
        "errors": _errors(why),
    }
    if error_id := why.facts.get("errorId"):
        shown["traceId"] = error_id
    if "revoked_at" in why.facts:
        shown["loginStatus"] = "IsDisabled"
    return Response(json.dumps(shown), status, content_type=MEDIA_TYPE)


def _errors(why: Problem) -> list[str]:
    """What is wrong where it is more than the one sentence: the client logs both."""
    missing, errors = why.facts.get("missing"), why.facts.get("errors")
    if isinstance(missing, list):
        return [f"part {number} is missing" for number in missing]
    return [str(error) for error in errors] if isinstance(errors, list) else []

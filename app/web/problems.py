"""RFC 9457 problem documents: the native form of a refusal, for `/v1` and for what belongs to no dialect."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, json

from app.core import tracing
from app.core.errors import Code, Problem

MEDIA_TYPE = "application/problem+json"
BEARER = 'Bearer realm="slipway"'
NOT_GOOD = "The key or token is malformed, unknown, revoked or expired"  # never which: a stranger learns nothing

STATUS: Mapping[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.INVALID: 422,
    Code.EMPTY: 400,
    Code.TOO_LARGE: 413,
    Code.LENGTH_REQUIRED: 411,
    Code.UNSUPPORTED_TYPE: 415,
    Code.DIGEST_MISMATCH: 400,
    Code.BAD_FILENAME: 422,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.LINK_INVALID: 403,
    Code.NOT_FOUND: 404,
    Code.GONE: 410,
    Code.PART_SIZE: 422,
    Code.PART_UNKNOWN: 404,
    Code.PARTS_MISSING: 409,
    Code.OFFSET_MISMATCH: 409,
    Code.LOCKED: 409,
    Code.FINISHED: 409,
    Code.FINAL: 409,
    Code.UPLOAD_EXPIRED: 410,
    Code.UPLOAD_CANCELLED: 410,
    Code.IN_USE: 409,
    Code.VERSION_CONFLICT: 409,
    Code.EXISTS: 409,
    Code.PRECONDITION: 412,
    Code.RANGE: 416,
    Code.TIMEOUT: 408,
    Code.RATE_LIMITED: 429,
    Code.QUOTA_EXCEEDED: 507,
    Code.IDEMPOTENCY_REUSED: 422,
    Code.IDEMPOTENCY_RUNNING: 409,
    Code.FETCH_REFUSED: 422,
    Code.FETCH_FAILED: 422,
    Code.NOT_AN_IMAGE: 422,
    Code.TYPE_NOT_ALLOWED: 415,
    Code.TRUNCATED: 422,
    Code.UNDECODABLE: 422,
    Code.TOO_MANY_PIXELS: 422,
    Code.TOO_MANY_FRAMES: 422,
    Code.TOO_COMPLEX: 422,
    Code.TRAILING_BYTES: 422,
    Code.TOOK_TOO_LONG: 422,
    Code.CHANGED: 409,
    Code.CORRUPTED: 500,
    Code.WORKER_LOST: 500,
    Code.STORE_FAULT: 503,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}


TYPES: Mapping[Code, str] = {  # draft-ietf-httpapi-ratelimit-headers-10, section 5; every other type is ours
    Code.RATE_LIMITED: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    Code.OVERLOADED: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}


def document(problem: Problem) -> dict[str, object]:
    """The JSON of a problem: type, title, status, detail, the stable `code`, and the facts behind it."""
    title = problem.code.value.replace("_", " ").capitalize()
    return {
        "type": TYPES.get(problem.code, f"urn:slipway:problem:{problem.code.value}"),
        "title": title,
        "status": STATUS[problem.code],
        "detail": problem.message,
        "code": problem.code.value,
        **{name: fact for name, fact in problem.facts.items() if name not in {"type", "title", "status", "detail", "code"}},
    }


def render(problem: Problem) -> Response:
    """The response of a refusal; headers that every form shares are added by `mount`."""
    trace = tracing.current()
    shown = {**document(problem), "traceId": trace.id} if trace else document(problem)
    response = Response(json.dumps(shown), STATUS[problem.code], content_type=MEDIA_TYPE)
    if problem.code is Code.FORBIDDEN and (scope := problem.facts.get("scope")):
        response.headers["WWW-Authenticate"] = f'{BEARER}, error="insufficient_scope", scope="{scope}"'
    return response


def challenge(header: str | None) -> str:
    """What is said with a 401 to who sent this Authorization header: no error to who showed no bearer token (RFC 6750, section 3)."""
    shown = (header or "").partition(" ")[0].lower() == "bearer"
    return f'{BEARER}, error="invalid_token", error_description="{NOT_GOOD}"' if shown else BEARER

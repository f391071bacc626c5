"""Mounts the dialects, and sends every refusal to the dialect in whose mount it happened.

Flask does not route 404 and 405 to a blueprint, so the handlers are the app's, and pick the dialect by the longest mount that the path lies in.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.core import tracing
from app.core.errors import ClientGone, Code, Fault, Problem, UploadError, problem
from app.web import problems
from app.web.bodies import refuse_rest
from app.web.dialect import Dialect
from app.web.replies import require_host

log = logging.getLogger(__name__)

RETRY_AFTER = "5"
MOUNTS = "slipway.mounts"
REFUSED = "slipway.refused"  # in the environ: the code of a refusal, for who counts
BY_STATUS: Mapping[int, Code] = {
    400: Code.BAD_REQUEST,
    401: Code.UNAUTHENTICATED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    408: Code.TIMEOUT,
    411: Code.LENGTH_REQUIRED,
    413: Code.TOO_LARGE,
    415: Code.UNSUPPORTED_TYPE,
    416: Code.RANGE,
    422: Code.INVALID,
}


def mount(app: Flask, dialects: Collection[Dialect]) -> None:
    """Register every dialect under its mounts, and the handlers over all."""
    for dialect in dialects:
        for number, prefix in enumerate(dialect.mounts):
            app.register_blueprint(dialect.blueprint, url_prefix=prefix, name=dialect.name if number == 0 else f"{dialect.name}_{number}")
    mounts = {prefix: dialect for dialect in dialects for prefix in dialect.mounts}
    app.extensions[MOUNTS] = sorted(mounts.items(), key=lambda found: len(found[0]), reverse=True)
    app.before_request(require_host)
    app.register_error_handler(UploadError, lambda error: refuse(error.problem))
    app.register_error_handler(Fault, _unavailable)
    app.register_error_handler(ClientGone, lambda _: _closed(refuse(problem(Code.TIMEOUT))))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def dialect_at(path: str) -> Dialect | None:
    """The dialect whose mount is the longest that `path` lies in."""
    mounts: list[tuple[str, Dialect]] = current_app.extensions[MOUNTS]  # the longest first
    for prefix, dialect in mounts:
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
            return dialect
    return None


def refuse(why: Problem) -> Response:
    """The refusal in the form of the dialect that was spoken to."""
    request.environ[REFUSED] = why.code.value
    dialect = dialect_at(request.path)
    response = dialect.render(why) if dialect else problems.render(why)
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE or why.code in {Code.RATE_LIMITED, Code.IDEMPOTENCY_RUNNING}:
        response.headers.setdefault("Retry-After", str(why.facts.get("retry_after", RETRY_AFTER)))
    if why.code is Code.RANGE and "size" in why.facts:
        response.headers.setdefault("Content-Range", f"bytes */{why.facts['size']}")  # RFC 9110, section 15.5.17
    if why.code is Code.UNAUTHENTICATED:
        response.headers.setdefault("WWW-Authenticate", problems.challenge(request.headers.get("Authorization")))
    return refuse_rest(request, response)


def _unavailable(fault: Exception) -> Response:
    log.warning("unavailable", extra={"reason": str(fault), "kind": type(fault).__name__, "path": request.path})
    return refuse(problem(Code.UNAVAILABLE))


def _http(error: HTTPException) -> Response:
    code = BY_STATUS.get(error.code or 500, Code.BAD_REQUEST if (error.code or 500) < 500 else Code.INTERNAL)  # noqa: PLR2004 - HTTP's own border between the client's doing and ours
    response = refuse(problem(code, **_facts(code, error)))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _facts(code: Code, error: HTTPException) -> dict[str, str | None]:
    """What the sentence of the code has gaps for."""
    if code is Code.BAD_REQUEST:
        return {"reason": error.description}
    return {"what": "resource"} if code in {Code.NOT_FOUND, Code.GONE} else {}


def _unforeseen(error: Exception) -> Response:
    """A bug of ours: the client learns an id, the log the rest."""
    trace = tracing.current()
    error_id = trace.id if trace else uuid.uuid4().hex
    log.error("unforeseen", exc_info=error, extra={"error_id": error_id, "path": request.path})
    why = problem(Code.INTERNAL)
    return refuse(replace(why, facts={"errorId": error_id}))


def _closed(response: Response) -> Response:
    response.headers["Connection"] = "close"
    return response

"""Requests, counted as they are answered: by dialect, method and status, never by what a client may choose."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, request

from app.core.ports import Meter
from app.web.bodies import KEPT, RequestBody
from app.web.mount import REFUSED, dialect_at

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BEGAN = "slipway.began"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER, NOWHERE, UNTOLD = "other", "none", "other"  # a method that nobody knows; what lies in no dialect's mount; a body read otherwise


class Running:
    """The app, with a clock beside every request. Before Flask's own hooks, each of which costs as much as a number that is taken down."""

    def __init__(self, app: WSGIApplication, meter: Meter) -> None:
        self._app, self._meter = app, meter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The app's answer."""
        environ[BEGAN] = time.perf_counter()
        self._meter.shift("http_requests_running", 1)
        try:
            return self._app(environ, start_response)
        finally:  # what is left is sending
            self._meter.shift("http_requests_running", -1)


def answered(meter: Meter, response: Response) -> Response:
    """Its answer is made; downloads go out after this."""
    environ = request.environ
    dialect = found.name if (found := dialect_at(request.path)) else NOWHERE
    method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else OTHER
    meter.count("http_requests", dialect=dialect, method=method, status=str(response.status_code))
    meter.observe("http_request_seconds", time.perf_counter() - environ[BEGAN], dialect=dialect, method=method)
    if code := environ.get(REFUSED):
        meter.count("refusals", dialect=dialect, code=code)
    body = cast("RequestBody | None", environ.get(KEPT))
    if body and body.received:
        meter.count("received_bytes", body.received, dialect=dialect, tier=body.tier or UNTOLD)
    if method != "HEAD" and (sent := response.content_length):
        meter.count("sent_bytes", sent, dialect=dialect)
    return response


def count(app: Flask, meter: Meter) -> None:
    """Count every request of the app. Called before anything else that looks at answers: it then sees the last of each."""
    app.wsgi_app = Running(app.wsgi_app, meter)  # type: ignore[method-assign] # Flask documents this place
    app.after_request(partial(answered, meter))

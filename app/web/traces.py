"""The trace of a request: the caller's, or a new one. It stands in every line that the request logs, the server's own among them."""

from __future__ import annotations

from flask import Flask, request

from app.core import tracing

KEPT = "slipway.trace"  # in the environ, where the server's access log finds it after the request


def follow(app: Flask) -> None:
    """Every request of the app belongs to a trace, from before it is looked at until it was answered."""
    app.before_request(_begin)
    app.teardown_request(_end)


def _begin() -> None:
    trace = tracing.begin({name: request.headers.get(name, "") for name in (tracing.PARENT, tracing.STATE)})
    request.environ[KEPT] = trace.id
    tracing.enter(trace)


def _end(_error: BaseException | None) -> None:
    tracing.enter(None)

"""The answers of synchronous vendors: given after the worker's, within the dialect's patience; after that 202 and where to look (RFC 7240)."""

from __future__ import annotations

from flask import Response, request

from app.core.operation import Operation
from app.web import conditions
from app.web.dialect import doors
from app.web.replies import accepted, monitor_url


def settled(op: Operation, dialect: str) -> Operation:
    """The operation as soon as it is final, or as it stands when the dialect's patience is over, at once for `Prefer: respond-async`."""
    if conditions.prefer(request).respond_async:
        return op
    return doors().patience.wait(op, doors().policies[dialect].patience)


def promised(op: Operation, body: object, dialect: str) -> Response:
    """202 with the operation's place in the dialect's own mount."""
    response = accepted(body, monitor_url(op, dialect))
    if conditions.prefer(request).respond_async:
        response.headers["Preference-Applied"] = "respond-async"
    return response

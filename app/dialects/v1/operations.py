"""`/v1/operations`: the promise, polled, waited for, or cancelled."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core import timing
from app.core.operation import Operation
from app.core.policy import Scope
from app.dialects.v1 import views
from app.dialects.v1.access import speaker
from app.web import conditions
from app.web.dialect import doors
from app.web.replies import POLL, answer

OPERATIONS = Blueprint("operations", __name__, url_prefix="/operations")


@OPERATIONS.get("/<id>")
def show(id: str) -> Response:
    """The operation as it stands, or after at most `Prefer: wait` seconds (RFC 7240) as soon as it is final; 304 when unchanged."""
    op = doors().library.operation(speaker(Scope.OPERATIONS_READ), id)
    wait = conditions.prefer(request).wait
    if wait is not None:
        op = doors().waiting.wait(op, min(wait, timing.LONG_POLL))
    response = monitor(op)
    if wait is not None:
        response.headers["Preference-Applied"] = f"wait={int(min(wait, timing.LONG_POLL))}"
    return conditions.unless_same(request, response)


@OPERATIONS.post("/<id>/cancel")
@OPERATIONS.delete("/<id>")
def cancel(id: str) -> Response:
    """Give it up. 409 when it is final."""
    who = speaker(Scope.OPERATIONS_CANCEL)
    return monitor(doors().reception.cancel(doors().library.operation(who, id)))


def monitor(op: Operation) -> Response:
    """The operation's JSON, with Retry-After until it is final, and a strong ETag."""
    response = answer(views.operation(op))
    if not op.final:
        response.headers["Retry-After"] = POLL
    response.headers["Vary"] = "Prefer, Authorization"
    response.headers["Cache-Control"] = "private, no-cache"
    conditions.tag(response)
    return response

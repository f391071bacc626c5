"""`/v1/operations`: the promise, polled, waited for, or cancelled."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core import timing
from app.core.operation import Operation, Status
from app.core.policy import Scope
from app.core.refs import Kind, Row, Shelf
from app.dialects.v1 import views
from app.dialects.v1.access import speaker
from app.dialects.v1.lists import asked, sliced
from app.dialects.v1.schemas import ListOperations
from app.web import conditions
from app.web.dialect import doors
from app.web.idempotency import current, idempotent
from app.web.replies import POLL, answer

OPERATIONS = Blueprint("operations", __name__, url_prefix="/operations")


@OPERATIONS.get("")
def index() -> Response:
    """The operations of the tenant, through whichever door, newest first."""
    who = speaker(Scope.OPERATIONS_READ)
    question, wanted = asked(who, ListOperations(), "/v1/operations", Kind.OPERATION)
    statuses: frozenset[Status] = wanted.get("status", frozenset())
    shelves = tuple(Shelf(Row.OPERATIONS, who.tenant, status) for status in sorted(statuses)) or (Shelf(Row.OPERATIONS, who.tenant),)

    def fits(op: Operation) -> bool:
        right = op.kind == wanted.get("kind", op.kind) and op.dialect == wanted.get("dialect", op.dialect)
        return right and (not statuses or op.status in statuses)

    found = sliced(question, wanted, shelves, fits)
    return question.page([views.operation(op) for op in found.items], found.end)


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
@idempotent(Scope.OPERATIONS_CANCEL)
def cancel(id: str) -> Response:
    """Give it up. 409 when it is final."""
    who = speaker(Scope.OPERATIONS_CANCEL)
    op = doors().library.operation(who, id)
    run = current()
    cancelled = run is not None and run.resumed and op.status is Status.CANCELLED
    return monitor(op if cancelled else doors().reception.cancel(op))


def monitor(op: Operation) -> Response:
    """The operation's JSON, with Retry-After until it is final, and a strong ETag."""
    response = answer(views.operation(op))
    if not op.final:
        response.headers["Retry-After"] = POLL
    response.headers["Vary"] = "Prefer, Authorization"
    response.headers["Cache-Control"] = "private, no-cache"
    conditions.tag(response)
    return response

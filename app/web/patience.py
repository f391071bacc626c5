"""The answers of synchronous vendors: given after the worker's, within the dialect's patience; after that 202 and where to look (RFC 7240).

And what is looked at there: each dialect shows its own operations only, because it could not say what became of another's.
"""

from __future__ import annotations

from flask import Response, request

from app.core.errors import Code, UploadError
from app.core.operation import Operation
from app.core.policy import Principal
from app.core.upload import Upload
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


def followed(who: Principal, id: str, dialect: str) -> tuple[Operation, Upload]:
    """An operation of this dialect, and the upload behind it, whose record lives as long. Raises UploadError(NOT_FOUND, GONE)."""
    op = doors().library.operation(who, id)
    up = doors().library.upload(who, op.upload_id or "")
    if up.dialect != dialect:
        raise UploadError(Code.NOT_FOUND, what="operation")
    return op, up

"""Uploads: raw bytes that wait for their assets, for at least a day. The environment in the path means nothing to them.

(One client puts the upload's own id where the environment belongs, another sends none.)
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core import filenames
from app.core.asset import Asset
from app.core.errors import Code, UploadError, refuse
from app.core.policy import Principal, Scope
from app.core.reception import Opening
from app.core.upload import State, Upload
from app.dialects.contentful import links, views
from app.dialects.contentful.answers import nothing, shown
from app.dialects.contentful.envelope import MEDIA_TYPE
from app.dialects.contentful.speaker import caller
from app.web import patience, transfers
from app.web.bodies import raw_body
from app.web.dialect import doors

UPLOADS = Blueprint("uploads", __name__)

BYTES = "application/octet-stream"
RAW = ("image/", "video/", "audio/", BYTES)  # an Accept of these asks for the bytes


@UPLOADS.post("/uploads")
def create(space: str, environment: str = links.MASTER) -> Response:
    """201 as soon as the last byte is kept; no worker is waited for. An upload that is cut leaves nothing behind."""
    del environment
    up = _open(caller(space, Scope.UPLOADS_WRITE))
    try:
        transfers.receive_whole(up)
    except BaseException:
        doors().reception.withdraw(up)
        raise
    return shown(views.upload(up), 201)


def _open(who: Principal) -> Upload:
    policy, length = doors().policies[links.NAME], raw_body(request).length
    if length is not None and length > policy.max_bytes:
        raise UploadError(Code.TOO_LARGE, limit=policy.max_bytes, size=length)
    if length == 0:
        raise UploadError(Code.EMPTY)
    if request.mimetype != BYTES:
        raise UploadError(Code.UNSUPPORTED_TYPE, media_type=request.mimetype or "none", accepted=BYTES)
    deadline = links.midnight_after(doors().now())
    return doors().reception.open(who, links.NAME, policy, Opening(length=length, id=links.new_id(), kept=True, expires_at=deadline))


@UPLOADS.get("/uploads/<id>")
def show(space: str, id: str, environment: str = links.MASTER) -> Response:
    """The upload; or, where the Accept prefers them, its bytes as they were sent."""
    del environment
    return found(waiting(caller(space, Scope.UPLOADS_READ), id))


@UPLOADS.delete("/uploads/<id>")
def delete(space: str, id: str, environment: str = links.MASTER) -> Response:
    """204, and 404 from then on. What was made from it keeps its bytes."""
    del environment
    doors().reception.discard(waiting(caller(space, Scope.UPLOADS_WRITE), id))
    return nothing()


def waiting(who: Principal, id: str) -> Upload:
    """An upload that can be used. Raises UploadError(NOT_FOUND, GONE): unknown, deleted, expired."""
    up = doors().library.upload(who, id)
    usable = up.kept and up.dialect == links.NAME and up.state is State.FINISHED
    if not usable or doors().now() > up.expires_at:
        raise UploadError(Code.NOT_FOUND, what="upload")
    return up


def found(up: Upload) -> Response:
    """The upload in the form that the request prefers."""
    return _bytes(up) if _prefers_bytes() else shown(views.upload(up))


def _prefers_bytes() -> bool:
    accepted = request.accept_mimetypes
    raw = max((quality for kind, quality in accepted if kind.startswith(RAW)), default=0)
    return raw > max(accepted.quality(kind) for kind in ("application/json", MEDIA_TYPE))


def _bytes(up: Upload) -> Response:
    """The bytes, as soon as a worker has measured them: nothing leaves this house unmeasured."""
    if up.facts is None:
        op = patience.settled(doors().library.operation(Principal(up.tenant, up.owner), up.operation_id), links.NAME)
        if not op.final:
            return patience.promised(op, views.upload(up), links.NAME)
        if op.problem:
            raise refuse(op.problem)
        up = waiting(Principal(up.tenant, up.owner), up.id)
    if up.facts is None:
        raise UploadError(Code.GONE, what="upload")
    name = up.filename or filenames.default(up.facts.media_type)
    body = Asset(up.id, up.tenant, up.owner, links.NAME, name, up.created_at, up.created_at, blob=up.blob, facts=up.facts)
    try:
        return transfers.send(body, up.facts, "inline")
    except UploadError as refusal:
        if refusal.code is Code.GONE:  # what it was made of ended in this moment, and is said as of an asset
            raise UploadError(Code.GONE, what="upload") from refusal
        raise

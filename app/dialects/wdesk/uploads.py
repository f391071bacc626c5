"""Initiate an upload, and take its bytes at the uploadUrl."""

from __future__ import annotations

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core import upload
from app.core.errors import Code, Moved, Problem, UploadError
from app.core.policy import Principal, Scope
from app.core.reception import Opening
from app.core.upload import Upload
from app.dialects.wdesk import families, links
from app.dialects.wdesk.tokens import speaker
from app.web import transfers
from app.web.bodies import raw_body
from app.web.dialect import doors
from app.web.replies import absolute, accepted
from app.web.schemas import json_object, load

INITIATE = Blueprint("initiate", __name__)
BLOBS = Blueprint("blobs", __name__, url_prefix=links.STORAGE)

HOPELESS = frozenset({Code.EMPTY, Code.TOO_LARGE})  # a PUT refused with one of these fails the operation


class ImageUpload(Schema):
    """The body of an initiation; the body itself is optional."""

    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    file_name = fields.String(data_key="fileName", required=True, validate=validate.Length(min=1))


@INITIATE.post("/content/images/upload")
def initiate() -> Response:
    """202 with the uploadUrl, and the operation to poll. The body may be missing, or be JSON that calls itself a form."""
    who = speaker(Scope.UPLOADS_WRITE)
    up = doors().reception.open(who, "wdesk", doors().policies["wdesk"], Opening(_name()))
    location = families.url(f"/operations/{up.operation_id}")
    target = absolute(links.upload_path(up, doors().signer))
    return accepted({"uploadUrl": target, "operationId": up.operation_id, "operationLocation": location}, location)


def _name() -> str | None:
    sent = json_object(request, required=False)
    if not sent and not raw_body(request).length:
        return None
    name: str = load(ImageUpload(), sent)["file_name"]
    return name


@BLOBS.put("/blobs/<tenant>/<id>")
def put(tenant: str, id: str) -> Response:
    """The image, raw, whatever its declared type. The same owner's token is needed; a later one than at initiation is as good."""
    who = speaker(Scope.UPLOADS_WRITE)
    up = _meant(who, tenant, id)
    try:
        transfers.receive_whole(up)
    except UploadError as refusal:
        if refusal.code in HOPELESS:
            _fail(who, up, refusal.problem)
        raise
    return Response(status=200)


def _meant(who: Principal, tenant: str, id: str) -> Upload:
    links.check(request.path, request.args, doors().signer)
    up = doors().library.upload(who, links.reveal(id))
    if (up.tenant, up.owner) != (links.reveal(tenant), who.owner):
        raise UploadError(Code.NOT_FOUND, what="upload")
    upload.require_open(up, doors().now())
    return up


def _fail(who: Principal, up: Upload, why: Problem) -> None:
    """The operation fails, unless another PUT was quicker to finish it."""
    try:
        doors().reception.cancel(doors().library.operation(who, up.operation_id), why)
    except Moved:
        return

"""Initiate the upload of an image, and take an image's or a file's bytes at the uploadUrl."""

from __future__ import annotations

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core import upload
from app.core.errors import Code, Moved, Problem, UploadError
from app.core.policy import Policy, Principal, Scope
from app.core.reception import Opening
from app.core.upload import Upload
from app.dialects.wdesk import families, links
from app.dialects.wdesk.tokens import speaker
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import absolute, accepted
from app.web.schemas import json_if_any, load

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
    sent = json_if_any(request)
    name = None if sent is None else load(ImageUpload(), sent)["file_name"]
    return promise(who, doors().policies[links.NAME], Opening(name), "image-services")


def promise(who: Principal, policy: Policy, opening: Opening, client: str) -> Response:
    """A new upload: 202 with the uploadUrl and the operation. `client`: the service that the uploadUrl names."""
    up = doors().reception.open(who, links.NAME, policy, opening)
    location = families.url(f"/operations/{up.operation_id}")
    target = absolute(links.upload_path(up, doors().signer, client))
    return accepted({"uploadUrl": target, "operationId": up.operation_id, "operationLocation": location}, location)


@BLOBS.put("/blobs/<tenant>/<id>")
def put(tenant: str, id: str) -> Response:
    """The bytes, raw, whatever their declared type. The same owner's token is needed; a later one than at initiation is as good."""
    who = speaker(Scope.UPLOADS_WRITE)
    up = _meant(who, tenant, id)
    if "Content-Range" in request.headers:  # a piece must not pass for the whole (RFC 9110, section 14.5)
        raise UploadError(Code.BAD_REQUEST, reason="Content-Range: only the whole file can be PUT")
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

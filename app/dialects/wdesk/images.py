"""Images: what an upload became; described, used, downloaded."""

from __future__ import annotations

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.policy import Scope
from app.dialects.wdesk import links
from app.dialects.wdesk.files import is_import
from app.dialects.wdesk.tokens import speaker
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import absolute, answer
from app.web.schemas import json_object, load

CONTENT = Blueprint("content", __name__)
DOWNLOADS = Blueprint("downloads", __name__, url_prefix=links.STORAGE)

LONGEST_USAGE = 512


class Use(Schema):
    """What an image is used for: the reference of a place in content. Ours, the vendor's content API is elsewhere."""

    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    usage = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_USAGE))


@CONTENT.get("/content/images/<id>")
def show(id: str) -> Response:
    """The image, until its 24 hours are over or for as long as it is used."""
    return answer(view(_image(Scope.ASSETS_READ, id)))


@CONTENT.patch("/content/images/<id>")
def use(id: str) -> Response:
    """Use it, and so keep it. The same usage again changes nothing, another one is 409."""
    of = _image(Scope.ASSETS_WRITE, id)
    wanted = load(Use(), json_object(request, required=True))
    return answer(view(doors().library.keep(of, wanted["usage"])))


@DOWNLOADS.get("/images/<id>")
def download(id: str) -> Response:
    """Its bytes, whole or one range of them."""
    of = _image(Scope.ASSETS_READ, id)
    if of.facts is None:
        raise UploadError(Code.GONE, what="image")
    return transfers.send(of, of.facts)


def _image(scope: Scope, id: str) -> Asset:
    of = links.asset(speaker(scope), id)
    if is_import(of.metadata):
        raise UploadError(Code.NOT_FOUND, what="image")
    return of


def view(of: Asset) -> dict[str, object]:
    """The vendor's Image; the media type is the measured one."""
    return {
        "id": links.hex_id(of.id),
        "fileName": of.filename,
        "mimeType": of.facts.media_type if of.facts else "application/octet-stream",
        "downloadUrl": absolute(links.download_path(of, "images")),
    }

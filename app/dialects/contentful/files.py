"""The bytes behind `fields.file.{locale}.url`: whoever has the URL may read them, nobody else can make one, and they never change.

A URL ends when its file is replaced, taken out, or deleted with its asset. Nothing here is re-encoded.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, Response

from app.core.document import File
from app.core.errors import Code, UploadError
from app.core.policy import Principal
from app.dialects.contentful import views
from app.dialects.contentful.assets import known
from app.web import transfers
from app.web.dialect import doors

FILES = Blueprint("files", __name__)

FOREVER = "public, max-age=31536000, immutable"


@FILES.get("/<space>/<id>/<token>/<filename>")
def show(space: str, id: str, token: str, filename: str) -> Response:
    """The whole, or one range of it."""
    reader = Principal(space, "")
    of = doors().library.asset(reader, _meant(reader, id, token, filename).asset_id)
    if of.facts is None:
        raise UploadError(Code.NOT_FOUND, what="file")
    response = transfers.send(of, of.facts, "inline")
    response.headers["Cache-Control"] = FOREVER
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # these URLs are made to stand in other sites
    return response


def _meant(reader: Principal, id: str, token: str, filename: str) -> File:
    """The file of an asset that this URL was given for. Raises UploadError(NOT_FOUND)."""
    document = known(reader, id)
    for file in document.files.values():
        good = hmac.compare_digest(views.token(document, file).encode(), token.encode("utf-8", "replace"))
        if good and file.filename == filename:
            return file
    raise UploadError(Code.NOT_FOUND, what="file")

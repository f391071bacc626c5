"""`/v1/assets`: what came of an upload; kept, read, deleted."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.policy import Scope
from app.dialects.v1 import views
from app.dialects.v1.access import speaker
from app.dialects.v1.schemas import Keep
from app.web import conditions, transfers
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

ASSETS = Blueprint("assets", __name__, url_prefix="/assets")


@ASSETS.get("/<id>")
def show(id: str) -> Response:
    """The asset."""
    response = answer(_shown(doors().library.asset(speaker(Scope.ASSETS_READ), id)))
    conditions.tag(response)
    return conditions.unless_same(request, response)


@ASSETS.patch("/<id>")
def keep(id: str) -> Response:
    """Keep it for ever. The same usage again changes nothing, another one is 409."""
    of = doors().library.asset(speaker(Scope.ASSETS_WRITE), id)
    wanted = load(Keep(), json_object(request, required=True))
    if not wanted:
        raise UploadError(Code.INVALID, reason="say keep or usage")
    return answer(_shown(doors().library.keep(of, wanted.get("usage"))))


def _shown(of: Asset) -> views.Json:
    return views.asset(of, doors().rendering.size(of))


@ASSETS.delete("/<id>")
def delete(id: str) -> Response:
    """Delete it; its bytes go when nobody else holds them."""
    doors().library.delete(doors().library.asset(speaker(Scope.ASSETS_DELETE), id))
    return Response(status=204)


@ASSETS.get("/<id>/content")
def content(id: str) -> Response:
    """Its bytes, whole or one range of them."""
    of = doors().library.asset(speaker(Scope.ASSETS_READ), id)
    if of.facts is None:
        raise UploadError(Code.GONE, what="asset")
    return transfers.send(of, of.facts)

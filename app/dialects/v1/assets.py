"""`/v1/assets`: what came of an upload; kept, read, deleted."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core.asset import Asset, AssetState, there
from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.core.refs import Kind, Row, Shelf, lying_in
from app.dialects.v1 import views
from app.dialects.v1.access import speaker
from app.dialects.v1.lists import asked, sliced
from app.dialects.v1.schemas import Keep, ListAssets
from app.web import conditions, transfers
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

ASSETS = Blueprint("assets", __name__, url_prefix="/assets")

ROOT = "root"  # in place of a folder's id


@ASSETS.get("")
def index() -> Response:
    """The assets of the tenant that have bytes, through whichever door they came, newest first."""
    who = speaker(Scope.ASSETS_READ)
    question, wanted = asked(who, ListAssets(), "/v1/assets", Kind.ASSET)
    now = doors().now()

    def fits(of: Asset) -> bool:
        right = of.dialect == wanted.get("dialect", of.dialect) and _is_a(of, wanted.get("media_type", "*/*"))
        return right and of.state is AssetState.READY and there(of, now)

    found = sliced(question, wanted, _shelves(who, wanted.get("folder"), wanted.get("dialect")), fits)
    sizes = doors().rendering.sizes(found.items)
    return question.page([views.asset(of, size) for of, size in zip(found.items, sizes, strict=True)], found.end)


def _shelves(who: Principal, folder: str | None, dialect: str | None) -> tuple[Shelf, ...]:
    """A folder, the root of a door or of all, or everything. Raises UploadError(NOT_FOUND), GONE for a folder that was deleted."""
    if folder is None:
        return (Shelf(Row.ASSETS, who.tenant, dialect or ""),)
    if folder == ROOT:
        return tuple(lying_in(Row.INSIDE, who.tenant, name, None) for name in ([dialect] if dialect else doors().dialects))
    place = doors().folders.folder(who, folder)
    return (lying_in(Row.INSIDE, who.tenant, place.dialect, place.id),)


def _is_a(of: Asset, wanted: str) -> bool:
    kind, _, rest = (of.facts.media_type if of.facts else "").partition("/")
    return wanted in {"*/*", f"{kind}/*", f"{kind}/{rest}"}


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

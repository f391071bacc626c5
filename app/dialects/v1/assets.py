"""`/v1/assets`: what came of an upload; kept, read, deleted."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core import filenames
from app.core.asset import Asset, AssetState, keep, require_ready, revised, there
from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.core.refs import Kind, Row, Shelf, lying_in
from app.dialects.v1 import views
from app.dialects.v1.access import speaker
from app.dialects.v1.lists import asked, sliced
from app.dialects.v1.schemas import ListAssets, NewLink, Revised
from app.web import conditions, transfers
from app.web.dialect import doors
from app.web.idempotency import idempotent
from app.web.links import link
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
    return conditions.unless_same(request, _tagged(doors().library.asset(speaker(Scope.ASSETS_READ), id)))


@ASSETS.patch("/<id>")
def change(id: str) -> Response:
    """Keep it for ever, for a usage where one is named: the same again changes nothing, another one is 409. Or give it another name."""
    of = doors().library.asset(speaker(Scope.ASSETS_WRITE), id)
    wanted = load(Revised(), json_object(request, required=True))
    name = filenames.clean(wanted.get("filename"))

    def revise(current: Asset, now: float) -> Asset:
        require_ready(current, now)
        named = revised(current, now, filename=name) if name else current
        return keep(named, wanted.get("usage"), now) if wanted.keys() - {"filename"} else named

    return _tagged(doors().library.revise(of, revise, _version(of)))


def _version(of: Asset) -> int | None:
    """The version at which the asset must still stand; None where any will do. Raises UploadError(PRECONDITION)."""
    conditions.require_still(request, _tagged(of).headers["ETag"], of.version)
    return None if request.headers.get("If-Match", "*").strip() == "*" else of.version


def _tagged(of: Asset) -> Response:
    response = answer(views.asset(of, doors().rendering.size(of)))
    conditions.tag(response)
    return response


@ASSETS.delete("/<id>")
def delete(id: str) -> Response:
    """Delete it; its bytes go when nobody else holds them."""
    of = doors().library.asset(speaker(Scope.ASSETS_DELETE), id)
    doors().library.delete(of, version=_version(of))
    return Response(status=204)


@ASSETS.post("/<id>/links")
@idempotent(Scope.ASSETS_READ)
def new_link(id: str) -> Response:
    """A URL that gives the bytes to whoever has it. Who may read them may pass them on."""
    of = doors().library.asset(speaker(Scope.ASSETS_READ), id)
    wanted = load(NewLink(), json_object(request, required=False))
    name = filenames.clean(wanted.get("filename")) or of.filename
    url, expires = link(of, name, wanted["disposition"], doors().now() + wanted["expires_in"])
    response = answer({"url": url, "expiresAt": views.moment(expires)}, 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@ASSETS.get("/<id>/content")
def content(id: str) -> Response:
    """Its bytes, whole or one range of them."""
    of = doors().library.asset(speaker(Scope.ASSETS_READ), id)
    if of.facts is None:
        raise UploadError(Code.GONE, what="asset")
    return transfers.send(of, of.facts)

"""Assets and folders: shown, described, deleted, made; and their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, request

from app.core import asset
from app.core.asset import Asset
from app.core.errors import Code, Moved, UploadError
from app.core.folder import Folder
from app.core.policy import Principal, Scope
from app.core.upload import Upload
from app.dialects.nomad import bookings, ids, links, places, starts, views
from app.dialects.nomad.account import speaker
from app.dialects.nomad.places import NAME
from app.dialects.nomad.schemas import Asked, NewFolder, NewPlaceholder, Properties
from app.dialects.nomad.views import Bucket, Thing
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

ASSETS = Blueprint("assets", __name__, url_prefix="/api/admin/asset")
CONTENT = Blueprint("content", __name__, url_prefix="/content")

MOST = 1000  # related assets, and assets of a content record, that are shown


@ASSETS.get("/<id>")
def show(id: str) -> Response:
    """AssetModel of a file, a folder or the bucket; of a file also while it is uploaded."""
    return answer(views.asset(_thing(speaker(Scope.ASSETS_READ), id)))


@ASSETS.get("/<id>/detail")
def detail(id: str) -> Response:
    """AssetDetailModel, with what is related to it."""
    who = speaker(Scope.ASSETS_READ)
    of = _thing(who, id)
    return answer(views.detail(of, _beside(who, places.RELATED, of.id) if isinstance(of, Asset) else ()))


@ASSETS.get("")
def of_content() -> Response:
    """The assets of one content record."""
    who = speaker(Scope.ASSETS_READ)
    wanted = load(Asked(), request.args.to_dict())
    found = _beside(who, places.CONTENT, wanted["content"])
    return answer({"items": [views.asset(of) for of in found], "totalItemCount": len(found)})


@ASSETS.patch("/<id>")
def describe(id: str) -> Response:
    """Change what is known of it: a folder has a name only."""
    who = speaker(Scope.ASSETS_WRITE)
    wanted = load(Properties(), json_object(request, required=True))
    of = _thing(who, id)
    if isinstance(of, Asset):
        doors().library.revise(of, lambda it, now: asset.revised(it, now, metadata=_described(it, wanted), updated_by=who.owner))
    elif isinstance(of, Folder) and (name := wanted.get("displayName")):
        doors().folders.rename(of, name, by=who.owner)
    elif not isinstance(of, Folder):
        raise UploadError(Code.INVALID, reason="the bucket has nothing to change, and what is being uploaded has not until it is there")
    return answer({"id": id})


def _described(of: Asset, wanted: dict[str, Any]) -> dict[str, Any]:
    known = {**of.metadata, **{name: value for name, value in wanted.items() if name != "customProperties"}}
    own = {**(of.metadata.get("customProperties") or {}), **wanted.get("customProperties", {})}
    return {**known, "customProperties": {name: value for name, value in own.items() if value is not None}}


@ASSETS.delete("/<id>")
def delete(id: str) -> Response:
    """Delete a file with what is related to it, or a folder with all that lies in it."""
    who = speaker(Scope.ASSETS_DELETE)
    of = _thing(who, id)
    if isinstance(of, Asset):
        doors().library.delete(of)
        _end_uploads(who, of)
        _delete_annex(who, of)
    elif isinstance(of, Folder):
        doors().folders.delete(of)
    else:
        raise UploadError(Code.INVALID, reason="the bucket and what is being uploaded cannot be deleted; an upload can be cancelled")
    return answer({"id": id})


def _end_uploads(who: Principal, of: Asset) -> None:
    """Who was about to replace it is told so at the next call, and not at the end."""
    if booking := bookings.at(who, places.whereabouts(of).alias):
        with suppress(Moved):
            starts.end_uploads(who, booking)


def _delete_annex(who: Principal, of: Asset) -> None:
    try:
        doors().folders.delete(doors().folders.folder(who, places.annex_id(places.RELATED, of.id)))
    except UploadError as refusal:
        if refusal.code not in {Code.NOT_FOUND, Code.GONE}:
            raise


@ASSETS.post("/<id>/create-folder")
def create_folder(id: str) -> Response:
    """A folder in this one; when there is one of this name already, that one: a client may ask again after a time-out."""
    who = speaker(Scope.ASSETS_WRITE)
    wanted = load(NewFolder(), json_object(request, required=True))
    made = doors().folders.ensure(who, NAME, places.split(wanted["name"], "displayName")[-1:], _inside(who, id))
    return answer({"id": made.id if made else id})


@ASSETS.post("/<id>/create-placeholder")
def create_placeholder(id: str) -> Response:
    """A place kept for a file: an upload to its name, or to its id, fills it. 400 when there is a file of this name."""
    who = speaker(Scope.ASSETS_WRITE)
    wanted = load(NewPlaceholder(), json_object(request, required=True))
    place = places.in_folder(who, _inside(who, id) or ids.bucket(who.tenant), places.split(wanted["name"], "assetName")[-1:])
    booking = bookings.at(who, place.alias)
    known = {"displayName": wanted["name"], "languageId": doors().language}
    promised = bookings.promised_by(booking) if booking else None
    made = doors().library.placeholder(who, NAME, place.name, place.parent, promised, known, (place.alias,))
    return answer({"id": made.id})


def _inside(who: Principal, id: str) -> str | None:
    """A folder, None for the bucket. Raises UploadError(NOT_FOUND)."""
    of = _thing(who, id)
    if isinstance(of, Bucket):
        return None
    if not isinstance(of, Folder):
        raise UploadError(Code.INVALID, reason="the parent is no folder")
    return of.id


def _thing(who: Principal, id: str) -> Thing:
    """What has this id. Raises UploadError(NOT_FOUND), GONE."""
    if id == ids.bucket(who.tenant):
        return Bucket(who.tenant)
    for look in (_asset, _promised, _folder):
        if found := look(who, id):
            return found
    raise UploadError(Code.NOT_FOUND, what="asset")


def _asset(who: Principal, id: str) -> Asset | None:
    try:
        return places.file(who, "id", id)
    except UploadError:
        return None


def _promised(who: Principal, id: str) -> Upload | None:
    return bookings.promise(who, id)


def _folder(who: Principal, id: str) -> Folder | None:
    try:
        return places.folder(who, "id", id)
    except UploadError:
        return None


def _beside(who: Principal, kind: str, id: str) -> Sequence[Asset]:
    """The files that belong to an asset or to a content record."""
    return doors().library.assets(who, parent=places.annex_id(kind, id), limit=MOST).items


# ---------------------------------------------------------------- bytes


@CONTENT.get("/<tenant>/<id>/<seal>/<path:name>")
def content(tenant: str, id: str, seal: str, name: str) -> Response:  # noqa: ARG001 - nothing depends on the name
    """The bytes of a file, whole or one range of them: with a seal that is ours, or with credentials of the tenant."""
    who = Principal(tenant, "") if links.sealed(tenant, id, seal) else speaker(Scope.ASSETS_READ)
    of = doors().library.asset(who, id)
    if of.dialect != NAME or of.facts is None:
        raise UploadError(Code.NOT_FOUND, what="file")
    response = transfers.send(of, of.facts, "inline")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # the vendor's URLs are shown in other sites
    return response

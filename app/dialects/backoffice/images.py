"""Asset images: what the vendor's core API makes of an uploaded file. Made, found by id, key or hash, deleted softly, restored.

A deleted image is found by nothing but its id, and by that only to be restored; its names are free, so that another may be made of the
same file meanwhile. Published are the paths of creation and of `by-id`; the others are ours, made after these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from app.core.asset import Asset, AssetState
from app.core.document import Document, revised
from app.core.errors import Code, Moved, UploadError
from app.core.policy import Principal, Scope
from app.dialects.backoffice import names
from app.dialects.backoffice.keys import speaker
from app.dialects.backoffice.names import NAME
from app.dialects.backoffice.schemas import UUID, AssetImage, new_uuid
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

ASSET_IMAGES = Blueprint("images", __name__, url_prefix="/api/core/v2/assets/images")


@ASSET_IMAGES.post("")
def create() -> Response:
    """201 with the image. 400 unless the key is of a file that this tenant uploaded, and there is no image of it yet."""
    who = speaker(Scope.ASSETS_WRITE)
    wanted = load(AssetImage(), json_object(request, required=True))
    file = uploaded(who, wanted["file_key"])
    if file is None:
        raise _invalid("file_key: There is no upload of this key.")
    body = {**wanted, "name": wanted["name"] or file.filename, "deleted_at": None}
    return _shown(_named(body, lambda claim: doors().documents.create(who, NAME, new_uuid(), body, claim)), 201)


@ASSET_IMAGES.get("/by-id/<id>")
def by_id(id: str) -> Response:
    """The image. 400 for what is no UUID."""
    of = _known(speaker(Scope.ASSETS_READ), id)
    if _deleted(of):
        raise UploadError(Code.NOT_FOUND, what="entity")
    return _shown(of)


@ASSET_IMAGES.get("/by-key/<path:key>", merge_slashes=False)
def by_key(key: str) -> Response:
    """The image of an uploaded file."""
    return _shown(_found(speaker(Scope.ASSETS_READ), names.of_key(key)))


@ASSET_IMAGES.get("/by-hash/<path:file_hash>", merge_slashes=False)
def by_hash(file_hash: str) -> Response:
    """The image that had this hash first: whoever is about to upload looks here, whether he has done so before."""
    return _shown(_found(speaker(Scope.ASSETS_READ), names.of_hash(file_hash)))


@ASSET_IMAGES.delete("/<id>")
@ASSET_IMAGES.delete("/by-id/<id>")
def delete(id: str) -> Response:
    """The image, deleted softly. 404 when it is already."""
    of = _known(speaker(Scope.ASSETS_DELETE), id)

    def change(current: Document, now: float) -> Document:
        if _deleted(current):
            raise Moved(Code.NOT_FOUND, what="entity")
        return revised(current, now, body={**current.body, "deleted_at": now})

    return _shown(doors().documents.revise(of, change, drop=_names(of.body)))


@ASSET_IMAGES.post("/<id>/restore")
@ASSET_IMAGES.post("/by-id/<id>/restore")
def restore(id: str) -> Response:
    """The image, back again, or as it is when it was not deleted. 400 when another was made of the same file meanwhile."""
    of = _known(speaker(Scope.ASSETS_WRITE), id)
    if not _deleted(of):
        return _shown(of)

    def change(current: Document, now: float) -> Document:
        return revised(current, now, body={**current.body, "deleted_at": None})

    return _shown(_named(of.body, lambda claim: doors().documents.revise(of, change, claim=claim)))


def uploaded(who: Principal, key: str) -> Asset | None:
    """The file of this key, if this tenant has uploaded one and it is there."""
    try:
        found = doors().library.find(who, names.of_file(key))
    except UploadError:
        return None
    return found if isinstance(found, Asset) and found.state is AssetState.READY else None


def _known(who: Principal, id: str) -> Document:
    """The image of this id, deleted or not. Raises UploadError: INVALID (no UUID), NOT_FOUND."""
    if not UUID.fullmatch(id):
        raise _invalid("Invalid UUID")
    return doors().documents.document(who, NAME, id.lower())


def _found(who: Principal, name: str) -> Document:
    found = doors().library.find(who, name)
    if not isinstance(found, Document):
        raise UploadError(Code.NOT_FOUND, what="entity")
    return found


def _named(body: Mapping[str, Any], act: Callable[[tuple[str, ...]], Document]) -> Document:
    """What `act` gives with the names that it may claim: the key's, and the hash's unless another image has it. Raises UploadError(INVALID)."""
    for claim in (_names(body), _names(body)[:1]):
        try:
            return act(claim)
        except Moved as refusal:
            if refusal.code is not Code.EXISTS:
                raise
    raise _invalid("file_key: There is an asset image of this key already.")


def _names(body: Mapping[str, Any]) -> tuple[str, ...]:
    by_hash = (names.of_hash(body["file_hash"]),) if body["file_hash"] else ()
    return (names.of_key(body["file_key"]), *by_hash)


def _deleted(of: Document) -> bool:
    return of.body["deleted_at"] is not None


def _invalid(said: str) -> UploadError:
    return UploadError(Code.INVALID, reason=said, errors=[said])


def _shown(of: Document, status: int = 200) -> Response:
    return answer({"data": view(of)}, status)


def view(of: Document) -> dict[str, object]:
    """The vendor's asset image."""
    body = of.body
    said = {name: body[name] for name in ("file_key", "file_hash", "name", "gravity", "locales")}
    times = {"inserted_at": of.created_at, "updated_at": of.updated_at, "deleted_at": body["deleted_at"]}
    return {"id": of.id, **said, **{name: None if at is None else _moment(at) for name, at in times.items()}}


def _moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

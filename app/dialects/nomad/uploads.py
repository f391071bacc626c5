"""Uploads: begun, their parts confirmed, completed, cancelled, listed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from app.core import parts
from app.core.asset import Asset
from app.core.errors import Code, UploadError, refuse
from app.core.operation import Operation, Status
from app.core.policy import Principal, Scope
from app.core.upload import State, Upload
from app.dialects.nomad import bookings, ids, intake, places, starts, views
from app.dialects.nomad.account import speaker
from app.dialects.nomad.intake import Waiting
from app.dialects.nomad.places import NAME, Place
from app.dialects.nomad.schemas import Listing, PartDone, Start, StartRelated
from app.dialects.nomad.starts import Wanted
from app.web import patience
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

log = logging.getLogger(__name__)

UPLOADS = Blueprint("uploads", __name__, url_prefix="/api/asset/upload")
MINE = Blueprint("mine", __name__, url_prefix="/api/admin/asset/upload")

ELSEWHERE = frozenset({"existing", "content"})  # what says where a file goes in the place of parent and path
LONGEST_MESSAGE = 500  # characters of a reason to cancel that the log gets


# ---------------------------------------------------------------- begun


@UPLOADS.post("/start")
def start() -> Response:
    """The upload with the URLs of its parts, whose bytes go there; those of a form are there already."""
    who = speaker(Scope.UPLOADS_WRITE)
    with intake.received(request) as (fields, file):
        asked = load(Start(), fields)
        return _begun(who, _wanted(who, asked, file), file)


@UPLOADS.post("/start-related-asset")
def start_related() -> Response:
    """The same for a file that belongs to an asset."""
    who = speaker(Scope.UPLOADS_WRITE)
    with intake.received(request) as (fields, file):
        asked = load(StartRelated(), fields)
        return _begun(who, _related(who, asked, file), file)


def _begun(who: Principal, wanted: Wanted, file: Waiting | None) -> Response:
    up = starts.start(who, wanted)
    if file:
        intake.stage(up, file)
    return answer(views.upload(up))


def _wanted(who: Principal, asked: Mapping[str, Any], file: Waiting | None) -> Wanted:
    path = _path(asked, file)
    about = {
        "displayName": asked.get("display_name") or (path[-1] if path else None),
        "languageId": asked.get("language", doors().language),
        "relatedContentId": asked.get("content"),
    }
    length, size = _sizes(asked, file)

    def find() -> Place:
        if existing := asked.get("existing"):
            return bookings.place_of(who, "existingAssetId", existing)
        if content := asked.get("content"):
            return places.beside(who, places.CONTENT, content, places.called(about["displayName"], content))
        return places.in_folder(who, asked.get("parent"), path)

    if not path and not asked.keys() & ELSEWHERE:
        raise _invalid("file: is required, unless existingAssetId or relatedContentId is given")
    return Wanted(asked["option"], length, size, find, _said(about), asked["replacements"])


def _related(who: Principal, asked: Mapping[str, Any], file: Waiting | None) -> Wanted:
    path, owner = _path(asked, file), asked["owner"]
    about = {
        "displayName": path[-1] if path else None,
        "languageId": asked.get("language", doors().language),
        "metadataType": asked.get("metadata_type"),
        "relatedTo": owner,
    }
    length, size = _sizes(asked, file)

    def find() -> Place:
        places.file(who, "existingAssetId", owner)
        if existing := asked.get("existing"):
            place = bookings.place_of(who, "relatedAssetId", existing)
            if place.parent != places.annex_id(places.RELATED, owner):
                raise _invalid("relatedAssetId: is not related to existingAssetId")
            return place
        return places.beside(who, places.RELATED, owner, path[-1])

    if not path and "existing" not in asked:
        raise _invalid("relativePath: is required, unless relatedAssetId is given")
    return Wanted(asked["option"], length, size, find, _said(about))


def _path(asked: Mapping[str, Any], file: Waiting | None) -> tuple[str, ...]:
    """Folders and name, as far as they are told. What is wrong with them counts only where they do."""
    try:
        return _told(asked.get("path") or asked.get("file") or "", (file.filename if file else None) or "")
    except UploadError:
        if asked.keys() & ELSEWHERE:
            return ()
        raise


def _told(path: str, filename: str) -> tuple[str, ...]:
    """A path that ends with a slash is the folder for the file of a form."""
    folder = path.endswith(("/", "\\"))
    if folder and not filename:
        raise _invalid("relativePath: names a folder, and no file in it")
    told = path + filename if folder else path or filename
    return places.split(told) if told else ()


def _sizes(asked: Mapping[str, Any], file: Waiting | None) -> tuple[int, int]:
    """The length of the file and of its parts, in bytes."""
    length: int | None = file.size if file else asked.get("length")
    if length is None:
        raise _invalid("contentLength: is required")
    return length, starts.part_size(length, asked.get("chunk"))


def _said(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if value is not None}


def _invalid(reason: str) -> UploadError:
    return UploadError(Code.INVALID, reason=reason, errors=[reason])


# ---------------------------------------------------------------- under way


@UPLOADS.post("/part/<id>/complete")
def part_done(id: str) -> Response:
    """The client says that it sent a part, with what the PUT answered: 400 when that is not what is held. As often as it likes."""
    who = speaker(Scope.UPLOADS_WRITE)
    upload_id, number = ids.upload_of(id)
    asked = load(PartDone(), json_object(request, required=True))
    up = _mine(who, upload_id)
    parts.slot(number, up.part_size, up.length, up.policy.max_parts)
    if up.state in {State.CANCELLED, State.EXPIRED}:
        raise UploadError(Code.UPLOAD_CANCELLED if up.state is State.CANCELLED else Code.UPLOAD_EXPIRED)
    part = doors().reception.held(up, number).held.get(number)
    if part is None:
        raise UploadError(Code.PARTS_MISSING, missing=[number])
    if asked["etag"].strip('"') != part.etag.strip('"'):
        raise _invalid("etag: is not the one of the part that is held")
    return Response(status=200)


@UPLOADS.post("/<id>/complete")
def complete(id: str) -> Response:
    """Every part is there: the asset, when the worker is done; 202 when that takes longer. As often as the client likes."""
    up = _mine(speaker(Scope.UPLOADS_WRITE), id)
    op = doors().reception.finish(up)
    if alike := _alike(up):
        log.warning("parts have the same bytes", extra={"upload": up.id, "parts": alike})
    return _outcome(patience.settled(op, NAME), up, alike)


@UPLOADS.post("/<id>/cancel")
def cancel(id: str) -> Response:
    """Give it up, with what was staged. One that is complete, or over, stays as it is: the client cancels also after the end."""
    up = _mine(speaker(Scope.UPLOADS_WRITE), id)
    if up.state is State.OPEN:
        starts.give_up(up)
        bookings.leave(up)
        log.info("cancelled by its client", extra={"upload": up.id, "reason": request.args.get("message", "")[:LONGEST_MESSAGE]})
    return Response(status=200)


def outcome(op: Operation, up: Upload) -> Response:
    """The vendor's answer to a completed upload; 202 while the worker has it. Raises UploadError when it came to nothing."""
    return _outcome(op, up, _alike(up))


def _outcome(op: Operation, up: Upload, alike: list[list[int]]) -> Response:
    shown: dict[str, object] = {"items": [{"id": next(iter(op.asset_ids), up.metadata["asset"])}], "totalItemCount": 1}
    if alike:
        shown["warnings"] = [f"parts {', '.join(map(str, numbers))} have the same bytes" for numbers in alike]
    if not op.final:
        return patience.promised(op, shown, NAME)
    bookings.leave(up)
    if op.status is Status.CANCELLED:
        raise UploadError(Code.UPLOAD_CANCELLED)
    if op.problem:
        raise refuse(op.problem)
    return answer(shown)


def _alike(up: Upload) -> list[list[int]]:
    """Parts of the same bytes: the vendor's client shares one open file among its threads, and now and then one reads another's slice.

    Their lengths are right, and a file may well repeat itself: so this is told, and refuses nothing.
    """
    finished = doors().library.upload(Principal(up.tenant, up.owner), up.id)
    return parts.twins(doors().reception.held(finished).held) if finished.state is State.FINISHED else []


# ---------------------------------------------------------------- listed


@MINE.get("")
def listed() -> Response:
    """The caller's uploads, newest first: those under way, and on demand those that are complete."""
    who = speaker(Scope.UPLOADS_READ)
    wanted = load(Listing(), request.args.to_dict())
    mine = [up for up in doors().library.uploads(who, NAME) if up.owner == who.owner]
    shown = [up for up in mine if _under_way(up) or (wanted["finished"] and up.state is State.FINISHED)]
    return answer([views.upload(up, _etag(who, up)) for up in shown])


@MINE.get("/<id>")
def upload_parts(id: str) -> Response:
    """The parts of an upload, with fresh URLs."""
    return answer(views.upload_parts(_mine(speaker(Scope.UPLOADS_READ), id)))


def _under_way(up: Upload) -> bool:
    return up.state is State.OPEN and doors().now() <= up.expires_at


def _etag(who: Principal, up: Upload) -> str | None:
    """Of the file that the upload became."""
    if up.state is not State.FINISHED:
        return None
    try:
        of: Asset = doors().library.asset(who, up.metadata["asset"])
    except UploadError:
        return None
    return f'"{of.facts.digest.removeprefix("sha256:")}"' if of.facts and of.upload_id == up.id else None


def _mine(who: Principal, id: str) -> Upload:
    """An upload of the caller. Raises UploadError(NOT_FOUND), GONE when it is purged."""
    up = doors().library.upload(who, id)
    if (up.dialect, up.owner) != (NAME, who.owner):
        raise UploadError(Code.NOT_FOUND, what="upload")
    return up

"""The start of an upload: a new one, or the caller's unfinished one to the same place, as the overwrite option says.

========  ==============================  =============================================  ==============
option    the caller's is unfinished      else, an asset with bytes is there             else
========  ==============================  =============================================  ==============
Continue  that one, with fresh URLs       a new one; the asset serves until it settles   a new one
Replace   cancelled, and a new one        a new one; the asset serves until it settles   a new one
Cancel    cancelled, and no new one       400                                            a new one
========  ==============================  =============================================  ==============

AssetReplace is Replace. The page's "cancels an uploading asset" and the specification's "error if the file exists" are both kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.core import keys, parts
from app.core.document import Document
from app.core.errors import Code, Moved, UploadError
from app.core.policy import Principal
from app.core.reception import Opening
from app.core.target import Target
from app.core.upload import Upload
from app.dialects.nomad import bookings, ids, places
from app.dialects.nomad.places import NAME, Place
from app.web.dialect import doors

TRIES = 20  # a race is lost only to somebody who won it
QUICKER = frozenset({Code.EXISTS, Code.PRECONDITION, Code.NOT_FOUND})  # somebody made, wrote or removed the booking meanwhile


@dataclass(frozen=True, slots=True)
class Wanted:
    """A start call, checked: its option, the length of the file and of its parts in bytes, what is to be known of the asset.

    `find`: looks the place up, anew whenever it is asked. `replacements`: what of `about` an asset that is there gets too.
    """

    option: str
    length: int
    part_size: int
    find: Callable[[], Place]
    about: Mapping[str, Any]
    replacements: frozenset[str] = frozenset()


def start(who: Principal, wanted: Wanted) -> Upload:
    """The upload that the answer is about. Raises UploadError: INVALID (a file is there, too), TOO_LARGE, LOCKED."""
    bookings.sweep(who)
    for _ in range(TRIES):
        place = wanted.find()
        booking = bookings.at(who, place.alias)
        try:
            return CHOICES[wanted.option](_Standing(who, wanted, place, booking, bookings.running(who, booking)))
        except Moved as moved:
            if moved.code not in QUICKER:
                raise
    raise UploadError(Code.LOCKED)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of the place when a start call comes."""

    who: Principal
    wanted: Wanted
    place: Place
    booking: Document | None
    running: Upload | None


def _continue(at: _Standing) -> Upload:
    if at.running is None:
        return _new(at)
    if at.running.length != at.wanted.length:
        reason = f"contentLength: the upload that is to be continued has {at.running.length} bytes"
        raise UploadError(Code.INVALID, reason=reason, errors=[reason])
    return at.running


def _replace(at: _Standing) -> Upload:
    new = _new(at)
    if at.running:
        give_up(at.running)
    return new


def _cancel(at: _Standing) -> Upload:
    if at.running:
        give_up(at.running)
        bookings.leave(at.running)
        return doors().library.upload(at.who, at.running.id)
    if places.ready(at.place.there):
        reason = f"there is already a file at {at.place.name}"
        raise UploadError(Code.INVALID, reason=reason, errors=[reason])
    return _new(at)


CHOICES: Mapping[str, Callable[[_Standing], Upload]] = {
    "Cancel": _cancel,
    "Continue": _continue,
    "Replace": _replace,
    "AssetReplace": _replace,
}


def _new(at: _Standing) -> Upload:
    """A new upload, in the booking of its place. Raises Moved when somebody was quicker; nothing is left then."""
    there = at.place.there
    asset_id = there.id if there else _promised(at.who, at.booking) if at.booking else keys.new_id()
    up = doors().reception.open(at.who, NAME, doors().policies[NAME], _opening(at, asset_id))
    try:
        bookings.book(at.who, at.place, at.booking, up, asset_id)
    except BaseException:
        doors().reception.withdraw(up)
        raise
    return up


def _promised(who: Principal, booking: Document) -> str:
    """The asset that will be there. Raises Moved when it was there and is deleted by now: that booking ends, for whoever tries again."""
    promised = bookings.promised_by(booking)
    try:
        doors().library.any_asset(who, promised)
    except UploadError as refusal:
        if refusal.code is Code.NOT_FOUND:
            return promised
    end_uploads(who, booking)
    raise Moved(Code.PRECONDITION)


def end_uploads(who: Principal, booking: Document) -> None:
    """Remove a booking and cancel its uploads: the asset that they were to replace is gone. Raises Moved when somebody was quicker."""
    for up in bookings.end(who, booking):
        give_up(up)


def _opening(at: _Standing, asset_id: str) -> Opening:
    """An asset that is there keeps its id, its place and what is known of it, but for what the request replaces."""
    there, wanted = at.place.there, at.wanted
    known = {**there.metadata, **_replaced(wanted)} if there else dict(wanted.about)
    target = Target(
        asset_id=asset_id,
        replace=there is not None,
        rename=there is not None and known != there.metadata,
        metadata=known,
        parent=at.place.parent,
        by_alias=at.place.alias,
    )
    return Opening(
        filename=at.place.name,
        length=wanted.length,
        planned=True,
        part_size=wanted.part_size,
        id=ids.new_upload(),
        target=target,
        metadata={"place": at.place.alias, "asset": asset_id, "parent": at.place.parent, **dict(wanted.about)},
    )


def _replaced(wanted: Wanted) -> dict[str, Any]:
    """What an existing asset gets of the request. The renditions of old bytes end with them, so RecreateThumbnail needs nothing done."""
    asked = {
        "displayName": "ReplaceDisplayName" in wanted.replacements,
        "languageId": "ReplaceLanguage" in wanted.replacements,
        "relatedContentId": "relatedContentId" in wanted.about,
        "metadataType": "metadataType" in wanted.about,
    }
    found = {name: wanted.about[name] for name, yes in asked.items() if yes and name in wanted.about}
    if "ReplaceDisplayDate" in wanted.replacements:
        found["displayDate"] = datetime.fromtimestamp(doors().now(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return found


def give_up(up: Upload) -> None:
    """Cancel an upload, with its staged parts, unless its work was done at this moment. One that was just completed comes to nothing."""
    with suppress(Moved):
        doors().reception.cancel(doors().library.operation(Principal(up.tenant, up.owner), up.operation_id))


def part_size(length: int, chunk: int | None) -> int:
    """The size of the parts in bytes, by the chunk that the client wants. Raises UploadError(INVALID) for what cannot be."""
    policy = doors().policies[NAME]
    chunk = chunk or policy.part_size
    if length > chunk and chunk < parts.SMALLEST_PART:
        raise _bad_chunk(f"must be at least {parts.SMALLEST_PART} bytes, unless there is one part")
    if parts.count_of(length, chunk) > policy.max_parts:
        raise _bad_chunk(f"makes more than {policy.max_parts} parts")
    if min(chunk, length) > parts.LARGEST_PART:
        raise _bad_chunk(f"must be at most {parts.LARGEST_PART} bytes")
    return max(parts.SMALLEST_PART, min(chunk, parts.LARGEST_PART))


def _bad_chunk(what: str) -> UploadError:
    reason = f"chunkSize: {what}"
    return UploadError(Code.INVALID, reason=reason, errors=[reason])

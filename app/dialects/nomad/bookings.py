"""Who is uploading to a place: a document for each place, which is gone when the last of its uploads is over.

It says which asset will be there, so that everybody who begins at the same time is told the same id, and which upload is whose, so that
`continue` finds it. Two starts at once both try to write it, and the one that comes second begins again from what it then reads::

    {"asset": the id that was promised, "uploads": {owner: the id of his upload}}

It is found by its place, and by the asset that it promises. One whose uploads expired is removed by a later start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress

from app.core import document
from app.core.document import Document
from app.core.errors import Code, Moved, UploadError
from app.core.policy import Principal
from app.core.upload import State, Upload
from app.dialects.nomad import places
from app.dialects.nomad.places import NAME, Place
from app.web.dialect import doors

SWEPT = 5  # so many of the oldest bookings a start looks at


def at(who: Principal, alias: str) -> Document | None:
    """The booking of a place."""
    try:
        return doors().documents.document(who, NAME, _id(alias))
    except UploadError:
        return None


def promised_by(booking: Document) -> str:
    """The id of the asset that will be there."""
    return str(booking.body["asset"])


def running(who: Principal, booking: Document | None) -> Upload | None:
    """The principal's own upload to the place that still takes bytes."""
    mine = _uploads(booking).get(who.owner) if booking else None
    found = _upload(who, mine) if mine else None
    return found if found and _takes_bytes(found) else None


def book(who: Principal, place: Place, seen: Document | None, up: Upload, asset_id: str) -> None:
    """Put the upload into the booking as it was seen. Raises Moved (EXISTS, PRECONDITION, NOT_FOUND) when somebody was quicker."""
    if seen is None:
        body = {"asset": asset_id, "uploads": {who.owner: up.id}}
        doors().documents.create(who, NAME, _id(place.alias), body, aliases=(_promise(asset_id),))
    else:
        _write(seen, {**_uploads(seen), who.owner: up.id})


def leave(up: Upload) -> None:
    """The upload is over. When somebody else changes the booking at this moment it stays in there, which does no harm."""
    who = Principal(up.tenant, up.owner)
    booking = at(who, str(up.metadata.get("place", "")))
    if booking is None or _uploads(booking).get(up.owner) != up.id:
        return
    others = {owner: each for owner, each in _uploads(booking).items() if owner != up.owner}
    with suppress(Moved):
        if others:
            _write(booking, others)
        else:
            _remove(booking)


def end(who: Principal, booking: Document) -> list[Upload]:
    """Remove the booking; the uploads in it that still took bytes. Raises Moved when somebody was quicker."""
    _remove(booking)
    found = [up for each in _uploads(booking).values() if (up := _upload(who, each))]
    return [up for up in found if _takes_bytes(up)]


def promise(who: Principal, asset_id: str) -> Upload | None:
    """An upload that is about to become the asset of this id, or that a worker has."""
    try:
        booking = doors().library.find(who, _promise(asset_id))
    except UploadError:
        return None
    uploads = _uploads(booking).values() if isinstance(booking, Document) else ()
    found = [up for each in uploads if (up := _upload(who, each))]
    return next((up for up in found if _at_work(up) or _takes_bytes(up)), None)


def place_of(who: Principal, field: str, asset_id: str) -> Place:
    """The place of an asset that is there, or that is promised. Raises UploadError(INVALID), naming the `field`."""
    try:
        return places.of_asset(who, field, asset_id)
    except UploadError:
        up = promise(who, asset_id)
        if up is None:
            raise
        return Place(up.metadata["parent"], up.filename or places.NAMELESS, up.metadata["place"], None)


def sweep(who: Principal) -> None:
    """Remove what is left of expired uploads among the oldest bookings."""
    before = doors().now() - doors().policies[NAME].upload_ttl
    for booking in doors().documents.list(who, NAME, 0, SWEPT, newest=False).items:
        if booking.updated_at < before and not _alive(who, booking):
            with suppress(Moved):
                _remove(booking)


def _alive(who: Principal, booking: Document) -> bool:
    return any((up := _upload(who, each)) and _takes_bytes(up) for each in _uploads(booking).values())


def _write(booking: Document, uploads: Mapping[str, str]) -> None:
    def change(current: Document, now: float) -> Document:
        _require_same(booking, current)
        return document.revised(current, now, body={**current.body, "uploads": dict(uploads)})

    doors().documents.revise(booking, change)


def _remove(booking: Document) -> None:
    doors().documents.delete(booking, guard=lambda current: _require_same(booking, current))


def _require_same(seen: Document, current: Document) -> None:
    """Raise Moved(PRECONDITION) unless nobody wrote since. Revisions begin at 1 again in a booking that was removed and made anew; uploads do not."""
    if current.body != seen.body:
        raise Moved(Code.PRECONDITION, version=current.revision)


def _uploads(booking: Document) -> Mapping[str, str]:
    return dict(booking.body["uploads"])


def _upload(who: Principal, id: str) -> Upload | None:
    try:
        return doors().library.upload(who, id)
    except UploadError:
        return None


def _takes_bytes(up: Upload) -> bool:
    return up.state is State.OPEN and doors().now() <= up.expires_at


def _at_work(up: Upload) -> bool:
    """Whether a worker has it, or will; afterwards its staged bytes are condemned, whatever it came to."""
    return up.state is State.FINISHED and up.doomed_at is None


def _id(alias: str) -> str:
    return hashlib.sha256(alias.encode()).hexdigest()


def _promise(asset_id: str) -> str:
    return f"nomad:promised:{asset_id}"

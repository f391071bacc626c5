"""Bytes whose number nobody knows beforehand, looked after while they come: where the quota ends, so does the body."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.core.errors import Code, UploadError
from app.core.ports import Change
from app.core.tally import weight
from app.core.upload import changed, still_open

if TYPE_CHECKING:
    from app.core.ports import Records, Tick
    from app.core.upload import Upload

LOOK = 1.0  # seconds between two looks; what comes in less is judged by its commit alone


class Meter:
    """Ticks along with a write to an upload. The commit of what came judges exactly; this spares the disk what it would refuse anyway."""

    def __init__(self, records: Records, up: Upload) -> None:
        self._records, self._tenant, self._counted = records, up.tenant, weight(up).flight
        self._look_at = time.monotonic() + LOOK

    def __call__(self, offset: int) -> None:
        """Raise UploadError(QUOTA_EXCEEDED) when so many bytes are more than is left."""
        if time.monotonic() < self._look_at:
            return
        standing = self._records.standing(self._tenant)
        if standing.left is not None and offset - self._counted > standing.left:
            raise UploadError(Code.QUOTA_EXCEEDED, quota="bytes", used=standing.tally.bytes, limit=standing.limits.bytes)
        self._look_at = time.monotonic() + LOOK


def reserve(records: Records, up: Upload, end: int) -> None:
    """Parts may come up to `end` although nobody said how many bytes there are. Raises UploadError(QUOTA_EXCEEDED), Moved."""
    if up.length is not None or end <= up.reserved:
        return

    def step(current: Upload | None) -> Change:
        found = still_open(current, records.now())
        more = found.length is None and end > found.reserved
        return Change(put=(changed(found, reserved=end),), charge=True) if more else Change()

    records.commit([up.ref], step)


def metered(records: Records, up: Upload, tick: Tick) -> Tick:
    """`tick`, and the meter beside it where the length is not known: announced bytes are counted already."""
    if up.length is not None:
        return tick
    meter = Meter(records, up)

    def both(offset: int) -> None:
        tick(offset)
        meter(offset)

    return both

"""The bytes of an upload that a worker fetches from the URL which its client named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core import operation, upload
from app.core.errors import Busy, Code, Moved, UploadError
from app.core.metering import metered
from app.core.operation import Operation
from app.core.parts import Parts
from app.core.ports import Change, Fetcher, Records, Store, Written
from app.core.upload import Upload

if TYPE_CHECKING:
    from app.core.lease import Lease


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetching again begins at the first byte, and leaves the same."""

    records: Records
    store: Store
    fetcher: Fetcher

    def fetched(self, op: Operation, up: Upload, lease: Lease) -> tuple[Upload, Parts]:
        """The upload with all its bytes staged. Raises UploadError: FETCH_REFUSED, FETCH_FAILED, TOO_LARGE, QUOTA_EXCEEDED, EMPTY; Busy; Lost."""
        limit = up.policy.max_bytes
        try:
            with self.fetcher.fetch(up.source or "", limit) as body:
                tick = metered(self.records, up, lambda _: lease.check())
                written = self.store.write(up.staged, 0, up.part_size, body, limit + 1, tick)
        except UploadError as refusal:
            if refusal.code is Code.LOCKED:
                raise Busy("another worker still writes these bytes") from refusal
            raise
        if written.offset > limit:
            raise UploadError(Code.TOO_LARGE, limit=limit)
        if written.offset == 0:
            raise UploadError(Code.EMPTY)
        return self._kept(op, up, written)

    def _kept(self, op: Operation, up: Upload, written: Written) -> tuple[Upload, Parts]:
        """Recorded, so that whoever ends the upload knows what to remove."""
        whole = upload.changed(up, staged=written.staged, length=written.offset, offset=written.offset)
        table = Parts(up.tenant, up.id, {part.number: part for part in written.parts})

        def step(current: Operation | None, there: Upload | None, _parts: Parts | None) -> Change:
            if current is None or there is None:
                raise Moved(Code.GONE, what="upload")
            operation.own(current, op.attempt)
            return Change(put=(upload.changed(there, staged=whole.staged, length=whole.length, offset=whole.offset), table), charge=True)

        self.records.commit([op.ref, up.ref, up.parts_ref], step)
        return whole, table

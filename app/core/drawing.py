"""Makes a rendition, in a worker: claim → read the asset's bytes → draw → place → settle.

Each step may be repeated by another attempt and leaves the same. Whoever finds that nobody waits for it any more (the asset went, its bytes
changed, the entry made room for others) ends the operation, and its blob with it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from app.core import asset, endings, operation, renditions
from app.core.asset import Asset, AssetState, Blob, BlobState
from app.core.carrying import Carrying
from app.core.errors import Code, Moved, StoreDown, UploadError, problem
from app.core.facts import Facts
from app.core.lease import Lease
from app.core.operation import Operation, Progress, Status
from app.core.ports import Change, Gauge, Records, Renderer, Store
from app.core.refs import Kind, Ref
from app.core.renditions import Order, Renditions, entry_of, renditions_ref

UPRIGHT = 1


@dataclass(frozen=True, slots=True)
class Drawing:
    """The worker's hands."""

    records: Records
    store: Store
    renderer: Renderer
    gauge: Gauge
    carrying: Carrying

    def draw(self, tenant: str, operation_id: str) -> None:
        """All the work of one message. A message that comes twice, or too late, changes nothing.

        Refusals and faults end in the operation; nothing is raised but bugs, and RecordsDown when not even the claim could be made.
        """
        op: Operation | None = self.records.get(Ref(Kind.OPERATION, tenant, operation_id))
        if op is None or op.order is None or op.status is not Status.QUEUED:
            return
        order, claimed = op.order, self._claim(op, op.order)
        if claimed is not None:
            self.carrying.carry(claimed, endings.refs(op), lambda lease: self._work(claimed, order, lease))

    def _claim(self, op: Operation, order: Order) -> Operation | None:
        """The operation, started; None when it is another's, or nobody waits for its rendition any more."""

        def step(current: Operation | None, of: Asset | None, known: Renditions | None, blob: Blob | None) -> Change:
            now = self.records.now()
            if current is None or current.status is not Status.QUEUED:
                raise Moved(Code.FINAL)
            if not _awaited(op, order, of, known):
                return endings.refused(current, None, blob, problem(Code.GONE, what="rendition"), now)
            started = replace(operation.claim(current, now), progress=Progress("started", 0, order.size))
            return Change(put=(started,) if blob else (started, Blob(order.key, op.tenant)))

        try:
            change = self.records.commit(_refs(op, order), step)
        except Moved:
            return None
        claimed = next(entity for entity in change.put if isinstance(entity, Operation))
        return None if claimed.final else claimed

    def _work(self, op: Operation, order: Order, lease: Lease) -> None:
        lease.stage("reading")
        with self._source(order) as source, tempfile.TemporaryFile() as out:
            lease.stage("rendering")
            drawn = self.renderer.render(source, order.media_type, order.spec, out, lease.check)
            size, digest = out.seek(0, os.SEEK_END), self.gauge.digest(out)
            lease.stage("storing")
            self.store.place(order.key, out)
        lease.check()
        media_type = order.spec.media_type or order.media_type
        self._settle(op, order, Facts(size, digest, media_type, drawn.width, drawn.height, drawn.frames, UPRIGHT, drawn.has_alpha))

    @contextlib.contextmanager
    def _source(self, order: Order) -> Iterator[BinaryIO]:
        """The asset's bytes as a file: the store's own, or an unlinked copy."""
        with self.store.fetch(order.source, 0, order.size) as fetched:
            if fetched.file is not None:
                yield fetched.file
                return
            with tempfile.TemporaryFile() as copy:
                if sum(copy.write(chunk) for chunk in fetched.chunks) != order.size:
                    raise StoreDown("bytes at rest did not come whole")
                yield copy

    def _settle(self, op: Operation, order: Order, facts: Facts) -> None:
        """Raises Moved when the operation is another's; UploadError(GONE) when nobody waits for its rendition any more."""

        def step(current: Operation | None, of: Asset | None, known: Renditions | None, blob: Blob | None) -> Change:
            if current is None or blob is None or blob.state is not BlobState.PROMOTING:
                raise Moved(Code.GONE, what="operation")
            operation.own(current, op.attempt)
            if known is None or not _awaited(op, order, of, known):
                raise UploadError(Code.GONE, what="rendition")
            done = Progress("completed", facts.size, facts.size)
            ended = operation.finish(current, Status.COMPLETED, self.records.now(), progress=done)
            rests = asset.live(blob, facts)
            written = (ended, renditions.made(known, order.spec.key(), facts), rests)
            return Change(put=written, hold=((rests.ref, op.asset_ids[0]),), charge=True)

        self.records.commit(_refs(op, order), step)


def _refs(op: Operation, order: Order) -> list[Ref]:
    of = op.asset_ids[0]
    return [op.ref, Ref(Kind.ASSET, op.tenant, of), renditions_ref(op.tenant, of), Ref(Kind.BLOB, op.tenant, order.key)]


def _awaited(op: Operation, order: Order, of: Asset | None, known: Renditions | None) -> bool:
    """Whether the asset is there with the same bytes, and the entry is still this operation's."""
    if of is None or of.state is not AssetState.READY or of.blob != order.source:
        return False
    entry = entry_of(known, order.source, order.spec.key())
    return entry is not None and entry.operation_id == op.id

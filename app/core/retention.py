"""Removes what nobody kept, and sends again what nobody picked up.

Every sweep walks an index of what is due, in batches, and ends itself after SWEEP seconds. Each item is one commit that looks at the record
again before it moves it; only then bytes go. So any sweep may run twice at once, and die anywhere.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core import attaching, endings, holding, keys, timing, upload
from app.core.asset import Asset, Blob, BlobState
from app.core.describing import Describing
from app.core.errors import Code, Fault, Moved, problem
from app.core.library import Library
from app.core.operation import ATTACH, RENDER, Operation
from app.core.ports import Change, Entity, Records, Store
from app.core.refs import Index, Kind, Ref
from app.core.upload import State, Upload

log = logging.getLogger(__name__)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Swept:
    """What one pass did: how many items, in how many seconds, whether it left some for the next, and how many it could not deal with."""

    name: str
    done: int
    seconds: float
    more: bool
    stuck: int = 0


@dataclass(slots=True)
class Pass:
    """One pass of one sweep: its time, its count."""

    name: str
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    stuck: int = 0
    more: bool = False

    def over(self) -> bool:
        """Whether its time is up."""
        self.more = self.more or time.monotonic() - self.began > timing.SWEEP
        return self.more

    def report(self) -> Swept:
        """What it did; logged when it did something."""
        swept = Swept(self.name, self.done, round(time.monotonic() - self.began, 3), self.more, self.stuck)
        log.log(
            logging.INFO if swept.done else logging.DEBUG,
            "swept",
            extra={"sweep": swept.name, "done": swept.done, "seconds": swept.seconds, "more": swept.more},
        )
        return swept


@dataclass(frozen=True, slots=True)
class Retention:
    """The keeper's hands."""

    records: Records
    store: Store

    def sweep(self, name: str, index: Index, each: Callable[[Ref, float], None], overdue: float = 0.0) -> Swept:
        """Call `each` for everything that has been due in `index` for `overdue` seconds, until nothing is, or the time is up.

        What `each` leaves where it is (Moved, a Fault, a bug that it meets) does not stand in the way of what comes after it.
        """
        this, seen = Pass(name), set[tuple[Ref, float]]()
        while not this.over():
            batch = self.records.due(index, self.records.now() - overdue, BATCH + this.stuck)
            fresh = [due for due in batch if due not in seen]
            for due in fresh:
                seen.add(due)
                self._one(this, due, each)
                if this.over():
                    break
            if not fresh:
                break
        return this.report()

    def _one(self, this: Pass, due: tuple[Ref, float], each: Callable[[Ref, float], None]) -> None:
        this.stuck += 1
        try:
            each(*due)
            this.stuck -= 1
            this.done += 1
        except Moved:
            log.debug("moved on meanwhile", extra={"sweep": this.name, "ref": due[0].id})
        except Fault as fault:
            log.warning("sweep left one behind", extra={"sweep": this.name, "ref": due[0].id, "reason": str(fault)})
        except Exception:  # ours: one record that brings it out must not stop the sweep for all others, and for ever
            log.exception("sweep failed on one", extra={"sweep": this.name, "ref": due[0].id})

    # ------------------------------------------------------------ uploads, assets, operations

    def expire_uploads(self) -> Swept:
        """Open uploads past their deadline: the operation fails, the bytes go."""
        return self.sweep("expire_uploads", Index.EXPIRY_UPLOADS, self._expire)

    def _expire(self, ref: Ref, at: float) -> None:
        up: Upload | None = self.records.get(ref)
        if up is None:
            self.records.settle_index(Index.EXPIRY_UPLOADS, [(ref, at)])
            return
        if up.kept and up.state is State.FINISHED:
            self._expire_kept(up)
            return

        def step(current: Upload | None, op: Operation | None) -> Change:
            if current is None:
                raise Moved(Code.GONE, what="upload")
            return endings.expired(op, current, problem(Code.UPLOAD_EXPIRED), self.records.now())

        self.records.commit([ref, up.operation_ref], step)
        self._free_upload(ref)

    def _expire_kept(self, up: Upload) -> None:
        """Nothing of its work may be under way: neither the measuring of its bytes, nor an asset that is to have them."""
        contents = {up.blob: up.facts.digest} if up.blob and up.facts else {}
        refs = [up.ref, up.operation_ref, *holding.blob_refs(up.tenant, contents)]

        def step(*entities: Entity | None) -> Change:
            found, now = dict(zip(refs, entities, strict=True)), self.records.now()
            current, op = found[up.ref], found[up.operation_ref]
            if not isinstance(current, Upload) or current.expires_at > now or (isinstance(op, Operation) and not op.final):
                raise Moved(Code.LOCKED)
            if current.blob != up.blob:
                raise Moved(Code.LOCKED)  # its bytes came to rest since it was read: they are not named in this commit
            if current.blob is None and not current.attaching:
                return Change(put=(upload.changed(current, state=State.EXPIRED, doomed_at=current.doomed_at or now),))
            return attaching.released(current, State.EXPIRED, found, now)

        self.records.commit(refs, step)
        self._free_upload(up.ref)

    def purge_assets(self) -> Swept:
        """Assets that nobody kept until their deadline."""
        return self.sweep("purge_assets", Index.EXPIRY_ASSETS, self._purge_asset)

    def _purge_asset(self, ref: Ref, at: float) -> None:
        found: Asset | None = self.records.get(ref)
        if found is None:
            self.records.settle_index(Index.EXPIRY_ASSETS, [(ref, at)])
            return
        Library(self.records, self.store).delete(found, before=self.records.now())

    def purge_operations(self) -> Swept:
        """Final operations past their retention, with their uploads; tombstones stay."""
        return self.sweep("purge_operations", Index.EXPIRY_OPERATIONS, self._purge_operation)

    def _purge_operation(self, ref: Ref, at: float) -> None:
        op: Operation | None = self.records.get(ref)
        if op is None:
            self.records.settle_index(Index.EXPIRY_OPERATIONS, [(ref, at)])
            return
        of = op.upload_id or op.id
        without = op.kind in {ATTACH, RENDER}  # they have no upload of their own
        own = [] if without else [Ref(Kind.UPLOAD, op.tenant, of), Ref(Kind.PARTS, op.tenant, of)]
        for uploaded in own[:1]:
            self._free_upload(uploaded)

        def step(current: Operation | None, up: Upload | None = None, _parts: object = None) -> Change:
            if current is None or not current.final or current.expires_at > self.records.now():
                raise Moved(Code.FINAL)
            if up and up.kept and up.state is State.FINISHED:
                raise Moved(Code.LOCKED)  # it holds its bytes: its own deadline comes first
            traces = () if op.kind == RENDER else (ref,)  # there may be very many, and each would be remembered for a month
            return Change(drop=(ref, *own), bury=(*traces, *(own[:1] if up else ())))

        self.records.commit([ref, *own], step)

    # ------------------------------------------------------------ bytes

    def delete_doomed(self) -> Swept:
        """Condemned bytes whose time has come: staged ones at once, those at rest when no worker can still be writing them.

        A blob's bytes wait until the manifests that name it are gone. One that could not be written for a day is waited for no longer.
        """
        return self.sweep("delete_doomed", Index.DOOMED, self._delete)

    def _delete(self, ref: Ref, at: float) -> None:
        if ref.kind is Kind.UPLOAD:
            self._free_upload(ref)
            self.records.settle_index(Index.DOOMED, [(ref, at)])
        elif self._described(at - timing.GRACE):
            raise Moved(Code.IN_USE)
        else:
            self._free_blob(ref, at)

    def _described(self, until: float) -> bool:
        """Whether a manifest as old as that is still to be written or removed, and was not given up."""
        given_up = self.records.now() - timing.ORPHAN
        return any(at > given_up for _, at in self.records.due(Index.MANIFEST, until, BATCH))

    def _free_upload(self, ref: Ref) -> None:
        up: Upload | None = self.records.get(ref)
        if up is not None and up.doomed_at is not None:
            self.store.discard(up.staged)
            self.records.settle_index(Index.DOOMED, [(ref, up.doomed_at)])

    def _free_blob(self, ref: Ref, at: float) -> None:
        blob: Blob | None = self.records.get(ref)
        if blob is None:
            self.records.settle_index(Index.DOOMED, [(ref, at)])
        elif blob.state is BlobState.DOOMED:
            self.store.delete(blob.key)
            self.records.commit([ref], lambda _: Change(drop=(ref,)))

    def write_manifests(self) -> Swept:
        """Describe in the store what changed, so that the records can be rebuilt; remove what is deleted, and its record."""
        return self.sweep("write_manifests", Index.MANIFEST, Describing(self.records, self.store).describe)

    def sweep_orphans(self) -> Swept:
        """Staged bytes older than a day that no record knows, or only condemned ones: what a crash or a lost Redis left."""
        this = Pass("sweep_orphans")
        for staged in self.store.staged_before(timing.ORPHAN):
            if this.over():
                break
            up: Upload | None = self.records.get(Ref(Kind.UPLOAD, *keys.upload_of(staged.key)))
            if up is None or up.state in {State.CANCELLED, State.EXPIRED} or up.doomed_at is not None:
                self.store.discard(staged)
                this.done += 1
        return this.report()

"""Keeps the promise, in a worker: claim → seal → measure and judge → promote → settle.

Each step may be repeated by another attempt and leaves the same. The claim and the settlement are one commit each; between them only
bytes under this upload's own keys are touched. Who lost the operation on the way ends quietly and touches nothing more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.core import asset, endings, filenames, keys, operation, upload
from app.core.asset import Asset, Blob, BlobState, Pointer
from app.core.errors import Code, Fault, Lost, Moved, Problem, RecordsDown, UploadError, problem
from app.core.facts import Facts
from app.core.judging import measure
from app.core.lease import Lease
from app.core.operation import Operation, Progress, Status
from app.core.parts import Parts
from app.core.ports import Change, Gauge, Records, Store
from app.core.refs import Index, Kind, Ref
from app.core.upload import Upload

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker claimed: the operation as claimed, its upload, the key at which its bytes will rest, and the asset's id."""

    op: Operation
    up: Upload
    key: str
    asset_id: str

    @property
    def refs(self) -> list[Ref]:
        """Operation, upload, blob: what every ending of the work is a commit over."""
        return [self.op.ref, self.up.ref, Ref(Kind.BLOB, self.op.tenant, self.key)]


@dataclass(frozen=True, slots=True)
class Processing:
    """The worker's hands. `interrupts`: the exceptions by which the task runner says that the time is up."""

    records: Records
    store: Store
    gauge: Gauge
    interrupts: tuple[type[Exception], ...] = ()
    tries: int = 30  # to record an ending while Redis is away, …
    pause: float = 1.0  # … with so many seconds between

    def process(self, tenant: str, operation_id: str) -> None:
        """All the work of one message. A message that comes twice, or too late, changes nothing.

        Refusals and faults end in the operation; nothing is raised but bugs, and RecordsDown when not even the claim could be made.
        """
        work = self._claim(Ref(Kind.OPERATION, tenant, operation_id))
        if work is None:
            return
        try:
            with Lease(self.records, work.op) as lease:
                self._settle(work, self._work(work, lease))
        except self.interrupts:
            self._refuse(work, problem(Code.TOOK_TOO_LONG))
        except (Moved, Lost):
            log.info("operation is no longer ours", extra=_about(work))
        except UploadError as refusal:
            self._refuse(work, refusal.problem)
        except Fault as fault:
            self._falter(work, fault)

    def _claim(self, ref: Ref) -> Work | None:
        op: Operation | None = self.records.get(ref)
        if op is None or op.status is not Status.QUEUED or op.upload_id is None:
            return None
        key, seen = keys.blob(op.tenant, op.upload_id), dict[str, Upload]()
        refs = [ref, Ref(Kind.UPLOAD, op.tenant, op.upload_id), Ref(Kind.BLOB, op.tenant, key)]
        try:
            change = self.records.commit(refs, lambda *found: _claimed(*found, key=key, seen=seen, now=self.records.now()))
        except Moved:
            return None
        claimed = next(e for e in change.put if isinstance(e, Operation))
        return Work(claimed, seen["upload"], key, keys.new_id())

    def _work(self, work: Work, lease: Lease) -> Facts:
        up = work.up
        lease.stage("assembling")
        table = self.records.get(up.parts_ref) or Parts(up.tenant, up.id)
        sealed = self.store.seal(up.staged, table, up.length or 0)
        with self.store.land(sealed) as landed:
            facts = measure(self.gauge, landed, up, lease.stage)
        lease.stage("storing")
        self.store.promote(sealed, work.key)
        lease.check()
        return facts

    def _settle(self, work: Work, facts: Facts) -> None:
        while not self._settled(work, facts):
            pass
        self._free(work.up)

    def _settled(self, work: Work, facts: Facts) -> bool:
        """One try to settle; False when another blob came to stand behind the digest meanwhile."""
        pointer_ref = Ref(Kind.DIGEST, work.op.tenant, facts.digest)
        pointer: Pointer | None = self.records.get(pointer_ref)
        twin = [] if pointer is None or pointer.key == work.key else [Ref(Kind.BLOB, work.op.tenant, pointer.key)]
        seen = pointer.key if pointer else None

        def step(*found: Any) -> Change:
            op, up, own, _, now_there, *other = found
            if (now_there.key if now_there else None) != seen:
                raise _Overtaken
            return _settlement(work, facts, (op, up, own, now_there, other[0] if other else None), self.records.now())

        try:
            self.records.commit([*work.refs, Ref(Kind.ASSET, work.op.tenant, work.asset_id), pointer_ref, *twin], step)
        except _Overtaken:
            return False
        return True

    def _refuse(self, work: Work, why: Problem) -> None:
        log.info("refused", extra={**_about(work), "code": why.code.value})
        self._end(work, lambda op, up, blob, now: endings.refused(op, up, blob, why, now))

    def _falter(self, work: Work, fault: Fault) -> None:
        log.warning("fault, to be tried again", extra={**_about(work), "reason": str(fault)})
        self._end(work, endings.faltered)

    def _end(self, work: Work, ending: Callable[[Operation, Upload | None, Blob | None, float], Change]) -> None:
        def step(op: Operation | None, up: Upload | None, blob: Blob | None) -> Change:
            operation.own(_there(op), work.op.attempt)
            return ending(_there(op), up, blob, self.records.now())

        try:
            change = self._insist(lambda: self.records.commit(work.refs, step))
            if any(isinstance(e, Upload) for e in change.put):
                self._free(work.up)
        except Moved:
            log.info("operation is no longer ours", extra=_about(work))
        except Fault as down:
            log.warning("ending not recorded, the sweep decides", extra={**_about(work), "reason": str(down)})

    def _insist(self, commit: Callable[[], Change]) -> Change:
        """Try again while Redis is away: an ending that is not recorded would count as a lost worker. The fence makes repeating harmless."""
        for _ in range(self.tries - 1):
            try:
                return commit()
            except RecordsDown:
                time.sleep(self.pause)
        return commit()

    def _free(self, up: Upload) -> None:
        """The staged bytes go at once; if that fails, the sweep of the doomed does it."""
        try:
            condemned: Upload | None = self.records.get(up.ref)
            if condemned and condemned.doomed_at is not None:
                self.store.discard(condemned.staged)
                self.records.settle_index(Index.DOOMED, [(up.ref, condemned.doomed_at)])
        except Fault as down:
            log.warning("staged bytes left to the sweep", extra={"upload": up.id, "reason": str(down)})


class _Overtaken(Exception):
    """Another blob stands behind the digest than the one that was read."""


def _claimed(op: Operation | None, up: Upload | None, blob: Blob | None, *, key: str, seen: dict[str, Upload], now: float) -> Change:
    if up is None:
        raise Moved(Code.GONE, what="upload")
    seen["upload"] = up  # no second read: it could fail, and leave a claim without a worker
    started = replace(operation.claim(_there(op), now), progress=Progress("started", 0, up.length))
    return Change(put=(started, blob or Blob(key, up.tenant)) if blob is None else (started,))


def _there(op: Operation | None) -> Operation:
    if op is None:
        raise Moved(Code.GONE, what="operation")
    return op


Found = tuple[Operation | None, Upload | None, Blob | None, Pointer | None, Blob | None]


def _settlement(work: Work, facts: Facts, found: Found, now: float) -> Change:
    """The asset, its hold on a live blob, the operation's end: all or nothing."""
    op, up, own, pointer, twin = found
    operation.own(_there(op), work.op.attempt)
    if up is None or own is None or own.state is not BlobState.PROMOTING:
        raise Moved(Code.GONE, what="upload")
    shared = pointer is not None and twin is not None and twin.state is BlobState.LIVE
    blob = twin if shared and twin else asset.live(own, facts)
    got = _asset(work.asset_id, up, facts, blob.key, now)
    done = Progress("completed", facts.size, facts.size)
    ended = operation.finish(_there(op), Status.COMPLETED, now, asset_ids=(got.id,), progress=done)
    rest = (asset.doom(own, now),) if shared else (blob, _pointer(pointer, own, facts))
    return Change(put=(ended, upload.condemn(up, now), got, *rest), hold=((blob.ref, got.id),), manifest=(got.ref,))


def _pointer(old: Pointer | None, blob: Blob, facts: Facts) -> Pointer:
    return Pointer(blob.tenant, facts.digest, blob.key, version=old.version + 1 if old else 0)


def _asset(id: str, up: Upload, facts: Facts, key: str, now: float) -> Asset:
    ttl = up.policy.asset_ttl
    return Asset(
        id=id,
        tenant=up.tenant,
        owner=up.owner,
        dialect=up.dialect,
        filename=up.filename or filenames.default(facts.media_type),
        created_at=now,
        updated_at=now,
        blob=key,
        facts=facts,
        expires_at=None if ttl is None else now + ttl,
        upload_id=up.id,
        metadata=up.metadata,
    )


def _about(work: Work) -> dict[str, str | int]:
    return {"operation": work.op.id, "tenant": work.op.tenant, "attempt": work.op.attempt}

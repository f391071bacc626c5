"""Keeps the promise, in a worker: claim → seal → measure and judge → promote → settle.

Each step may be repeated by another attempt and leaves the same. The claim and the settlement are one commit each; between them only
bytes under this upload's own keys are touched. Who lost the operation on the way ends quietly and touches nothing more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from app.core import endings, keys, operation
from app.core.asset import Blob
from app.core.attaching import Attaching
from app.core.carrying import Carrying
from app.core.errors import Code, Fault, Moved, problem
from app.core.facts import Facts
from app.core.fetched import Fetching
from app.core.holding import until_current
from app.core.judging import measure
from app.core.lease import Lease
from app.core.operation import ATTACH, FETCH, Operation, Progress, Status
from app.core.parts import Parts
from app.core.ports import Change, Gauge, Records, Store
from app.core.refs import Index, Kind, Ref
from app.core.settling import Settlement
from app.core.upload import Upload
from app.core.work import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Processing:
    """The worker's hands. `interrupts`: the exceptions by which the task runner says that the time is up."""

    records: Records
    store: Store
    gauge: Gauge
    attaching: Attaching
    fetching: Fetching
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
        carrying = Carrying(self.records, self.interrupts, self.tries, self.pause)
        carrying.carry(work.op, work.refs, lambda lease: self._settle(*self._work(work, lease)))
        self._free(work.up)

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
        return None if claimed.final else Work(claimed, seen["upload"], key, keys.new_id())

    def _work(self, work: Work, lease: Lease) -> tuple[Work, Facts]:
        if work.op.kind == ATTACH:
            lease.stage("waiting")
            up, facts = self.attaching.measured(work.op, lease, self.process)
            return replace(work, up=up), facts
        lease.stage("assembling")
        up, table = self._whole(work, lease)
        sealed = self.store.seal(up.staged, table, up.length or 0)
        with self.store.land(sealed) as landed:
            facts = measure(self.gauge, landed, up, lease.stage)
        lease.stage("storing")
        self.store.promote(sealed, work.key)
        lease.check()
        return work, facts

    def _whole(self, work: Work, lease: Lease) -> tuple[Upload, Parts]:
        up = work.up
        if work.op.kind == FETCH:
            lease.stage("fetching")
            return self.fetching.fetched(work.op, up, lease)
        return up, self.records.get(up.parts_ref) or Parts(up.tenant, up.id)

    def _settle(self, work: Work, facts: Facts) -> None:
        def attempt() -> None:
            settlement = Settlement(self.records, work, facts)
            self.records.commit(settlement.refs, lambda *found: settlement.step(self.records.now(), *found))

        until_current(attempt)
        log.info("completed", extra={"operation": work.op.id, "tenant": work.op.tenant, "attempt": work.op.attempt})

    def _free(self, up: Upload) -> None:
        """Condemned bytes go at once, those too that were staged after a cancel freed what it found; if that fails, the sweep of the doomed does it."""
        try:
            condemned: Upload | None = self.records.get(up.ref)
            if condemned and condemned.doomed_at is not None:
                self.store.discard(condemned.staged)
                self.records.settle_index(Index.DOOMED, [(up.ref, condemned.doomed_at)])
        except Fault as down:
            log.warning("staged bytes left to the sweep", extra={"upload": up.id, "reason": str(down)})


def _claimed(op: Operation | None, up: Upload | None, blob: Blob | None, *, key: str, seen: dict[str, Upload], now: float) -> Change:
    """The operation started, with a blob to come; or ended, when its upload is lost. Raises Moved unless it is queued."""
    queued = _there(op)
    started = operation.claim(queued, now)
    if up is None:  # nobody can ever keep this promise, and it would be sent again for ever
        return endings.refused(queued, None, blob, problem(Code.GONE, what="upload"), now)
    seen["upload"] = up  # no second read: it could fail, and leave a claim without a worker
    started = replace(started, progress=Progress("started", 0, up.length))
    new = () if blob is not None or started.kind == ATTACH else (Blob(key, up.tenant),)
    return Change(put=(started, *new))


def _there(op: Operation | None) -> Operation:
    if op is None:
        raise Moved(Code.GONE, what="operation")
    return op

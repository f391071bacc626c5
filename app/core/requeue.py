"""Sends again what nobody picked up, and takes over what a lost worker left. The other half of retention."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core import endings, operation, timing, tracing
from app.core.errors import BrokerDown, Code, Moved
from app.core.operation import Operation, Status
from app.core.ports import Change, Jobs, Records
from app.core.refs import Index, Ref
from app.core.retention import BATCH, Retention, Swept

if TYPE_CHECKING:
    from app.core.asset import Blob
    from app.core.upload import Upload

log = logging.getLogger(__name__)


class Witness:
    """What this process saw of heartbeats: a counter that stands still for WITNESS seconds by the monotonic clock is dead.

    Steps of the wall clock, and a Redis that paused, therefore burn no attempt.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[Ref, tuple[int, int, float]] = {}
        self._lock = threading.Lock()

    def still(self, op: Operation) -> bool:
        """Whether the same attempt and heartbeat were seen before, long enough ago. Remembers them when not."""
        with self._lock:
            attempt, heartbeat, since = self._seen.get(op.ref, (-1, -1, 0.0))
            if (attempt, heartbeat) != (op.attempt, op.heartbeat):
                self._seen[op.ref] = (op.attempt, op.heartbeat, self._monotonic())
                return False
            return self._monotonic() - since >= timing.WITNESS

    def keep_only(self, refs: set[Ref]) -> None:
        """Forget what is no longer under watch."""
        with self._lock:
            self._seen = {ref: seen for ref, seen in self._seen.items() if ref in refs}


class Requeue:
    """The sweep that makes a lost message and a lost worker harmless."""

    def __init__(self, retention: Retention, jobs: Jobs, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._retention, self._jobs = retention, jobs
        self._records: Records = retention.records
        self._witness = Witness(monotonic)

    def requeue_stalled(self) -> Swept:
        """Send queued operations whose time to be sent again has come, take over started ones whose worker is gone."""
        self._watch()
        busy = self._jobs.backlog() >= self._records.count(Index.QUEUED)
        overdue = (
            timing.RESEND_MOST if busy else 0.0
        )  # the queue holds canaries and the cancelled too: what waits very long is sent all the same
        self._retention.sweep("resend_queued", Index.QUEUED, self._resend, overdue)
        return self._retention.sweep("requeue_stalled", Index.LEASE, self._take_over)

    def _watch(self) -> None:
        """Look at every heartbeat that is late, before its lease ends: two looks are needed to take over."""
        soon = self._records.now() + timing.LEASE - timing.HEARTBEAT
        late = [ref for ref, _ in self._records.due(Index.LEASE, soon, BATCH)]
        self._witness.keep_only(set(late))
        for ref in late:
            op: Operation | None = self._records.get(ref)
            if op is not None:
                self._witness.still(op)

    def _resend(self, ref: Ref, _at: float) -> None:
        def step(op: Operation | None) -> Change:
            now = self._records.now()
            if op is None or op.resend_at is None or op.resend_at > now:
                raise Moved(Code.FINAL)
            return Change(put=(operation.resend(op, now),))

        self._send(self._records.commit([ref], step))

    def _take_over(self, ref: Ref, _at: float) -> None:
        seen: Operation | None = self._records.get(ref)
        if seen is None or not self._witness.still(seen):
            raise Moved(Code.FINAL)

        def step(op: Operation | None, up: Upload | None, blob: Blob | None) -> Change:
            now = self._records.now()
            if op is None or op.status is not Status.STARTED or (op.lease or 0) > now or op.heartbeat != seen.heartbeat:
                raise Moved(Code.FINAL)
            operation.own(op, seen.attempt)
            return endings.lost(op, up, blob, now)

        change = self._records.commit(endings.refs(seen), step)
        with tracing.within({tracing.PARENT: seen.trace or ""}):
            log.warning("worker lost", extra={"operation": ref.id, "tenant": ref.tenant, "attempt": seen.attempt})
        self._send(change)

    def _send(self, change: Change) -> None:
        """A message for the operation that was written, in its own trace."""
        op = next(entity for entity in change.put if isinstance(entity, Operation))
        with tracing.within({tracing.PARENT: op.trace or ""}):
            try:
                self._jobs.process(op.ref)
            except BrokerDown as down:
                log.warning("message not sent, to be sent again", extra={"operation": op.id, "reason": str(down)})

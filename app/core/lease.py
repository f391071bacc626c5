"""The hold of a worker on its operation: renewed by a thread while the work goes on."""

from __future__ import annotations

import logging
import threading
import time
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from app.core import operation, timing
from app.core.errors import Code, Lost, Moved, RecordsDown
from app.core.operation import Operation
from app.core.ports import Change, Records

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)


class Lease:
    """Renews the lease of one claimed operation every HEARTBEAT seconds, and carries its progress along.

    `check` raises Lost as soon as the operation was cancelled or taken over, and RecordsDown when it could not be renewed for as long as
    the lease lasts: the work then ends at its next stage and touches nothing.
    """

    def __init__(self, records: Records, op: Operation) -> None:
        self._records, self._op = records, op
        self._progress = op.progress
        self._done, self._lost = threading.Event(), threading.Event()
        self._renewed_at = time.monotonic()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name=f"lease-{op.id}", daemon=True
        )  # of the same trace

    @property
    def attempt(self) -> int:
        """The fencing token of this hold."""
        return self._op.attempt

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def stage(self, name: str) -> None:
        """A stage begins; the next heartbeat says so. Raises Lost, RecordsDown."""
        self.check()
        self._progress = replace(self._progress, stage=name)
        log.debug("stage", extra={"operation": self._op.id, "stage": name})

    def check(self) -> None:
        """Raise Lost when the operation is no longer ours, RecordsDown when nobody can say."""
        if self._lost.is_set():
            raise Lost
        if time.monotonic() - self._renewed_at > timing.LEASE:
            raise RecordsDown("the lease could not be renewed")

    def _run(self) -> None:
        while not self._done.wait(timing.HEARTBEAT):
            try:
                self.renew()
            except Moved:
                self._lost.set()
                return
            except RecordsDown as down:
                log.warning("lease not renewed", extra={"operation": self._op.id, "reason": str(down)})

    def renew(self) -> None:
        """One heartbeat. Raises Moved when the operation is no longer this attempt's, RecordsDown."""
        self._records.commit([self._op.ref], self._beat)
        self._renewed_at = time.monotonic()

    def _beat(self, current: Operation | None) -> Change:
        if current is None:
            raise Moved(Code.GONE, what="operation")
        alive = operation.beat(current, self.attempt, self._records.now())
        return Change(put=(replace(alive, progress=self._progress),))

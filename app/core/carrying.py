"""Claimed work, carried to its end: under a lease, and whatever goes wrong becomes the operation's own ending."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core import endings, operation
from app.core.errors import Code, Fault, Lost, Moved, Problem, RecordsDown, UploadError, problem
from app.core.lease import Lease
from app.core.operation import Operation
from app.core.ports import Change, Records

if TYPE_CHECKING:
    from app.core.asset import Blob
    from app.core.refs import Ref
    from app.core.upload import Upload

log = logging.getLogger(__name__)

Ending = Callable[[Operation, "Upload | None", "Blob | None", float], Change]


@dataclass(frozen=True, slots=True)
class Carrying:
    """`interrupts`: the exceptions by which the task runner says that the time is up."""

    records: Records
    interrupts: tuple[type[Exception], ...] = ()
    tries: int = 30  # to record an ending while Redis is away, …
    pause: float = 1.0  # … with so many seconds between

    def carry(self, op: Operation, refs: Sequence[Ref], work: Callable[[Lease], None]) -> None:
        """Do the work of an operation as it was claimed. However it ends is recorded; only bugs are raised.

        `refs`: operation, upload, blob: what every such ending is a commit over.
        """
        try:
            with Lease(self.records, op) as lease:
                work(lease)
        except self.interrupts:
            self._refuse(op, refs, problem(Code.TOOK_TOO_LONG))
        except (Moved, Lost):
            log.info("operation is no longer ours", extra=_about(op))
        except UploadError as refusal:
            self._refuse(op, refs, refusal.problem)
        except Fault as fault:
            self._falter(op, refs, fault)

    def _refuse(self, op: Operation, refs: Sequence[Ref], why: Problem) -> None:
        log.info("refused", extra={**_about(op), "code": why.code.value})
        self._end(op, refs, lambda op, up, blob, now: endings.refused(op, up, blob, why, now))

    def _falter(self, op: Operation, refs: Sequence[Ref], fault: Fault) -> None:
        log.warning("fault, to be tried again", extra={**_about(op), "reason": str(fault)})
        self._end(op, refs, endings.faltered)

    def _end(self, claimed: Operation, refs: Sequence[Ref], ending: Ending) -> None:
        def step(op: Operation | None, up: Upload | None, blob: Blob | None) -> Change:
            if op is None:
                raise Moved(Code.GONE, what="operation")
            operation.own(op, claimed.attempt)
            return ending(op, up, blob, self.records.now())

        try:
            self._insist(lambda: self.records.commit(refs, step))
        except Moved:
            log.info("operation is no longer ours", extra=_about(claimed))
        except Fault as down:
            log.warning("ending not recorded, the sweep decides", extra={**_about(claimed), "reason": str(down)})

    def _insist(self, commit: Callable[[], Change]) -> Change:
        """Try again while Redis is away: an ending that is not recorded would count as a lost worker. The fence makes repeating harmless."""
        for _ in range(self.tries - 1):
            try:
                return commit()
            except RecordsDown:
                time.sleep(self.pause)
        return commit()


def _about(op: Operation) -> dict[str, str | int]:
    return {"operation": op.id, "tenant": op.tenant, "attempt": op.attempt}

"""What a commit means for who counts: every promise, claim and end is one commit of the records, so it is read off there and nowhere else.

A step may run several times; what it found in its last run is what its change was made of. A commit whose outcome is unknown counts for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from app.core.asset import Blob
from app.core.operation import Operation, Status
from app.core.ports import Change, Entity, Meter, Records
from app.core.upload import Upload
from app.metrics.watched import Watched

if TYPE_CHECKING:
    from app.core.refs import Ref

NOWHERE = "none"  # the dialect of a rendition, and the code of what was not refused

Found = Sequence["Entity | None"]


class Told(Watched):
    """The port Records, telling the meter what its commits meant."""

    def __init__(self, records: Records, meter: Meter) -> None:
        super().__init__(records, meter)
        self._commit = self._called(records.commit, None)

    def commit(self, refs: Sequence[Ref], step: Callable[..., Change]) -> Change:
        """See the port."""
        found: Found = ()

        def remembered(*entities: Entity | None) -> Change:
            nonlocal found
            found = entities
            return step(*entities)

        began = time.perf_counter()
        change: Change = self._commit(refs, remembered)
        tell(self._meter, found, change, time.perf_counter() - began)
        return change


def told(records: Records, meter: Meter) -> Records:
    """The same records, telling."""
    return cast("Records", Told(records, meter))


def tell(meter: Meter, found: Found, change: Change, seconds: float) -> None:
    """Count what a commit did that took so many seconds."""
    for after in change.put:
        if isinstance(after, Operation):
            before = next((e for e in found if isinstance(e, Operation) and e.ref == after.ref), None)
            _operation(meter, before, after, _upload(found, change), seconds)
    for ref in change.drop:
        gone = next((e for e in found if isinstance(e, Blob) and e.ref == ref), None)
        if gone:
            meter.count("deleted_bytes", gone.size or 0)


def _upload(found: Found, change: Change) -> Upload | None:
    written: list[Any] = [*change.put, *found]
    return next((e for e in written if isinstance(e, Upload)), None)


def _operation(meter: Meter, before: Operation | None, after: Operation, up: Upload | None, seconds: float) -> None:
    was, dialect = before.status if before else Status.ACKNOWLEDGED, up.dialect if up else NOWHERE
    if was is Status.ACKNOWLEDGED and after.status is Status.QUEUED:
        meter.count("operations_promised", dialect=dialect, kind=after.kind)
        meter.count("uploaded_bytes", (up.length or 0) if up else 0, dialect=dialect)
    if before is None:
        return
    if was is Status.QUEUED and after.status is Status.STARTED and before.queued_at is not None:
        meter.observe("queue_wait_seconds", max(0.0, after.updated_at - before.queued_at), kind=after.kind)
    if after.final and not before.final:
        _settled(meter, before, after, dialect, seconds)
    _trouble(meter, before, after)


def _settled(meter: Meter, before: Operation, after: Operation, dialect: str, seconds: float) -> None:
    code = after.problem.code.value if after.problem else NOWHERE
    meter.count("operations_settled", dialect=dialect, kind=after.kind, status=after.status.value, code=code)
    if before.status is Status.STARTED:  # since the claim, no heartbeat changed `updated_at`
        meter.observe("work_seconds", max(0.0, after.updated_at - before.updated_at), kind=after.kind, status=after.status.value)
    if after.status is Status.COMPLETED:
        meter.observe("stage_seconds", seconds, stage="settle")


def _trouble(meter: Meter, before: Operation, after: Operation) -> None:
    if after.losses > before.losses:
        meter.count("workers_lost", kind=after.kind)
    if after.faults > before.faults:
        meter.count("operations_faulted", kind=after.kind)
    if before.status is after.status is Status.QUEUED and after.sends > before.sends:
        meter.count("messages_resent")

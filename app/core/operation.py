"""The work promised with 202, and the one table of its states.

::

              cancelled
                  ▲ cancel, delete
   acknowledged ──┴─── deadline passed, refused at finish ───► failed
        │ bytes finished
        ▼                cancel
      queued ──────────────► cancelled           queued ──► failed (attempts or time budget spent)
        │ claim (attempt + 1, lease)   ▲
        ▼                              │ cancel
      started ─────────────────────────┘
        ├─ judged good, promoted ──► completed
        ├─ refused by a check ─────► failed
        └─ worker lost, or a fault of Redis or the store ──► queued
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.core import timing, tracing
from app.core.errors import Code, Moved, Problem, problem
from app.core.refs import Kind, Ref
from app.core.renditions import Order
from app.core.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping


INGEST = "ingest"  # the bytes of an upload become what its target says
ATTACH = "attach"  # the bytes that an upload keeps become one more asset
FETCH = "fetch"  # as ingest, after a worker fetched them
RENDER = "render"  # another image is made of an asset's


class Status(StrEnum):
    """The six states, by the names that the richest dialect publishes."""

    ACKNOWLEDGED = "acknowledged"
    QUEUED = "queued"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.ACKNOWLEDGED: frozenset({Status.QUEUED, Status.CANCELLED, Status.FAILED}),
    Status.QUEUED: frozenset({Status.STARTED, Status.CANCELLED, Status.FAILED}),
    Status.STARTED: frozenset({Status.QUEUED, Status.COMPLETED, Status.CANCELLED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.FAILED: frozenset(),
}
FINAL = frozenset(status for status, nexts in TRANSITIONS.items() if not nexts)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the work stands: the stage's name, and bytes done of the total (None: not known)."""

    stage: str = "receiving"
    bytes: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One promise. Times are seconds since the epoch by the records' clock.

    `dialect`: through which door it was promised. `kind`: INGEST, ATTACH, FETCH, RENDER; `target`: what the bytes become; `order`: what is rendered.
    `attempt` counts claims and is the fencing token; `losses` counts the workers that were lost, and is what max_attempts bounds.
    `lease` ends the current worker's ownership; `heartbeat` counts its renewals.
    `resend_at`, `sends`: when a queued operation is sent again, and how often it was.
    `warnings`: what its client is told although it went well.
    `faulted_at`, `faults`: since when, and how often, Redis or the store failed it.
    `queued_at`: since when it waits, or waited, for a worker, after a fault from when on; `trace`: the `traceparent` of the request that promised it.
    """

    id: str
    tenant: str
    owner: str
    kind: str
    created_at: float
    updated_at: float
    expires_at: float
    status: Status = Status.ACKNOWLEDGED
    upload_id: str | None = None
    asset_ids: tuple[str, ...] = ()
    attempt: int = 0
    losses: int = 0
    heartbeat: int = 0
    lease: float | None = None
    resend_at: float | None = None
    sends: int = 0
    faulted_at: float | None = None
    faults: int = 0
    queued_at: float | None = None
    trace: str | None = None
    target: Target = field(default_factory=Target)
    order: Order | None = None
    progress: Progress = Progress()
    problem: Problem | None = None
    dialect: str = ""
    warnings: tuple[Problem, ...] = ()
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The operation's name among the records."""
        return Ref(Kind.OPERATION, self.tenant, self.id)

    @property
    def final(self) -> bool:
        """Whether the state can no longer change."""
        return self.status in FINAL


def advance(op: Operation, to: Status, now: float, **changes: Any) -> Operation:
    """The operation in the state `to`; the only function that changes a status.

    Raises Moved when TRANSITIONS does not allow the step.
    """
    if to not in TRANSITIONS[op.status]:
        raise Moved(Code.FINAL, status=op.status.value)
    return replace(op, status=to, updated_at=now, version=op.version + 1, **changes)


def queue(op: Operation, now: float, **changes: Any) -> Operation:
    """Promised: the bytes are there. A message that nobody picks up is sent again from `resend_at` on."""
    done: dict[str, Any] = {"lease": None, "sends": 1, "resend_at": now + timing.RESEND_FIRST, "queued_at": now, **changes}
    done["trace"] = op.trace or tracing.carried()
    return advance(op, Status.QUEUED, now, **done)


def resend(op: Operation, now: float) -> Operation:
    """Still queued, and about to be sent once more; the next wait is twice as long."""
    if op.status is not Status.QUEUED:
        raise Moved(Code.FINAL, status=op.status.value)
    wait = _doubled(timing.RESEND_FIRST, op.sends, timing.RESEND_MOST)
    return replace(op, sends=op.sends + 1, resend_at=now + wait, updated_at=now, version=op.version + 1)


def claim(op: Operation, now: float) -> Operation:
    """A worker takes it: the attempt that every later step of this worker must still find."""
    return advance(op, Status.STARTED, now, attempt=op.attempt + 1, heartbeat=0, lease=now + timing.LEASE, resend_at=None)


def beat(op: Operation, attempt: int, now: float) -> Operation:
    """The worker lives: its lease runs on. Raises Moved when the operation is no longer this attempt's."""
    own(op, attempt)
    return replace(op, heartbeat=op.heartbeat + 1, lease=now + timing.LEASE, version=op.version + 1)


def own(op: Operation, attempt: int) -> None:
    """Raise Moved unless the operation is started and in the hands of this attempt (the fence)."""
    if op.status is not Status.STARTED or op.attempt != attempt:
        raise Moved(Code.FINAL, status=op.status.value)


def finish(op: Operation, to: Status, now: float, **changes: Any) -> Operation:
    """The operation in the final state `to`, without lease, kept as long as its retention says."""
    keep = op.expires_at - op.created_at
    return advance(op, to, now, lease=None, resend_at=None, expires_at=now + keep, **changes)


def fail(op: Operation, why: Problem, now: float) -> Operation:
    """Refused for good."""
    return finish(op, Status.FAILED, now, problem=why)


def lose(op: Operation, max_attempts: int, now: float) -> Operation:
    """Its worker is gone: queued again, or failed when `max_attempts` workers were lost over it."""
    losses = op.losses + 1
    if losses >= max_attempts:
        return finish(op, Status.FAILED, now, losses=losses, problem=problem(Code.WORKER_LOST, attempts=losses))
    return queue(op, now, losses=losses)


def falter(op: Operation, now: float) -> Operation:
    """Redis or the store failed it: queued again after a pause, or failed when the time budget is spent."""
    since = op.faulted_at if op.faulted_at is not None else now
    if now - since > timing.FAULT_BUDGET:
        return fail(op, problem(Code.STORE_FAULT), now)
    pause = _doubled(timing.FAULT_BACKOFF, op.faults, timing.FAULT_BACKOFF_MOST)
    return queue(op, now, faulted_at=since, faults=op.faults + 1, sends=0, resend_at=now + pause, queued_at=now + pause)


def _doubled(first: float, times: int, most: float) -> float:
    """`first` seconds, doubled so often, but no more than `most`; `times` may be any number, while powers of two are no floats above 1023."""
    return min(first * 2.0 ** min(times, 32), most)

"""Whether the house has room for new work: how long the queue makes it wait, how full Redis is, how full the disk.

New work is an upload, a fetch, a rendition that nobody has. What was begun goes on: parts, `complete`, polls, downloads, cancels, deletions,
for they are what lets the pressure fall. What cannot be measured does not press: a part that is down says so itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.core.errors import Code, Fault, UploadError
from app.core.operation import Operation, Status
from app.core.ports import Records, Store
from app.core.recent import Recent
from app.core.refs import Index

RETRY_AFTER = 10  # seconds: when it may be better
LOOKED_AT = 8  # of those that wait longest: one that nobody can read, or that is no more, is not what the others wait for

QUEUE, REDIS, DISK = "queue", "redis", "disk"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where pressure begins; 0 is never. `wait`: seconds; `memory`: share of Redis' maxmemory; `reserve`: bytes of the disk that stay free."""

    wait: float = 0.0
    memory: float = 0.0
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured, in the same units; None is not known, or has no bound of its own."""

    wait: float | None = None
    memory: float | None = None
    free: int | None = None


def pressing(found: Found, bounds: Bounds) -> tuple[str, ...]:
    """The parts that press."""
    table = (
        (QUEUE, found.wait is not None and 0 < bounds.wait < found.wait),
        (REDIS, found.memory is not None and 0 < bounds.memory <= found.memory),
        (DISK, found.free is not None and found.free < bounds.reserve),
    )
    return tuple(part for part, pressed in table if pressed)


@dataclass(frozen=True, slots=True)
class Pressure:
    """Measures at most once a second, whoever asks; what it costs to ask meanwhile is a look at the clock."""

    records: Records
    store: Store
    bounds: Bounds
    recent: Recent[Found] = field(default_factory=Recent)

    def require_calm(self) -> None:
        """Raise UploadError(OVERLOADED), naming the parts that press."""
        if parts := pressing(self._found(), self.bounds):
            raise UploadError(Code.OVERLOADED, parts=list(parts), retry_after=RETRY_AFTER)

    def shown(self) -> Mapping[str, Mapping[str, object]]:
        """Each part as it was measured, with its bound, and whether it presses."""
        found, bounds = self._found(), self.bounds
        pressed = pressing(found, bounds)
        return {
            QUEUE: {"pressing": QUEUE in pressed, "wait": None if found.wait is None else round(found.wait, 3), "most": bounds.wait},
            REDIS: {"pressing": REDIS in pressed, "full": None if found.memory is None else round(found.memory, 4), "most": bounds.memory},
            DISK: {"pressing": DISK in pressed, "free": found.free, "reserve": bounds.reserve},
        }

    def _found(self) -> Found:
        return self.recent.get(self._look)

    def _look(self) -> Found:
        memory, free = _known(self.records.memory), _known(self.store.free)
        return Found(_known(self._wait), memory, None if free is None else math.floor(free))

    def _wait(self) -> float | None:
        """Seconds that the operation has waited that has waited longest; true whether workers are slow, away, or drowned."""
        now = self.records.now()
        waiting = self.records.many([ref for ref, _ in self.records.due(Index.WAITING, now, LOOKED_AT)])
        since = (op.queued_at for op in waiting if isinstance(op, Operation) and op.status is Status.QUEUED)
        return max((now - at for at in since if at is not None), default=0.0)


def _known(measure: Callable[[], float | None]) -> float | None:
    try:
        return measure()
    except Fault:
        return None

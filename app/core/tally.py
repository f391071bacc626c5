"""What a tenant takes up: how much each record counts, and how much all of them may.

::

    rest      bytes of live blobs; the same bytes, held by many, once
    flight    bytes that are staged, or were announced and may still come
    uploads   those that are open, or whose bytes wait for a worker

An announced length counts from the first moment; without one what came, or what parts were let in for. When work settles, its bytes move
from flight to rest in one commit. What is condemned counts no more, though it takes the sweeps a moment to remove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.asset import Blob, BlobState
from app.core.upload import State, Upload

if TYPE_CHECKING:
    from app.core.ports import Entity


@dataclass(frozen=True, slots=True)
class Tally:
    """Bytes at rest, bytes in flight, uploads in flight; as a difference each may be negative."""

    rest: int = 0
    flight: int = 0
    uploads: int = 0

    @property
    def bytes(self) -> int:
        """At rest and in flight."""
        return self.rest + self.flight

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.rest + other.rest, self.flight + other.flight, self.uploads + other.uploads)

    def __sub__(self, other: Tally) -> Tally:
        """How much more than the other."""
        return Tally(self.rest - other.rest, self.flight - other.flight, self.uploads - other.uploads)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a tenant may take up, both inclusive; 0 sets no limit."""

    bytes: int = 0
    uploads: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant takes up, and what it may."""

    tally: Tally
    limits: Limits

    @property
    def left(self) -> int | None:
        """Bytes that it may still add; None where there is no limit."""
        return max(0, self.limits.bytes - self.tally.bytes) if self.limits.bytes else None


NONE = Tally()
UNLIMITED = Limits()


def weight(entity: Entity | None) -> Tally:
    """How much a record counts as it stands."""
    match entity:
        case Upload(state=State.OPEN | State.FINISHED, doomed_at=None):
            return Tally(flight=max(entity.offset, entity.reserved) if entity.length is None else entity.length, uploads=1)
        case Blob(state=BlobState.LIVE, size=int() as size):
            return Tally(rest=size)
        case _:
            return NONE

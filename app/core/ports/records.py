"""The database of record in flight, and what else is kept beside it: locks, signals, signs of life. Times are seconds by the one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.core.alias import Alias
from app.core.asset import Asset, Blob, Pointer
from app.core.document import Document
from app.core.folder import Folder
from app.core.operation import Operation
from app.core.parts import Part, Parts
from app.core.refs import Index, Place, Ref, Shelf
from app.core.renditions import Renditions
from app.core.tally import Standing
from app.core.upload import Upload

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Entity = Upload | Parts | Operation | Asset | Blob | Pointer | Folder | Document | Alias | Renditions


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit writes, all or nothing.

    `put` writes records with their index members and their places in lists; `drop` removes records with all of those; `hold` and `release` add and remove
    (blob key, holder) of the tenant whose blobs the commit names; `bury` leaves tombstones; `manifest` queues assets for the manifest sweep; folders and documents that are put are queued by themselves.
    `charge`: only as far as the tenant's quota goes; every other change counts, too, but is never refused for it.
    """

    put: tuple[Entity, ...] = ()
    drop: tuple[Ref, ...] = ()
    hold: tuple[tuple[Ref, str], ...] = ()
    release: tuple[tuple[Ref, str], ...] = ()
    bury: tuple[Ref, ...] = ()
    manifest: tuple[Ref, ...] = ()
    charge: bool = False


NOTHING = Change()


class Records(Protocol):
    """The database of record in flight. Used by many threads at once; safe to build before a fork, connects after it."""

    def now(self) -> float:
        """The one clock."""

    def get(self, ref: Ref) -> Any:
        """The entity, or None."""

    def many(self, refs: Sequence[Ref]) -> list[Any]:
        """The entities, each or None, in the order of their refs; one that cannot be read is None too, so that a list goes on."""

    def part(self, ref: Ref, number: int) -> Parts:
        """A part table with this one part in it, or none: as quickly as the table is long or short."""

    def shelf(self, shelf: Shelf, start: int, limit: int, *, newest: bool) -> list[Ref]:
        """Up to `limit` members of a list from the `start`-th on, in the order in which they were made, or the newest first."""

    def shelves_after(self, shelves: Sequence[Shelf], after: Place | None, limit: int) -> list[Place]:
        """Up to `limit` members of all these lists together, newest first, from behind `after` on, or from the newest; none twice.

        Read at one moment, so that what moves from one of the lists to another is never missed. What stands at `after` need not be there
        any more: each has the same place in every list, for as long as it lives.
        """

    def shelved(self, shelf: Shelf) -> int:
        """How many members a list has."""

    def gone(self, ref: Ref) -> bool:
        """Whether a tombstone of this ref stands."""

    def commit(self, refs: Sequence[Ref], step: Callable[..., Change]) -> Change:
        """The one writer of records.

        Watches every named record, calls `step(*entities)` (None for one that is not there), writes its Change in one MULTI, and announces every operation written. When a record changed meanwhile, reads and steps again; gives up with RecordsDown after a bounded number.

        `step` must be pure: it may run several times. What it raises passes through and nothing is written. A blob's `holders` counts those before
        this change. UploadError(QUOTA_EXCEEDED) for a change to be charged that takes its tenant beyond a limit. RecordsDown when the outcome is unknown: the change may or may not stand.
        """

    def record_part(self, ref: Ref, part: Part, step: Callable[[Upload | None], None]) -> None:
        """Record a part while watching its upload: conflicts with finish, not with other parts. `step` raises to refuse."""

    def drop_part(self, ref: Ref, number: int, step: Callable[[Upload | None], None]) -> None:
        """Un-record a part, before its first byte is rewritten, while watching its upload. `step` raises to refuse."""

    def standing(self, tenant: str) -> Standing:
        """What a tenant takes up, and what it may."""

    def due(self, index: Index, until: float, limit: int) -> list[tuple[Ref, float]]:
        """The refs whose time is not after `until`, earliest first, with their time."""

    def count(self, index: Index) -> int:
        """How many refs an index holds."""

    def settle_index(self, index: Index, refs: Iterable[tuple[Ref, float]]) -> None:
        """Take refs off an index, each only if its time is still the one given. Works when Redis is full."""

    def memory(self) -> float | None:
        """How full the database is, as a share of what it may take; None where nothing bounds it."""

    def ping(self) -> None:
        """Raise RecordsDown unless Redis answers."""


class Tallies(Protocol):
    """What tenants take up: their limits, and the count itself. It is kept with every commit; counting anew is for what was lost."""

    def standing(self, tenant: str) -> Standing:
        """What a tenant takes up, and what it may."""

    def allow(self, tenant: str, limit: str, most: int | None) -> None:
        """Set one of a tenant's limits, `bytes` or `uploads`: 0 is none, None the one of every tenant that has none of its own."""

    def recount(self) -> list[str]:
        """Count all records of all tenants. Returns the tenants whose records changed too often meanwhile; their count stays as it was."""


class Locks(Protocol):
    """One sequential writer an upload."""

    def acquire(self, ref: Ref) -> str | None:
        """A token, good for LOCK seconds, or None while somebody else has it."""

    def renew(self, ref: Ref, token: str) -> bool:
        """Whether the token still holds; if so for another LOCK seconds."""

    def release(self, ref: Ref, token: str) -> None:
        """Let go, if the token still holds."""


class Signals(Protocol):
    """Who waits for an operation hears of every change; who waited in vain hears nothing."""

    def listen(self, ref: Ref) -> AbstractContextManager[Waiter]:
        """Subscribed when it is entered: read the record after that, then wait."""


class Waiter(Protocol):
    """One subscription."""

    def wait(self, seconds: float) -> bool:
        """True as soon as something was announced since the last wait (or since listening began); False after `seconds`."""


class Pulse(Protocol):
    """Proof that a queue is consumed."""

    def mark(self, name: str) -> None:
        """Somebody of this name was alive just now."""

    def age(self, name: str) -> float | None:
        """Seconds since the last mark, or None without one."""

    def once(self, name: str, seconds: float) -> bool:
        """True for one caller in every `seconds`."""

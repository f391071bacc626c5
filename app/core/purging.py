"""What is due to go, said or done at once: the sweeps of `retention` and `emptying`, one after the other, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core import timing
from app.core.asset import Asset, Blob
from app.core.emptying import Emptying
from app.core.ports import Records, Store
from app.core.refs import Index
from app.core.retention import Retention
from app.core.upload import Upload

if TYPE_CHECKING:
    from app.core.retention import Swept

COUNTED = 10_000  # of one kind; what is beyond is there, and is not counted
INDEXES = {
    "expire_uploads": Index.EXPIRY_UPLOADS,
    "purge_assets": Index.EXPIRY_ASSETS,
    "purge_operations": Index.EXPIRY_OPERATIONS,
    "empty_folders": Index.EMPTYING,
    "write_manifests": Index.MANIFEST,
    "delete_doomed": Index.DOOMED,
}


@dataclass(frozen=True, slots=True)
class Due:
    """What one sweep would look at now. `count`: at the most COUNTED; `size`: bytes, where they are known; `since`: the earliest, in seconds ago."""

    name: str
    count: int
    size: int
    since: float


@dataclass(frozen=True, slots=True)
class Purging:
    """The operator's hands when he does not wait for beat."""

    retention: Retention
    emptying: Emptying

    @property
    def _records(self) -> Records:
        return self.retention.records

    @property
    def _store(self) -> Store:
        return self.retention.store

    def due(self, *, orphans: bool = False) -> Iterator[Due]:
        """What `run` would begin with; nothing is changed. What it then dooms follows `timing.GRACE` seconds later. Raises RecordsDown, StoreDown."""
        now = self._records.now()
        for name, index in INDEXES.items():
            refs = self._records.due(index, now, COUNTED)
            found = self._records.many([ref for ref, _ in refs]) if name != "write_manifests" else []
            yield Due(name, len(refs), sum(map(_size, found)), now - min((at for _, at in refs), default=now))
        if orphans:
            yield Due("sweep_orphans", sum(1 for _ in self._store.staged_before(timing.ORPHAN)), 0, 0.0)

    def run(self, *, orphans: bool = False) -> Iterator[Swept]:
        """Every sweep until nothing is due, or what is left cannot be done now. Raises RecordsDown, StoreDown."""
        sweeps: dict[str, Callable[[], Swept]] = {name: getattr(self.retention, name, self.emptying.empty_folders) for name in INDEXES}
        for sweep in (*sweeps.values(), *([self.retention.sweep_orphans] if orphans else [])):
            yield _all(sweep)


def _all(sweep: Callable[[], Swept]) -> Swept:
    """Pass after pass, as long as each gets something done and leaves some. The sum of them."""
    swept = sweep()
    done, seconds = swept.done, swept.seconds
    while swept.more and swept.done:
        swept = sweep()
        done, seconds = done + swept.done, seconds + swept.seconds
    return type(swept)(swept.name, done, round(seconds, 3), swept.more)


def _size(of: Any) -> int:
    match of:
        case Upload():
            return of.offset
        case Asset(facts=facts) if facts:
            return facts.size
        case Blob(size=size):
            return size or 0
    return 0

"""Lists that are read in slices: newest first, each slice from behind the place where the one before ended.

What is made or removed between two slices changes nothing about the rest: a place is a moment and a name, not a count. A slice reads at most
SCANNED members, so that a filter which lets little through costs no more than one that lets all: it may then be short, or empty, and still
not be the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.refs import Place, Shelf

if TYPE_CHECKING:
    from app.core.ports import Records

SCANNED = 1000  # members that one slice looks at, at the most
BATCH = 250  # members that are read at once, at the most


@dataclass(frozen=True, slots=True)
class Wanted:
    """Up to `limit` of what stands in some lists and `fits`, from behind `after` on, made at `since` or later."""

    shelves: tuple[Shelf, ...]
    limit: int
    fits: Callable[[Any], bool]
    after: Place | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Some members of a list, and the place behind which it goes on; None at its end."""

    items: list[Any]
    end: Place | None


def read(records: Records, wanted: Wanted) -> Slice:
    """The next slice."""
    items: list[Any] = []
    place, scanned, batch = wanted.after, 0, min(wanted.limit + 1, BATCH)
    while scanned < SCANNED:
        places = _behind(place, records, wanted, batch)
        ended = len(places) < batch
        for at, found in zip(places, records.many([each.ref for each in places if each.ref]), strict=True):
            if found is not None and wanted.fits(found):
                items.append(found)
            if len(items) == wanted.limit:
                return Slice(items, None if ended and at == places[-1] else at)
        if ended:
            return Slice(items, None)
        place, scanned, batch = places[-1], scanned + batch, min(2 * batch, BATCH)
    return Slice(items, place)


def _behind(place: Place | None, records: Records, wanted: Wanted, count: int) -> list[Place]:
    """Up to `count` places; fewer where the list ends, or what is too old begins."""
    found = records.shelves_after(wanted.shelves, place, count)
    return [each for each in found if wanted.since is None or each.made >= wanted.since]

"""How often somebody may come: fixed windows, counted where every process sees them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` in `seconds`, counted from the first. `name` is what a client calls it."""

    name: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Spent:
    """A window after a visit: how many are left in it (less than none: this one was too many), and in how many seconds it begins anew."""

    window: Window
    left: int
    reset_after: float

    @property
    def remaining(self) -> int:
        """How many are left, as a client is told."""
        return max(0, self.left)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a visit came to: every window asked for, in the order asked."""

    windows: tuple[Spent, ...] = ()

    @property
    def exceeded(self) -> tuple[Spent, ...]:
        """The windows in which this was too many."""
        return tuple(spent for spent in self.windows if spent.left < 0)

    @property
    def allowed(self) -> bool:
        """Whether every window had room."""
        return not self.exceeded

    @property
    def retry_after(self) -> int:
        """Whole seconds until every window has room again; 0 while all have."""
        return max((max(1, math.ceil(spent.reset_after)) for spent in self.exceeded), default=0)

    def of(self, name: str) -> Spent | None:
        """The window of this name; None when it is not limited."""
        return next((spent for spent in self.windows if spent.window.name == name), None)


class Quota(Protocol):
    """Counts visits. The clock is the one of the counters' server, so processes on many machines agree."""

    def spend(self, name: str, windows: Sequence[Window]) -> Allowance:
        """Count one visit of `name` in every window, and say how each stands. One round trip; exact however many come at once.

        One that was too many is counted, too: who goes on regardless is not let in sooner in the longer window. When there is no room
        to count, everybody is let in: those who come may be those who free some.
        """

    def look(self, name: str, windows: Sequence[Window]) -> Allowance:
        """How each window would stand after one more visit, without counting it."""

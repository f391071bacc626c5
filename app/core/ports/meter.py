"""What is counted while the work goes on."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Takes numbers down. Never waits for anything but this machine's memory, never raises for what happens outside, is used by many threads at once.

    `what` is a metric's name without the house's prefix; its labels, and what it means, stand in `docs/metrics.md`. A label's value is one of
    few: never a tenant, an id, a path or anything else that a client chooses.
    """

    def count(self, what: str, amount: float = 1.0, /, **labels: str) -> None:
        """So much more of it since the beginning."""

    def observe(self, what: str, value: float, /, **labels: str) -> None:
        """One of many like it: seconds, as a rule."""

    def shift(self, what: str, by: float, /, **labels: str) -> None:
        """So much more, or less, of it at the moment, in this process; what ends with the process is no longer counted."""

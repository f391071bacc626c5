"""The meter of a house in which nobody counts."""

from __future__ import annotations

from app.core.ports import Meter


class Silence:
    """The port Meter, doing nothing."""

    def count(self, what: str, amount: float = 1.0, /, **labels: str) -> None:
        """Nothing."""

    def observe(self, what: str, value: float, /, **labels: str) -> None:
        """Nothing."""

    def shift(self, what: str, by: float, /, **labels: str) -> None:
        """Nothing."""


SILENT: Meter = Silence()

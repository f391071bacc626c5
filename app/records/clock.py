"""The one clock: Redis TIME, and for tests a shift beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from app.records.link import Command, Link


class Clock:
    """Seconds since the epoch by Redis. The shift, in seconds, is read only when a key for it was named."""

    def __init__(self, link: Link, shift_key: str | None) -> None:
        self._link = link
        self.commands: tuple[Command, ...] = (("TIME",),) if shift_key is None else (("TIME",), ("GET", shift_key))

    def now(self) -> float:
        """The time."""
        return read(self._link.ask(*self.commands))


def read(answers: Sequence[Any]) -> float:
    """The time out of the answers to a clock's commands."""
    (seconds, micros), *shift = answers
    return int(seconds) + int(micros) / 1e6 + float(shift[0] or 0.0 if shift else 0.0)

"""Who was alive when, by Redis' own clock: a test that moves the house's clock has not stopped a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.records import clock, keys

if TYPE_CHECKING:
    from app.records.link import Link


class RedisPulse:
    """The port Pulse."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def mark(self, name: str) -> None:
        """Alive just now."""
        now = clock.read([self._link.one("TIME")])
        self._link.one("SET", keys.pulse(name), now)

    def age(self, name: str) -> float | None:
        """Seconds since the last mark; never less than none, should the clock step back."""
        marked, time = self._link.ask(("GET", keys.pulse(name)), ("TIME",))
        return None if marked is None else max(0.0, clock.read([time]) - float(marked))

    def once(self, name: str, seconds: float) -> bool:
        """Whether nobody else did within `seconds`."""
        return bool(self._link.one("SET", keys.once(name), 1, "NX", "PX", max(1, int(seconds * 1000))))

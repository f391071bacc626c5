"""Visits counted in fixed windows, as the library `limits` counts them: its keys, its script, sent over the room's own link.

Its storage for Redis would ask three times a window, over a client that repeats commands; here all windows are one round trip and nothing
is repeated. The clock is Redis' own: a window is the life of its key, so a test that moves the house's clock moves no window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from redis.exceptions import OutOfMemoryError, ResponseError

from app.core.ports.quota import Allowance, Spent
from app.records import keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from app.core.ports.quota import Window
    from app.records.link import Command, Link

COUNT = RedisStorage.SCRIPT_INCR_EXPIRE.decode()  # KEYS: counter. ARGV: seconds, how many
FULL = "-OOM"  # servers before Redis 7 wrap a refusal for want of memory into an error of the script


class RedisQuota:
    """The port Quota."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def spend(self, name: str, windows: Sequence[Window]) -> Allowance:
        """Count, and look at what is left of the windows, in one round trip."""
        named = _named(name, windows)
        if not named:
            return Allowance()
        counts: list[Command] = [("EVAL", COUNT, 1, key, window.seconds, 1) for window, key in named]
        with self._link.wire() as wire:
            try:
                return _allowance(named, wire.ask([*counts, *_lives(named)]), 0)
            except ResponseError as refused:
                if not isinstance(refused, OutOfMemoryError) and FULL not in str(refused):
                    raise
                return Allowance()

    def look(self, name: str, windows: Sequence[Window]) -> Allowance:
        """As if one more were counted."""
        named = _named(name, windows)
        answers = self._link.ask(*(("GET", key) for _, key in named), *_lives(named)) if named else []
        return _allowance(named, answers, 1)


def _named(name: str, windows: Sequence[Window]) -> list[tuple[Window, str]]:
    """Each window and the key of its counter. The limit is part of it: one that was changed counts anew."""
    return [(window, keys.quota(RateLimitItemPerSecond(window.limit, window.seconds).key_for(name))) for window in windows]


def _lives(named: Sequence[tuple[Window, str]]) -> list[Command]:
    return [("PTTL", key) for _, key in named]


def _allowance(named: Sequence[tuple[Window, str]], answers: Sequence[Any], more: int) -> Allowance:
    """Counts first, then what is left of each window in milliseconds; less than none where nothing was counted yet."""
    visits, lives = answers[: len(named)], answers[len(named) :]
    return Allowance(
        tuple(
            Spent(window, window.limit - int(count or 0) - more, max(0, int(life)) / 1000)
            for (window, _), count, life in zip(named, visits, lives, strict=True)
        )
    )

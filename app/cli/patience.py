"""Patience with networks that break and servers that are busy: what is tried again, when, and for how long."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

T = TypeVar("T")

TRIES = 11  # of one request in a row, two minutes or so …
FIRST_TRIES = 3  # … but only these before anything answered: then the address is wrong, or nobody is at home
PAUSE_FIRST, PAUSE_MOST = (
    0.5,
    30.0,
)  # seconds between tries: doubling, and a random part of it is left out, so that clients do not come in step
RETRY_AFTER_MOST = 300.0  # a server that names a longer wait than this is told to the user instead


class Again(Exception):
    """It did not work, and may the next time. `after`: seconds that the server asked for."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


class GivenUp(Exception):
    """It did not work however often it was tried; the message says why, the last time."""


class Stopped(Exception):
    """The user wants it to end."""


@dataclass(slots=True)
class Patience:
    """Shared by all threads of a command. `stop` ends every wait; `say` is told what is tried again."""

    say: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    reached: bool = False  # whether anything ever answered

    def through(self, attempt: Callable[[int], T]) -> T:
        """What `attempt` gives, called with 0, 1, … while it raises Again. Raises GivenUp, Stopped, and what else it raises."""
        turn = 0
        while True:
            self.check()
            try:
                return attempt(turn)
            except Again as again:
                turn += 1
                self._prepare(turn, again)

    def _prepare(self, turn: int, again: Again) -> None:
        """Wait until the next try. Raises GivenUp when there is none."""
        if turn >= (TRIES if self.reached else FIRST_TRIES) or again.after > RETRY_AFTER_MOST:
            raise GivenUp(str(again)) from again
        pause = pause_before(turn, again.after)
        if turn > 1:
            self.say(f"{again}; trying again in {pause:.0f} s")
        self.rest(pause)

    def rest(self, seconds: float) -> None:
        """Wait. Raises Stopped."""
        self.stop.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise Stopped when the user wants it to end."""
        if self.stop.is_set():
            raise Stopped


def pause_before(turn: int, after: float) -> float:
    """Seconds to wait before the `turn`-th repetition (from 1), never less than the server asked for."""
    return max(after, min(PAUSE_MOST, PAUSE_FIRST * 2.0 ** (turn - 1)) * random.uniform(0.5, 1.0))


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After field asks for (RFC 9110, section 10.2.3): a number or a date; 0 for what is neither."""
    if value is None:
        return 0.0
    if value.isascii() and value.isdigit() and len(value) < len("1000000"):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0

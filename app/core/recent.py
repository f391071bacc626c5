"""What was found lately: many ask, one looks."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH = 1.0  # seconds for which what was found is told again


class Recent(Generic[T]):
    """What was found lately. However many ask, one of them looks, at most once in FRESH seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._found: T | None = None
        self._at = -math.inf

    def get(self, look: Callable[[], T]) -> T:
        """What `look` finds, or found lately. While somebody looks, the others wait for that; at most FRESH if there is an older answer."""
        found = self._found
        if found is not None and self._clock() - self._at < FRESH:
            return found
        if not self._lock.acquire(timeout=-1 if found is None else FRESH) and found is not None:
            return found
        try:
            if self._found is None or self._clock() - self._at >= FRESH:
                self._found, self._at = look(), self._clock()
            return self._found
        finally:
            self._lock.release()

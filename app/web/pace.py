"""How slow a sender may be: a thread must not hang on one who says nothing, or next to nothing.

Only the time spent waiting for the sender counts; what the disk or S3 takes is not his doing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import ClientGone

IDLE = 20.0  # seconds without a byte
FLOOR = 1024  # bytes a second …
WINDOW = 60.0  # … on average over so many seconds of waiting


class Pace:
    """Watches one body. `spent`: seconds of waiting in all. Not shared by threads."""

    def __init__(self, idle: float = IDLE, floor: float = FLOOR, window: float = WINDOW) -> None:
        self.idle = idle
        self._floor = floor
        self._window = window
        self.spent = 0.0
        self._waited = 0.0
        self._received = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time that the block takes as waiting for the sender."""
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self.spent += took
            self._waited += took

    def received(self, count: int) -> None:
        """Count bytes. Raises ClientGone when they came below the floor for a whole window."""
        self._received += count
        if self._waited < self._window:
            return
        if self._received < self._floor * self._waited:
            raise ClientGone
        self._waited, self._received = 0.0, 0

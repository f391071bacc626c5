"""Waiting for an operation to end: a bounded number of waiters, no busy loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.core.errors import Fault
from app.core.operation import Operation
from app.core.ports import Records, Signals

SLICE = 1.0  # a waiter looks up this often, to see whether the process is going away


class Waiting:
    """At most `most` threads of this process wait at a time; above that the answer is what stands now."""

    def __init__(
        self, records: Records, signals: Signals, most: int, leaving: Callable[[], bool], seated: Callable[[int], None] = lambda _: None
    ) -> None:
        """`seated` hears 1 when somebody begins to wait, -1 when that ends."""
        self._records, self._signals, self._leaving, self._seated = records, signals, leaving, seated
        self._seats = threading.BoundedSemaphore(most)

    def wait(self, op: Operation, seconds: float) -> Operation:
        """The operation as soon as it is final, or as it stands after `seconds`, at once when too many wait or the process drains."""
        if op.final or seconds <= 0 or not self._seats.acquire(blocking=False):
            return op
        self._seated(1)
        try:
            return self._wait(op, time.monotonic() + seconds)
        except Fault:
            return op  # it was read a moment ago; the client may ask again
        finally:
            self._seated(-1)
            self._seats.release()

    def _wait(self, op: Operation, until: float) -> Operation:
        with self._signals.listen(op.ref) as waiter:
            latest = self._read(op)
            while not latest.final and not self._leaving() and (left := until - time.monotonic()) > 0:
                if waiter.wait(min(left, SLICE)):
                    latest = self._read(op)
        return latest if latest.final else self._read(op)

    def _read(self, op: Operation) -> Operation:
        found: Operation | None = self._records.get(op.ref)
        return found or op

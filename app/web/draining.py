"""Whether this process is about to go: long polls answer at once, writers commit and end."""

from __future__ import annotations

import signal
import threading
from types import FrameType

draining = threading.Event()


def begun() -> bool:
    """Whether the process was asked to end."""
    return draining.is_set()


def start() -> None:
    """Hear SIGTERM before the handler that is there now. For gunicorn's `post_worker_init`: from then on that handler is the worker's."""
    before = signal.getsignal(signal.SIGTERM)

    def hear(number: int, frame: FrameType | None) -> None:
        draining.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, hear)

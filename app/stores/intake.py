"""Bytes of a client on their way into a file, and the tick that goes with them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from app.core.errors import ClientGone, Code, UploadError
from app.core.parts import Slot
from app.core.ports import Body, Tick
from app.core.sums import NOTHING, Sum
from app.stores.sums import Running

CHUNK = 4 * 1024 * 1024  # the most that is asked for at once; a body returns as soon as something came
EVERY = 0.8  # seconds between ticks: the port promises one a second


class Ticker:
    """Calls a tick about once a second, however often it is called itself."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._due = 0.0

    def __call__(self, offset: int) -> None:
        """Tick, if it is time."""
        if time.monotonic() >= self._due:
            self.now(offset)

    def now(self, offset: int) -> None:
        """Tick, whenever the last one was."""
        self._tick(offset)
        self._due = time.monotonic() + EVERY


@dataclass(slots=True)
class Intake:
    """A body being read. `running`: the sum of what came. `ended`: nothing more comes; `gone`: because the sender left early."""

    body: Body
    ticker: Ticker
    running: Running
    ended: bool = False
    gone: bool = False

    def fill(self, fd: int, at: int, limit: int, offset: int) -> int:
        """Move at most `limit` bytes into the file at `at`; they begin at `offset` of the upload. Returns how many came."""
        taken = 0
        while taken < limit and not self.ended:
            got = self._some(fd, at + taken, min(CHUNK, limit - taken))
            self.running.landed(fd, at + taken, got)
            taken += got
            if got:
                self.ticker(offset + taken)
        return taken

    def _some(self, fd: int, at: int, limit: int) -> int:
        try:
            got = self.body.into(fd, at, limit)
        except ClientGone:
            self.gone = self.ended = True
            return 0
        self.ended = got == 0
        return got


def take_part(slot: Slot, body: Body, fd: int, at: int, ticker: Ticker, *, sums: bool) -> tuple[int, Sum | None]:
    """Move the body of one part into a file, and not a byte more than its slot has. Returns its size and its sum.

    Raises UploadError(PART_SIZE) when it is longer, or shorter than an exact slot; ClientGone when it was cut.
    """
    check_size(slot, body.length)
    intake = Intake(body, ticker, Running(NOTHING if sums else None))
    size = intake.fill(fd, at, slot.size, slot.offset)
    if intake.gone:
        raise ClientGone
    if size == slot.size and body.length is None:
        size += _beyond(body)
    check_size(slot, size)
    return size, intake.running.sum


def check_size(slot: Slot, size: int | None) -> None:
    """Raise UploadError(PART_SIZE) unless a part of this size, where it is known, fits its slot. Only the part of an empty file is empty."""
    if size is not None and (size > slot.size or (size == 0 and slot.size > 0) or (slot.exact and size != slot.size)):
        raise UploadError(Code.PART_SIZE, number=slot.number, expected=slot.size, size=size)


def _beyond(body: Body) -> int:
    """1 when the body goes on: its next byte falls into a file of its own, not into the place of the next part."""
    scratch = os.memfd_create("beyond", os.MFD_CLOEXEC)
    try:
        return body.into(scratch, 0, 1)
    finally:
        os.close(scratch)

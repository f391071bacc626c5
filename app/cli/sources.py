"""Files on their way out: opened once, read in slices, and caught when they change meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.patience import Patience

RUN = 1024 * 1024  # bytes read at once while hashing

Tick = Callable[[int], None]


class Changed(Exception):
    """The file is not what it was when the upload began, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open file: its descriptor, its size in bytes, and when it was last changed, in nanoseconds."""

    path: Path
    fd: int
    size: int
    changed: int
    patience: Patience

    def check(self) -> None:
        """Raise Changed unless it is as it was."""
        now = os.fstat(self.fd)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed):
            raise Changed("The file changed while it was being uploaded.")

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes. Raises Changed where the file ends too early, Stopped."""
        self.patience.check()
        try:
            piece = os.pread(self.fd, size, offset)
        except OSError as fault:
            raise Changed(f"The file cannot be read: {fault.strerror}") from fault
        if not piece:
            raise Changed("The file became shorter while it was being uploaded.")
        return piece

    def digest(self, tick: Tick) -> str:
        """`sha256:{hex}` of the whole file; `tick` is told the bytes as they are read."""
        found, at = hashlib.sha256(), 0
        while at < self.size:
            piece = self.read(at, min(RUN, self.size - at))
            found.update(piece)
            at += len(piece)
            tick(len(piece))
        self.check()
        return f"sha256:{found.hexdigest()}"


class Slice:
    """A run of a file as a body. `tick` is told the bytes as they are handed over; `back` takes back what this slice told."""

    def __init__(self, source: Source, offset: int, size: int, tick: Tick) -> None:
        self._source, self._at, self._left, self._tick, self._told = source, offset, size, tick, 0

    def read(self, limit: int) -> bytes:
        """As a file does. Raises Changed, Stopped."""
        if not self._left:
            return b""
        piece = self._source.read(self._at, min(limit, self._left))
        self._at += len(piece)
        self._left -= len(piece)
        self._told += len(piece)
        self._tick(len(piece))
        return piece

    def back(self) -> None:
        """It was sent in vain."""
        self._tick(-self._told)
        self._told = 0


class Stream:
    """Standard input as a body: read once, so it cannot be sent again."""

    def __init__(self, patience: Patience, tick: Tick) -> None:
        self._patience, self._tick = patience, tick

    def read(self, limit: int) -> bytes:
        """What is there, at most `limit` bytes. Raises Stopped."""
        self._patience.check()
        piece = os.read(sys.stdin.fileno(), limit)
        self._tick(len(piece))
        return piece


def legible(name: str) -> str:
    """A file's name as text. Names are bytes, and need not be UTF-8: what is none is shown, and sent, as U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


@contextmanager
def opened(path: Path, patience: Patience) -> Iterator[Source]:
    """The file. Raises Changed for what cannot be read, or is no file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as fault:
        raise Changed(f"The file cannot be read: {fault.strerror}") from fault
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Changed("That is no file; what comes through a pipe is sent with `-` and --filename.")
        yield Source(path, fd, found.st_size, found.st_mtime_ns, patience)
    finally:
        os.close(fd)

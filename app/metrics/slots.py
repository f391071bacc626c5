"""Slots: the numbered places in a folder where processes write their metrics. A slot is a process' own while it holds the slot's lock.

::

    lock                 held for the moment of a claim or a look
    0.lock               held by the process of slot 0 for as long as it lives
    counter_0.db  histogram_0.db  gauge_livesum_0.db       what it writes (prometheus_client's mapped dictionaries)

The next process to claim a slot goes on counting where the last one was killed, so totals outlive processes, and there are never more files
than there were processes at a time. Locks are the kernel's (flock(2)): who is killed holds none. When nobody holds a slot, everything begins anew.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from app.metrics.catalogue import Type

_looking = threading.Lock()  # no fork while locks are taken and given back: the child would have them too, and never let go
os.register_at_fork(before=_looking.acquire, after_in_parent=_looking.release, after_in_child=_looking.release)


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that this process holds; its lock goes with the file descriptor."""

    folder: Path
    number: int
    lock: int

    def file(self, type: Type) -> Path:
        """Where values of this type lie."""
        return self.folder / f"{type.value}_{self.number}.db"

    def release(self) -> None:
        """Give it back."""
        os.close(self.lock)


def claim(folder: Path) -> Slot:
    """A slot for this process, made ready. Raises OSError for a folder that cannot be made, or that is somebody else's."""
    _make(folder)
    with _alone(folder):
        free, held = _look(folder)
        if not held:
            for file in folder.glob("*.db"):
                file.unlink()
        number = min(free, default=None)
        if number is None:
            number = next(n for n in count() if n not in held)
        for spare in free.keys() - {number}:
            os.close(free[spare])
        slot = Slot(folder, number, free[number] if number in free else _lock(folder, number))
        slot.file(Type.LIVE).unlink(missing_ok=True)  # of who had it before
        return slot


def values(folder: Path) -> list[str]:
    """The files to be read: all counters and histograms, and the gauges of those who live."""
    if not folder.is_dir():
        return []
    with _alone(folder):
        free, _ = _look(folder)
        for number, lock in free.items():
            (folder / f"{Type.LIVE.value}_{number}.db").unlink(missing_ok=True)
            os.close(lock)
        return [str(file) for file in folder.glob("*.db")]


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink():
        raise PermissionError(f"{folder} is somebody else's")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else claims or looks meanwhile, and this process does not fork."""
    with _looking:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _look(folder: Path) -> tuple[dict[int, int], set[int]]:
    """The slots that nobody holds, each with its lock, which is ours now; and the numbers of the others."""
    free, held = dict[int, int](), set[int]()
    for file in folder.glob("*.lock"):
        number = int(file.stem)
        lock = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free[number] = lock
        except BlockingIOError:
            os.close(lock)
            held.add(number)
    return free, held


def _lock(folder: Path, number: int) -> int:
    lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock

"""CRC64NVME of what comes in, and of what lies there when a worker reads it (awscrt; the algorithm is S3's own default).

::

    door     body ──► file ──► what was written is read back from the page cache and summed, at its offset ──► Staged.sum, Part.sum
    worker   sealed ──► read for the digest, summed again ──► another sum: CORRUPTED

So the bytes need not pass through the process on their way in, and are summed while the processor's cache still has them. A sum that
nobody knows (parts that went straight to S3, records of an older version, SLIPWAY_SUMS=off) is None and compared with nothing.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence

from awscrt.checksums import combine_crc64nvme, crc64nvme

from app.core.errors import Code, UploadError
from app.core.parts import Part
from app.core.sums import NOTHING, Sum
from app.core.upload import Staged

RUN = 128 * 1024  # bytes read at once: what a core keeps in its own cache; a third dearer from 256 KiB on
GAP = 64 * 1024 * 1024  # bytes that a crash left beyond the record are summed anew, so many at the most

_local = threading.local()


def added(before: Sum, piece: bytes | memoryview) -> Sum:
    """The sum of the same run and a piece behind it."""
    return Sum(crc64nvme(piece, before.value), before.size + len(piece))


def joined(sums: Sequence[Sum | None]) -> Sum | None:
    """The sum of runs that follow one another; None when one of them is not known."""
    whole = NOTHING
    for each in sums:
        if each is None:
            return None
        whole = Sum(combine_crc64nvme(whole.value, each.value, each.size), whole.size + each.size)
    return whole


def runs(fd: int, offset: int, size: int) -> Iterator[memoryview]:
    """Bytes of a file, a run at a time, each good until the next; fewer where the file ends."""
    view, end = _buffer(), offset + size
    while offset < end and (count := os.preadv(fd, [view[: end - offset]], offset)):
        yield view[:count]
        offset += count


def of_file(fd: int, offset: int, size: int, before: Sum = NOTHING) -> Sum:
    """The sum of what precedes and of `size` bytes of a file."""
    for run in runs(fd, offset, size):
        before = added(before, run)
    return before


class Running:
    """The sum of a run that grows; `sum` is None once it is not known."""

    def __init__(self, begun: Sum | None) -> None:
        self.sum = begun

    def landed(self, fd: int, at: int, size: int) -> None:
        """`size` bytes were written into a file at `at`."""
        if self.sum is not None:
            self.sum = of_file(fd, at, size, self.sum)

    def seen(self, piece: bytes | memoryview) -> None:
        """A piece passed by."""
        if self.sum is not None:
            self.sum = added(self.sum, piece)


def known(staged: Staged, offset: int) -> Sum | None:
    """The sum of a stream up to `offset`."""
    if offset == 0:
        return NOTHING
    return staged.sum if staged.sum is not None and staged.sum.size == offset else None


def known_or_read(staged: Staged, offset: int, fd: int) -> Sum | None:
    """As `known`; what a crash left beyond the record is read, if it is not too much."""
    found = staged.sum
    if found is None or not found.size < offset <= found.size + GAP:
        return known(staged, offset)
    read = of_file(fd, found.size, offset - found.size, found)
    return read if read.size == offset else None


def of_whole(staged: Staged, parts: Sequence[Part] | None, length: int) -> Sum | None:
    """The sum of what was finished: of a plan by its parts, of a stream as it stands."""
    whole = known(staged, length) if parts is None else joined([part.sum for part in parts])
    return whole if whole is not None and whole.size == length else None


def require(expected: Sum | None, found: Sum) -> None:
    """Raise UploadError(CORRUPTED) when it is known that other bytes came in."""
    if expected is not None and expected != found:
        raise UploadError(Code.CORRUPTED)


class Reading:
    """A file that is to be compared with its sum: once, however often and for whatever it is read."""

    def __init__(self, fd: int, size: int, expected: Sum | None) -> None:
        self._fd, self._size = fd, size
        self._expected = expected

    def digest(self) -> str:
        """`sha256:{hex}`. Raises UploadError(CORRUPTED)."""
        digest = hashlib.sha256()
        self._read(digest.update)
        return f"sha256:{digest.hexdigest()}"

    def check(self) -> None:
        """Raise UploadError(CORRUPTED) if that is what it is."""
        if self._expected is not None:
            self._read(lambda _run: None)

    def _read(self, look: Callable[[memoryview], None]) -> None:
        running = Running(NOTHING if self._expected else None)
        for run in runs(self._fd, 0, self._size):
            look(run)
            running.seen(run)
        if running.sum is not None:
            require(self._expected, running.sum)
        self._expected = None


def _buffer() -> memoryview:
    """The thread's own."""
    held: memoryview | None = getattr(_local, "buffer", None)
    if held is None:
        held = _local.buffer = memoryview(bytearray(RUN))
    return held

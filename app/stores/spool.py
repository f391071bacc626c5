"""Unlinked temporary files: what is on its way to S3 or from it, gone with the process whatever happens."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.core.errors import StoreDown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_AHEAD = 256 * 1024  # http.client asks for 16 KiB at a time


class Spool:
    """A folder for temporary files, made when the first one is; the system's own where it is None."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def open(self) -> BinaryIO:
        """A new file without a name, unbuffered. Raises StoreDown."""
        with self.faults():
            if self._folder is not None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file: BinaryIO = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  # who asks for it closes it
            return file

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """What the kernel refuses becomes StoreDown."""
        try:
            yield
        except OSError as fault:
            raise StoreDown(f"{self._folder or tempfile.gettempdir()}: {fault.strerror or fault}") from fault


def window(fd: int, start: int, size: int) -> BinaryIO:
    """A run of bytes of an open file as a file of its own: what boto3 wants to send. The file's position is not used."""
    return io.BufferedReader(_Window(fd, start, size), READ_AHEAD)


class _Window(io.RawIOBase):
    def __init__(self, fd: int, start: int, size: int) -> None:
        super().__init__()
        self._fd, self._start, self._size = fd, start, size
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always: a request that is tried again is read again."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        got = os.preadv(self._fd, [view], self._start + self._at) if view else 0
        self._at += got
        return got

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Within the window."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = origin + offset
        return self._at


def pour(chunks: Callable[[int], bytes], fd: int, at: int, chunk: int = 1024 * 1024) -> int:
    """Write what `chunks(limit)` gives until it is empty into a file at `at`. Returns how many bytes."""
    start = at
    while data := chunks(chunk):
        left = memoryview(data)
        while left:
            written = os.pwrite(fd, left, at)
            left, at = left[written:], at + written
    return at - start

"""A file to write into, without its descriptor: Pillow would write to that by itself, and lose why it failed when the disk is full."""

from __future__ import annotations

import os
from typing import BinaryIO


class Sink:
    """What Pillow's writers need of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """All of it."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """As the file does."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As the file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As the file does."""
        return self._file.tell()

    def flush(self) -> None:
        """As the file does."""
        self._file.flush()

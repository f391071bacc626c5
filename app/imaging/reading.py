"""Reading structured files exactly: bytes that should be there and are not mean that the file was cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from app.core.errors import Code, UploadError

BLOCK = 1 << 20


def take(file: BinaryIO, count: int) -> bytes:
    """The next `count` bytes. Raises UploadError(TRUNCATED) when the file ends before."""
    data = file.read(count)
    if len(data) < count:
        raise UploadError(Code.TRUNCATED)
    return data


def blocks(file: BinaryIO, count: int, most: int = BLOCK) -> Iterator[bytes]:
    """The next `count` bytes, at most `most` at a time, so that no length in a file becomes a length in memory."""
    while count > 0:
        block = take(file, min(count, most))
        count -= len(block)
        yield block


def size_of(file: BinaryIO) -> int:
    """The size of the file in bytes; moves the file's position to its end."""
    return file.seek(0, os.SEEK_END)


def damaged() -> UploadError:
    """The refusal of a file whose structure contradicts itself."""
    return UploadError(Code.UNDECODABLE)

"""GIF, block by block (GIF89a specification, CompuServe 1990). Frames are counted without decoding, and no further than asked."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.core.ports import Header
from app.imaging.exif import UPRIGHT
from app.imaging.reading import take

_EXTENSION, _FRAME, _TRAILER = b"!", b",", b";"
_CONTROL = 0xF9
_TABLE = 0x80  # this bit of the flags says that a colour table follows; the lowest three say how long it is
_TRANSPARENT = 0x01


class _Frame(NamedTuple):
    right: int
    bottom: int
    has_alpha: bool


def header(file: BinaryIO, max_frames: int) -> Header:
    """The canvas is the screen, grown to hold every frame, as decoders grow it. Raises UploadError(TRUNCATED)."""
    file.seek(6)
    width, height = struct.unpack("<HH", take(file, 4))
    count, has_alpha = 0, False
    for frame in _frames(file):
        width, height = max(width, frame.right), max(height, frame.bottom)
        has_alpha = has_alpha or frame.has_alpha
        count += 1
        if count > max_frames:
            break
    return Header(width, height, count, UPRIGHT, has_alpha)


def whole(file: BinaryIO) -> int:
    """Every block up to the trailer is there; where that ends. Raises UploadError(TRUNCATED)."""
    header(file, sys.maxsize)
    return file.tell()


def _frames(file: BinaryIO) -> Iterator[_Frame]:
    file.seek(10)
    _skip_table(file, take(file, 3)[0])
    has_alpha = False
    while (kind := take(file, 1)) != _TRAILER:  # a byte of no kind between blocks is skipped, as decoders do
        if kind == _EXTENSION:
            has_alpha = _extension(file) or has_alpha
        elif kind == _FRAME:
            left, top, width, height, flags = struct.unpack("<4HB", take(file, 9))
            _skip_table(file, flags)
            take(file, 1)
            _skip_blocks(file)
            yield _Frame(left + width, top + height, has_alpha)


def _extension(file: BinaryIO) -> bool:
    """Skip an extension; whether it makes a colour transparent."""
    label, length = take(file, 2)
    transparent = label == _CONTROL and length > 0 and bool(take(file, length)[0] & _TRANSPARENT)
    if label != _CONTROL:
        file.seek(length, os.SEEK_CUR)
    if length:
        _skip_blocks(file)
    return transparent


def _skip_table(file: BinaryIO, flags: int) -> None:
    if flags & _TABLE:
        take(file, 3 << ((flags & 7) + 1))


def _skip_blocks(file: BinaryIO) -> None:
    """Past the sub-blocks, each led by its length, and the empty one that ends them."""
    while length := take(file, 1)[0]:
        file.seek(length, os.SEEK_CUR)

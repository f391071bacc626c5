"""JPEG, marker by marker (ITU-T T.81, annex B): dimensions, orientation, scans, and the end-of-image marker."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import exif
from app.imaging.reading import BLOCK, damaged, take

MAX_SCANS = 250  # a progressive image has about ten; each costs a walk over the whole, so thousands of empty ones are an attack

MAX_LOOKS = 1_000_000  # bytes that are looked at one by one before the first scan, two for each segment: a decoder takes seconds for them

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_END, _SCAN, _APP1, _MARKS = 0xD9, 0xDA, 0xE1, 0xFF
_HEAD = 4  # bytes of a marker and its length
# Inside coded data 0xFF is followed by 0 or a restart marker; else it ends the image, or begins a segment, whose length stands behind it.
_MARK = re.compile(rb"\xff(?:\xd9|[\xc4\xcc\xda-\xdd\xe0-\xef\xfe](..))", re.DOTALL)


def header(file: BinaryIO, max_frames: int) -> Header:  # noqa: ARG001 - a JPEG shows one picture; what a phone appends to it is no frame
    """Raises UploadError: TRUNCATED, UNDECODABLE, TOO_COMPLEX."""
    size, orientation = None, exif.UPRIGHT
    for marker, length in _segments(file):
        if marker in _START_OF_FRAME:
            size = struct.unpack(">xHH", take(file, 5))
        elif marker == _APP1 and orientation == exif.UPRIGHT:
            orientation = _orientation(take(file, length))
    if size is None:
        raise damaged()
    height, width = size
    return Header(width, height, 1, orientation, has_alpha=False)


def whole(file: BinaryIO) -> int:
    """The end-of-image marker is there, after a sensible number of scans; where it ends. Raises UploadError: TRUNCATED, TOO_COMPLEX."""
    for _ in _segments(file):
        pass
    scans = 1
    for marker, end in _marks(file):
        if marker == _END:
            return end
        scans += 1
        if scans > MAX_SCANS:
            raise UploadError(Code.TOO_COMPLEX)
    raise UploadError(Code.TRUNCATED)


def _orientation(segment: bytes) -> int:
    return exif.orientation(segment) if segment.startswith(b"Exif\0\0") else exif.UPRIGHT


def _segments(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Marker and length of each segment up to the first scan's, the file standing at its payload; afterwards, at the coded data."""
    file.seek(2)
    marker, singles = 0, _singles(file)
    while marker != _SCAN:
        marker = _marker(singles)
        if marker in _STANDALONE:
            continue
        if marker == _END:
            raise damaged()
        length = max(int.from_bytes(take(file, 2), "big") - 2, 0)
        start = file.tell()
        yield marker, length
        file.seek(start + length)


def _singles(file: BinaryIO) -> Iterator[int]:
    """Byte by byte, from wherever the file stands. Raises UploadError(TOO_COMPLEX) at the last that is looked at so."""
    for _ in range(MAX_LOOKS):
        yield take(file, 1)[0]
    raise UploadError(Code.TOO_COMPLEX)


def _marker(singles: Iterator[int]) -> int:
    """The next marker; bytes before it that belong to no segment are skipped, as decoders do."""
    while next(singles) != _MARKS:
        pass
    while (code := next(singles)) == _MARKS:  # markers may be padded with 0xFF (B.1.1.2)
        pass
    return code


def _marks(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The scan and end markers from here on, and where each ends. Segments between scans are stepped over, whatever they hold."""
    at, more = file.tell(), True
    while more:
        file.seek(at)
        start, block = at, file.read(BLOCK)
        more = len(block) == BLOCK
        while found := _MARK.search(block, at - start):
            at = start + found.end() + _behind(found[1])
            if found[0][1] in {_END, _SCAN}:
                yield found[0][1], at
        at = max(at, start + len(block) - _HEAD + 1)


def _behind(length: bytes | None) -> int:
    """How many bytes of a segment follow its length, which counts itself."""
    return max(int.from_bytes(length, "big") - len(length), 0) if length else 0

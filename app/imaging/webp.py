"""WebP, chunk by chunk (RFC 9649): canvas, frames and orientation without making a decoder, which would allocate the canvas."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import exif
from app.imaging.reading import damaged, size_of, take

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of the extended header
_KEYFRAME = b"\x9d\x01\x2a"
_LOSSLESS = 0x2F
_SIDE = 0x3FFF  # fourteen bits of width, fourteen of height


class _Canvas(NamedTuple):
    width: int
    height: int
    has_alpha: bool
    animated: bool


def header(file: BinaryIO, max_frames: int) -> Header:
    """Raises UploadError: TRUNCATED, UNDECODABLE."""
    end = _end(file)
    canvas = _canvas(file)
    frames, orientation = 0, exif.UPRIGHT
    for kind, length in _chunks(file, end):
        if kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            orientation = exif.orientation(take(file, min(length, exif.MOST)))
        if frames > max_frames:
            break
    return Header(canvas.width, canvas.height, frames if canvas.animated else 1, orientation, canvas.has_alpha)


def whole(file: BinaryIO) -> int:
    """Every chunk is there, up to the length that the file's own header gives, which is returned. Raises UploadError(TRUNCATED)."""
    end = _end(file)
    for _ in _chunks(file, end):
        pass
    return end


def _end(file: BinaryIO) -> int:
    """Where the file ends by its own header."""
    size = size_of(file)
    file.seek(4)
    end = int.from_bytes(take(file, 4), "little") + 8
    if end > size:
        raise UploadError(Code.TRUNCATED)
    return end


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk, the file standing at its payload."""
    offset = 12
    while offset + 8 <= end:
        file.seek(offset)
        kind, length = struct.unpack("<4sI", take(file, 8))
        offset += 8 + length
        if offset > end:
            raise UploadError(Code.TRUNCATED)
        yield kind, length
        offset += length & 1


def _canvas(file: BinaryIO) -> _Canvas:
    """From the first chunk, of which there are three kinds: extended, lossy, lossless."""
    file.seek(12)
    kind, body = take(file, 8)[:4], file.read(10)
    body = body.ljust(10, b"\0")
    if kind == b"VP8X":
        width, height = int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        return _Canvas(width, height, bool(body[0] & _ALPHA), bool(body[0] & _ANIMATION))
    if kind == b"VP8 " and body[3:6] == _KEYFRAME:
        width, height = struct.unpack("<HH", body[6:10])
        return _Canvas(width & _SIDE, height & _SIDE, has_alpha=False, animated=False)
    if kind == b"VP8L" and body[0] == _LOSSLESS:
        bits = int.from_bytes(body[1:5], "little")
        return _Canvas((bits & _SIDE) + 1, ((bits >> 14) & _SIDE) + 1, bool(bits >> 28 & 1), animated=False)
    raise damaged()

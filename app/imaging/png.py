"""PNG, chunk by chunk (W3C PNG, third edition): header, frames, sums, and rows that inflate to exactly what the header says."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import exif
from app.imaging.png_rows import Rows, Shape
from app.imaging.reading import blocks, damaged, take

MAX_CHUNKS = 1_000_000  # a decoder keeps a note of every chunk that it does not know

_HEAD, _DATA, _TRAILER = b"IHDR", b"IDAT", b"IEND"
_ANIMATION, _FRAME, _FRAME_DATA = b"acTL", b"fcTL", b"fdAT"
_TELLING = frozenset({_HEAD, _DATA, _ANIMATION, _FRAME, b"tRNS", b"eXIf"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_WITH_ALPHA = frozenset({4, 6})
_MOST_FRAMES = 1 << 31  # a count above it, or of none, makes the animation invalid: only the default image counts
_SEQUENCE = 4  # the bytes of its number before the data of a frame


class Chunk(NamedTuple):
    """A chunk's kind, where its payload begins, and how long that is."""

    kind: bytes
    offset: int
    length: int


def header(file: BinaryIO, max_frames: int) -> Header:
    """Raises UploadError: TRUNCATED, UNDECODABLE, TOO_COMPLEX."""
    seen: dict[bytes, Chunk] = {}
    for chunk in _chunks(file):
        if chunk.kind in _TELLING:
            seen.setdefault(chunk.kind, chunk)
    colour, shape = _shape(file, seen)
    orientation = exif.orientation(_payload(file, seen.get(b"eXIf")))
    frames = min(_frame_count(file, seen), max_frames + 1)
    return Header(shape.width, shape.height, frames, orientation, colour in _WITH_ALPHA or b"tRNS" in seen)


def whole(file: BinaryIO) -> None:
    """Every chunk up to the trailer is there with its sum, and the rows of every frame are whole.

    Raises UploadError: TRUNCATED, UNDECODABLE, TOO_COMPLEX; zlib.error.
    """
    head = next(_chunks(file))
    _, canvas = _shape(file, {head.kind: head})
    rows, left = Rows(canvas), header(file, _MOST_FRAMES).frames
    for chunk in _chunks(file):
        if chunk.kind == _FRAME and rows.begun:
            rows.end()
            left -= 1
            rows = Rows(_frame_shape(file, chunk, canvas, left))
        _verify(file, chunk, rows if chunk.kind in {_DATA, _FRAME_DATA} else None)
    rows.end()


def _chunks(file: BinaryIO) -> Iterator[Chunk]:
    """All chunks, the trailer too; one that reaches beyond the file is found by looking for the next. The file may be moved between two."""
    offset = 8
    for _ in range(MAX_CHUNKS):
        file.seek(offset)
        length, kind = struct.unpack(">I4s", take(file, 8))
        if not kind.isalpha():
            raise damaged()
        yield Chunk(kind, offset + 8, length)
        if kind == _TRAILER:
            return
        offset += 12 + length
    raise UploadError(Code.TOO_COMPLEX)


def _shape(file: BinaryIO, seen: Mapping[bytes, Chunk]) -> tuple[int, Shape]:
    """The colour type, and what the header says of the rows."""
    width, height, depth, colour, interlaced = struct.unpack(">IIBBxxB", _payload(file, seen.get(_HEAD)))
    if colour not in _CHANNELS:
        raise damaged()
    return colour, Shape(width, height, depth * _CHANNELS[colour], bool(interlaced))


def _frame_shape(file: BinaryIO, control: Chunk, canvas: Shape, left: int) -> Shape:
    """The shape of one frame more. Nothing that was not counted, by its number or its size, is ever inflated."""
    width, height = struct.unpack(">4xII", _payload(file, control)[:12])
    if left < 1 or width > canvas.width or height > canvas.height:
        raise damaged()
    return canvas._replace(width=width, height=height)


def _frame_count(file: BinaryIO, seen: Mapping[bytes, Chunk]) -> int:
    """Frames by the animation control, and one more when the default image is not among them."""
    data, control, first = seen.get(_DATA), seen.get(_ANIMATION), seen.get(_FRAME)
    if data is None or control is None or control.offset > data.offset:
        return 1
    told = int.from_bytes(_payload(file, control)[:4], "big")
    apart = first is None or first.offset > data.offset
    return told + apart if 0 < told <= _MOST_FRAMES else 1


def _payload(file: BinaryIO, chunk: Chunk | None) -> bytes:
    """What stands in a chunk, as far as it can matter; nothing when there is none."""
    if chunk is None:
        return b""
    file.seek(chunk.offset)
    return take(file, min(chunk.length, exif.MOST))


def _verify(file: BinaryIO, chunk: Chunk, rows: Rows | None) -> None:
    """Read a chunk through, hold it against its sum, and give image data to `rows`."""
    file.seek(chunk.offset)
    number = take(file, min(_SEQUENCE, chunk.length)) if chunk.kind == _FRAME_DATA else b""
    crc = zlib.crc32(number, zlib.crc32(chunk.kind))
    for block in blocks(file, chunk.length - len(number)):
        crc = zlib.crc32(block, crc)
        if rows:
            rows.feed(block)
    if crc != int.from_bytes(take(file, 4), "big"):
        raise damaged()

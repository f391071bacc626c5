"""PNG, chunk by chunk (W3C PNG, third edition): what a file says of itself, and of how many frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import exif
from app.imaging.png_rows import Shape
from app.imaging.reading import damaged, take

MAX_CHUNKS = 1_000_000  # a decoder keeps a note of every chunk that it does not know

HEAD, DATA, TRAILER = b"IHDR", b"IDAT", b"IEND"
ANIMATION, FRAME = b"acTL", b"fcTL"
_TELLING = frozenset({HEAD, DATA, ANIMATION, FRAME, b"tRNS", b"eXIf"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_WITH_ALPHA = frozenset({4, 6})
MOST_FRAMES = 1 << 31  # a count above it, or of none, makes the animation invalid: only the default image counts


class Chunk(NamedTuple):
    """A chunk's kind, where its payload begins, and how long that is."""

    kind: bytes
    offset: int
    length: int


def header(file: BinaryIO, max_frames: int) -> Header:
    """Raises UploadError: TRUNCATED, UNDECODABLE, TOO_COMPLEX."""
    seen: dict[bytes, Chunk] = {}
    for chunk in chunks(file):
        if chunk.kind in _TELLING:
            seen.setdefault(chunk.kind, chunk)
    colour, canvas = shape(file, seen)
    orientation = exif.orientation(payload(file, seen.get(b"eXIf")))
    frames = min(_frame_count(file, seen), max_frames + 1)
    return Header(canvas.width, canvas.height, frames, orientation, colour in _WITH_ALPHA or b"tRNS" in seen)


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """All chunks, the trailer too; one that reaches beyond the file is found by looking for the next. The file may be moved between two."""
    offset = 8
    for _ in range(MAX_CHUNKS):
        file.seek(offset)
        length, kind = struct.unpack(">I4s", take(file, 8))
        if not kind.isalpha():
            raise damaged()
        yield Chunk(kind, offset + 8, length)
        if kind == TRAILER:
            return
        offset += 12 + length
    raise UploadError(Code.TOO_COMPLEX)


def shape(file: BinaryIO, seen: Mapping[bytes, Chunk]) -> tuple[int, Shape]:
    """The colour type, and what the header says of the rows."""
    width, height, depth, colour, interlaced = struct.unpack(">IIBBxxB", payload(file, seen.get(HEAD)))
    if colour not in _CHANNELS:
        raise damaged()
    return colour, Shape(width, height, depth * _CHANNELS[colour], bool(interlaced))


def _frame_count(file: BinaryIO, seen: Mapping[bytes, Chunk]) -> int:
    """Frames by the animation control, and one more when the default image is not among them."""
    data, control, first = seen.get(DATA), seen.get(ANIMATION), seen.get(FRAME)
    if data is None or control is None or control.offset > data.offset:
        return 1
    told = int.from_bytes(payload(file, control)[:4], "big")
    apart = first is None or first.offset > data.offset
    return told + apart if 0 < told <= MOST_FRAMES else 1


def payload(file: BinaryIO, chunk: Chunk | None) -> bytes:
    """What stands in a chunk, as far as it can matter; nothing when there is none."""
    if chunk is None:
        return b""
    file.seek(chunk.offset)
    return take(file, min(chunk.length, exif.MOST))

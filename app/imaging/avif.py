"""AVIF: a header by libavif, which parses without decoding, and the boxes that hold it (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import AvifImagePlugin

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import exif
from app.imaging.reading import damaged, size_of, take

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a worker's child has one core's work to do, and each thread's stack counts as address space

_TELLING = frozenset({b"meta", b"moov"})
_BOXES = frozenset({b"ftyp", b"mdat", b"moof", b"free", b"skip", b"uuid"}) | _TELLING
_LONG, _TO_THE_END = 1, 0  # two lengths that are none


def header(file: BinaryIO, max_frames: int) -> Header:
    """Width and height as stored; a rotation of the container's own counts as orientation."""
    whole(file)  # libavif does not tell a cut from other damage
    file.seek(0)
    image = AvifImagePlugin.AvifImageFile(file)
    orientation = exif.orientation(image.info.get("exif", b""))
    frames = min(image.n_frames, max_frames + 1)
    return Header(image.width, image.height, frames, orientation, image.mode.endswith("A"))


def whole(file: BinaryIO) -> int:
    """Every box of a known kind lies inside the file, the one that tells of the image too; where the last of them ends.

    Raises UploadError: TRUNCATED, UNDECODABLE.
    """
    size, told, end = size_of(file), False, 0
    for kind, end in _boxes(file, size):
        told = told or kind in _TELLING
        if end > size:
            raise UploadError(Code.TRUNCATED)
    if not told:
        raise UploadError(Code.TRUNCATED)
    return end


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """The kind of each box, and where it says that it ends."""
    offset = 0
    while offset < size:
        file.seek(offset)
        length, kind = struct.unpack(">I4s", take(file, 8))
        if kind not in _BOXES:
            return
        if length == _LONG:
            (length,) = struct.unpack(">Q", take(file, 8))
        elif length == _TO_THE_END:
            length = size - offset
        if length < 8:  # noqa: PLR2004 - a box is at least its own header
            raise damaged()
        offset += length
        yield kind, offset

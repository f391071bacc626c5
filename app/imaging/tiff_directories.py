"""The directories of a TIFF (revision 6.0, section 2; BigTIFF): each page's must lie inside the file, with what it needs to be decoded."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from app.core.errors import Code, UploadError
from app.imaging.reading import size_of, take

_BIGTIFF = 43
_NEEDED = frozenset({258, 273, 279, 324, 325, 339})  # bits of a sample, offsets and lengths of strips and tiles, sample format
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8, 18: 8}  # bytes by type


class _Layout(NamedTuple):
    """How one of the two kinds writes its numbers (struct formats without byte order), and how many bytes fit inside an entry."""

    number: str
    entry: str
    offset: str
    inside: int


_CLASSIC = _Layout("H", "HHII", "I", 4)
_BIG = _Layout("Q", "HHQQ", "Q", 8)


def require_whole(file: BinaryIO, most: int) -> None:
    """Follow the first `most` directories. Raises UploadError(TRUNCATED) when one, or what it points to, is not in the file."""
    size = size_of(file)
    file.seek(0)
    order = "<" if take(file, 2) == b"II" else ">"
    (version,) = _read(file, order, "H")
    layout = _BIG if version == _BIGTIFF else _CLASSIC
    file.seek(8 if layout is _BIG else 4)
    seen: set[int] = set()
    while len(seen) < most:
        (offset,) = _read(file, order, layout.offset)
        if offset == 0 or offset in seen:
            return
        seen.add(offset)
        _require(file, offset, order, layout, size)


def _require(file: BinaryIO, offset: int, order: str, layout: _Layout, size: int) -> None:
    """One directory; leaves the file at the offset of the next."""
    if offset >= size:
        raise UploadError(Code.TRUNCATED)
    file.seek(offset)
    (count,) = _read(file, order, layout.number)
    for _ in range(count):
        tag, kind, number, place = _read(file, order, layout.entry)
        length = number * _SIZES.get(kind, 1)
        if tag in _NEEDED and length > layout.inside and place + length > size:
            raise UploadError(Code.TRUNCATED)


def _read(file: BinaryIO, order: str, form: str) -> tuple[int, ...]:
    return struct.unpack(order + form, take(file, struct.calcsize(order + form)))

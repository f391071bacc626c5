"""The one thing that a header needs from EXIF: which way is up."""

from __future__ import annotations

import struct

UPRIGHT = 1
MOST = 1 << 20  # an EXIF block is read up to this; the directory that matters stands at its front
_ORDERS = {b"II": "<", b"MM": ">"}
_ORIENTATION = 0x0112
_SHORT = 3


def orientation(block: bytes) -> int:
    """1 to 8, from a TIFF block (EXIF 2.32, 4.6.2) with or without its `Exif` prefix; 1 where it is missing or broken."""
    block = block.removeprefix(b"Exif\0\0")
    order = _ORDERS.get(block[:2])
    try:
        return _search(block, order) if order else UPRIGHT
    except struct.error:
        return UPRIGHT


def _search(block: bytes, order: str) -> int:
    (start,) = struct.unpack_from(f"{order}4xI", block)
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, value = struct.unpack_from(f"{order}HH4xH", block, entry)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and UPRIGHT <= value <= 8 else UPRIGHT  # noqa: PLR2004 - EXIF's eight orientations
    return UPRIGHT

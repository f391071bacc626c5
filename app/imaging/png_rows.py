"""The rows of a PNG: how many bytes they are by the header, and whether the compressed data holds exactly as many."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from app.core.errors import Code, UploadError
from app.imaging.reading import BLOCK, damaged

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7: first x, y; steps


class Shape(NamedTuple):
    """What decides how many bytes the rows of an image have. `bits`: of one pixel."""

    width: int
    height: int
    bits: int
    interlaced: bool

    def size(self) -> int:
        """Bytes of all rows, each led by its filter's number (W3C PNG, 7.2 and 8)."""
        if not self.interlaced:
            return self._plain(self.width, self.height)
        return sum(self._plain(-((x - self.width) // dx), -((y - self.height) // dy)) for x, y, dx, dy in _PASSES)

    def _plain(self, width: int, height: int) -> int:
        return height * (1 + (width * self.bits + 7) // 8) if width else 0


class Rows:
    """Inflates one image's data in bounded pieces, keeps nothing, and counts.

    Raises UploadError: UNDECODABLE when it holds more or less than it should, TRUNCATED when it just stops; zlib.error.
    """

    def __init__(self, shape: Shape) -> None:
        self.begun = False
        self._left = shape.size()
        self._inflate = zlib.decompressobj()

    def feed(self, data: bytes) -> None:
        """Some more of the compressed data."""
        self.begun = True
        while data and not self._inflate.eof:
            self._count(self._inflate.decompress(data, BLOCK))
            data = self._inflate.unconsumed_tail

    def end(self) -> None:
        """That was all."""
        self._count(self._inflate.flush())
        if self._left:
            raise damaged() if self._inflate.eof else UploadError(Code.TRUNCATED)

    def _count(self, rows: bytes) -> None:
        self._left -= len(rows)
        if self._left < 0:
            raise damaged()

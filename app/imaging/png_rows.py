"""The rows of a PNG: how many bytes they are by the header, and whether the compressed data holds exactly as many, each led by a filter there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from isal import isal_zlib

from app.core.errors import Code, UploadError
from app.imaging.reading import damaged

PIECE = 256 * 1024  # bytes inflated at a time: what fits a processor's cache is fastest

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7: first x, y; steps
_FILTERS = bytes(range(5))  # W3C PNG, 9.2


class Run(NamedTuple):
    """Rows of one length: so many, each of so many bytes with its filter's number."""

    rows: int
    length: int


class Shape(NamedTuple):
    """What decides how many bytes the rows of an image have. `bits`: of one pixel."""

    width: int
    height: int
    bits: int
    interlaced: bool

    def size(self) -> int:
        """Bytes of all rows, each led by its filter's number (W3C PNG, 7.2 and 8)."""
        return sum(run.rows * run.length for run in self.runs())

    def runs(self) -> Iterator[Run]:
        """The rows in the order of the file: one run, or one for each pass that has pixels."""
        for x, y, dx, dy in _PASSES if self.interlaced else ((0, 0, 1, 1),):
            run = self._run(-((x - self.width) // dx), -((y - self.height) // dy))
            if run.rows and run.length > 1:
                yield run

    def _run(self, width: int, height: int) -> Run:
        return Run(height, 1 + (width * self.bits + 7) // 8)


class Rows:
    """Inflates one image's data in bounded pieces, keeps nothing, counts, and looks at the filter of every row.

    Raises UploadError: UNDECODABLE when it holds more or less than it should, or a filter that is none, TRUNCATED when it just stops;
    isal_zlib.error.
    """

    def __init__(self, shape: Shape) -> None:
        self.begun = False
        self._left = shape.size()
        self._runs = shape.runs()
        self._run_left, self._length, self._next = 0, 1, 0  # bytes left of a run, the length of its rows, bytes up to the next filter
        self._inflate = isal_zlib.decompressobj()

    def feed(self, data: bytes) -> None:
        """Some more of the compressed data."""
        self.begun = True
        while data and not self._inflate.eof:
            self._count(self._inflate.decompress(data, PIECE))
            data = self._inflate.unconsumed_tail

    def end(self) -> None:
        """That was all."""
        self._count(self._inflate.flush())
        if not self._inflate.eof:  # with every row there, zlib's own sum is what is missing
            raise UploadError(Code.TRUNCATED)
        if self._left:
            raise damaged()

    def _count(self, rows: bytes) -> None:
        self._left -= len(rows)
        if self._left < 0:
            raise damaged()
        while rows:
            if not self._run_left:
                self._begin(next(self._runs))
            here, rows = rows[: self._run_left], rows[self._run_left :]
            self._look(here)

    def _begin(self, run: Run) -> None:
        self._run_left, self._length, self._next = run.rows * run.length, run.length, 0

    def _look(self, here: bytes) -> None:
        """The filters of the rows that begin in this piece of one run."""
        if here[self._next :: self._length].translate(None, _FILTERS):
            raise damaged()
        self._run_left -= len(here)
        self._next = (self._next - len(here)) % self._length

"""TIFF (revision 6.0): pages that may differ in size, each in strips or tiles that must lie inside the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging.exif import UPRIGHT
from app.imaging.reading import size_of
from app.imaging.tiff_directories import require_whole

_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_RUNS = ((273, 279), (324, 325))  # offsets and byte counts: of strips, of tiles


def header(file: BinaryIO, max_frames: int) -> Header:
    """Of the first page; `area` is that of all pages. The pages' directories are read, not their pixels."""
    require_whole(file, max_frames + 1)  # Pillow does not tell a cut from other damage
    file.seek(0)
    image = TiffImageFile(file)
    has_alpha, upright = image.has_transparency_data, _orientation(image.tag_v2.get(_ORIENTATION))
    sizes = [(page[_WIDTH], page[_HEIGHT]) for page in _pages(image, max_frames + 1)]
    width, height = sizes[0]
    return Header(width, height, len(sizes), upright, has_alpha, sum(w * h for w, h in sizes))


def whole(file: BinaryIO) -> int:
    """Every strip and tile of every page lies inside the file, whose end is returned: a TIFF may have its parts anywhere.

    Raises UploadError(TRUNCATED).
    """
    size = size_of(file)
    file.seek(0)
    for page in _pages(TiffImageFile(file), size):
        if any(offset + count > size for offset, count in _runs(page)):
            raise UploadError(Code.TRUNCATED)
    return size


def _pages(image: TiffImageFile, most: int) -> Iterator[ImageFileDirectory_v2]:
    for number in range(most):
        try:
            image.seek(number)
        except EOFError:
            return
        yield image.tag_v2


def _orientation(value: Any) -> int:
    return value if isinstance(value, int) and value in range(1, 9) else UPRIGHT


def _runs(page: ImageFileDirectory_v2) -> Iterator[tuple[int, int]]:
    for offsets, counts in _RUNS:
        yield from zip(_numbers(page.get(offsets)), _numbers(page.get(counts)), strict=False)


def _numbers(value: Any) -> tuple[int, ...]:
    """A tag's value: none, one number or many."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)

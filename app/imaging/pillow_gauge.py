"""The gauge: our own readers tell what a file says of itself and whether it is whole, Pillow decodes every pixel.

Two readers of one file may understand it differently, and a bomb would hide between them. So Pillow is never let to make more pixels
than our reader counted: what it finds beyond is a refusal.
"""

from __future__ import annotations

import errno
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, cast

from PIL.ImageFile import ImageFile

from app.core.errors import Code, StoreDown, UploadError
from app.core.ports import Header
from app.imaging import signatures
from app.imaging.formats import FORMATS, Format
from app.imaging.reading import damaged

EIGHTH = 8  # a JPEG is decoded at an eighth: every coefficient is read, every cut is found, and memory stays flat
_DISK = frozenset({errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT})
_SAYINGS = (("truncated", Code.TRUNCATED), ("MAX_TEXT", Code.TOO_COMPLEX))  # what Pillow says, where its exception's type does not tell


@dataclass(frozen=True, slots=True)
class PillowGauge:
    """Fulfils the port Gauge. `interrupts`: the exceptions by which the task runner says that the time is up; they pass untouched."""

    interrupts: tuple[type[BaseException], ...] = ()

    def signature(self, file: BinaryIO) -> str:
        """See Gauge."""
        with self._refusing():
            file.seek(0)
            return signatures.sniff(file.read(signatures.PREFIX))

    def header(self, file: BinaryIO, media_type: str, max_frames: int) -> Header:
        """See Gauge."""
        with self._refusing():
            return _format(media_type).header(file, max_frames)

    def decode(self, file: BinaryIO, media_type: str, heartbeat: Callable[[], None]) -> None:
        """See Gauge. Beats after every frame."""
        known = _format(media_type)
        with self._refusing():
            header = known.header(file, sys.maxsize)
            known.whole(file)
            image = known.opened(file)
        left = header.pixels
        for frame in range(header.frames):
            with self._refusing():
                left = _decode(image, frame, left)
            heartbeat()
        with self._refusing():
            _require_end(image, header.frames)

    def digest(self, file: BinaryIO) -> str:
        """See Gauge."""
        with self._refusing():
            file.seek(0)
            return f"sha256:{hashlib.file_digest(cast('BufferedReader', file), 'sha256').hexdigest()}"

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Whatever a decoder raises becomes a refusal of the file. Raises StoreDown when it was the disk."""
        passing: tuple[type[BaseException], ...] = (UploadError, *self.interrupts)
        try:
            yield
        except passing:
            raise
        except Exception as error:  # the contract of the port: a hostile file may provoke any exception
            raise _refusal(error) from error


def _format(media_type: str) -> Format:
    if media_type not in FORMATS:
        raise UploadError(Code.NOT_AN_IMAGE)
    return FORMATS[media_type]


def _decode(image: ImageFile, frame: int, left: int) -> int:
    """Decode one frame, if it has no more pixels than are left; returns what remains."""
    image.seek(frame)
    left -= image.width * image.height
    if left < 0:
        raise damaged()
    image.draft(None, (image.width // EIGHTH or 1, image.height // EIGHTH or 1))
    image.load()
    return left


def _require_end(image: ImageFile, frames: int) -> None:
    """Raise UploadError(UNDECODABLE) when there are more frames than were counted."""
    try:
        image.seek(frames)
    except EOFError:
        return
    raise damaged()


def _refusal(error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno in _DISK:
        return StoreDown(str(error))
    if isinstance(error, MemoryError):
        return UploadError(Code.TOO_COMPLEX)
    said = str(error)
    return UploadError(next((code for saying, code in _SAYINGS if saying in said), Code.UNDECODABLE))

"""The gauge: our own readers tell what a file says of itself and whether it is whole, Pillow decodes every pixel where they cannot tell.

Two readers of one file may understand it differently, and a bomb would hide between them. So Pillow is never let to make more pixels
than our reader counted: what it finds beyond is a refusal.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, cast

from PIL.ImageFile import ImageFile

from app.core.ports import Header
from app.imaging import signatures
from app.imaging.formats import Format, known
from app.imaging.reading import damaged, size_of
from app.imaging.refusals import refusing

EIGHTH = 8  # a JPEG is decoded at an eighth: every coefficient is read, every cut is found, and memory stays flat


@dataclass(frozen=True, slots=True)
class PillowGauge:
    """Fulfils the port Gauge. `interrupts`: the exceptions by which the task runner says that the time is up; they pass untouched."""

    interrupts: tuple[type[BaseException], ...] = ()

    def signature(self, file: BinaryIO) -> str:
        """See Gauge."""
        with refusing(self.interrupts):
            file.seek(0)
            return signatures.sniff(file.read(signatures.PREFIX))

    def header(self, file: BinaryIO, media_type: str, max_frames: int) -> Header:
        """See Gauge."""
        with refusing(self.interrupts):
            return known(media_type).header(file, max_frames)

    def decode(self, file: BinaryIO, media_type: str, heartbeat: Callable[[], None]) -> int:
        """See Gauge. Beats after every frame, of a PNG after all."""
        its = known(media_type)
        with refusing(self.interrupts):
            end = its.whole(file)
            trailing = max(size_of(file) - end, 0)
        if its.judged:
            heartbeat()
        else:
            self._load(its, file, heartbeat)
        return trailing

    def _load(self, its: Format, file: BinaryIO, heartbeat: Callable[[], None]) -> None:
        """Every pixel of every frame, and no frame more."""
        with refusing(self.interrupts):
            header, image = its.header(file, sys.maxsize), its.opened(file)
        left = header.pixels
        for frame in range(header.frames):
            with refusing(self.interrupts):
                left = _decode(image, frame, left)
            heartbeat()
        with refusing(self.interrupts):
            _require_end(image, header.frames)

    def digest(self, file: BinaryIO) -> str:
        """See Gauge."""
        with refusing(self.interrupts):
            file.seek(0)
            return f"sha256:{hashlib.file_digest(cast('BufferedReader', file), 'sha256').hexdigest()}"


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

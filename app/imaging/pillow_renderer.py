"""The renderer: decodes what our own reader counted, and nothing more, places it, and writes it anew.

An animation (GIF, WebP) stays one where it is written as GIF or WebP; everything else, and every other format, shows its first frame.
Of metadata the colour profile stays, where it is one of RGB and the format can hold it; which way is up is in the pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

from PIL import Image
from PIL.ImageFile import ImageFile

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.core.renditions import ENLARGED_MOST, PIXELS_MOST, Spec
from app.imaging.canvas import SIDEWAYS, Canvas
from app.imaging.colours import colour
from app.imaging.encoding import ENCODINGS, ONCE, Encoding, Timing
from app.imaging.exif import UPRIGHT
from app.imaging.formats import known
from app.imaging.placement import Placement, Size, place
from app.imaging.reading import damaged
from app.imaging.refusals import refusing
from app.imaging.sink import Sink

ANIMATIONS = frozenset({"image/gif", "image/webp"})
TURNED_BY_PILLOW = "image/tiff"  # comes upright out of its decoder
PROFILE_MOST = 4 << 20  # bytes
SPARE = 2  # a JPEG is decoded at the scale that leaves this many times the pixels that are needed, so that the resampling has a choice


@dataclass(frozen=True, slots=True)
class _Job:
    """What one rendition needs to know of its source: how many frames, how many pixels they may have, where they go."""

    image: ImageFile
    frames: int
    pixels: int
    decoded: tuple[int, int]
    canvas: Canvas
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class PillowRenderer:
    """Fulfils the port Renderer. `interrupts`: the exceptions by which the task runner says that the time is up; they pass untouched."""

    interrupts: tuple[type[BaseException], ...] = ()

    def render(self, file: BinaryIO, media_type: str, spec: Spec, out: BinaryIO, heartbeat: Callable[[], None]) -> Header:
        """See Renderer. Beats after every frame."""
        with refusing(self.interrupts):
            job = _job(file, media_type, spec)
        frames: list[Image.Image] = []
        durations: list[int] = []
        left = job.pixels
        for number in range(job.frames):
            with refusing(self.interrupts):
                left = _decode(job, number, left)
                durations.append(round(job.image.info.get("duration") or 0))
                frames.append(job.canvas.take(job.image))
            heartbeat()
        with refusing(self.interrupts):
            timing = Timing(durations, job.image.info.get("loop", ONCE))
            job.encoding.write(frames, timing, spec.quality, _profile(job.image), cast("BinaryIO", Sink(out)))
            return _told(out, spec.media_type or media_type, frames)


def _job(file: BinaryIO, media_type: str, spec: Spec) -> _Job:
    """Raises UploadError: what is too large is refused before a pixel is decoded."""
    its, to = known(media_type), spec.media_type or media_type
    header, encoding = its.header(file, sys.maxsize), ENCODINGS[to]
    frames = header.frames if media_type in ANIMATIONS and encoding.animates else 1
    stored = Size(header.width, header.height)
    pixels = stored.width * stored.height * frames
    placement = place(_turned(stored, header.orientation), spec)
    _require_few(pixels, PIXELS_MOST)
    _require_few(placement.canvas.width * placement.canvas.height * frames, max(pixels, ENLARGED_MOST))
    encoding.require_fits(placement.canvas)
    orientation = UPRIGHT if media_type == TURNED_BY_PILLOW else header.orientation
    canvas = Canvas(placement, orientation, colour(spec.background), encoding.keeps_alpha)
    return _Job(its.opened(file), frames, pixels, _needed(placement, header.orientation), canvas, encoding)


def _turned(size: Size, orientation: int) -> Size:
    return Size(size.height, size.width) if orientation in SIDEWAYS else size


def _needed(placement: Placement, orientation: int) -> Size:
    """How large the source must be decoded at least, as it is stored."""
    return _turned(Size(SPARE * placement.width, SPARE * placement.height), orientation)


def _require_few(pixels: int, most: int) -> None:
    if pixels > most:
        raise UploadError(Code.TOO_MANY_PIXELS, pixels=pixels, limit=most)


def _decode(job: _Job, number: int, left: int) -> int:
    """Decode one frame, if it has no more pixels than are left; returns what remains."""
    job.image.seek(number)
    left -= job.image.width * job.image.height
    if left < 0:
        raise damaged()
    job.image.draft(None, job.decoded)
    job.image.load()
    return left


def _profile(image: Image.Image) -> bytes | None:
    """The colour profile, if it is one of RGB (ICC.1:2022, 7.2.6): what is written is that."""
    profile = image.info.get("icc_profile")
    sound = isinstance(profile, bytes) and len(profile) <= PROFILE_MOST and profile[16:20] == b"RGB "
    return profile if sound else None


def _told(out: BinaryIO, media_type: str, frames: list[Image.Image]) -> Header:
    """What was written. Of an animation equal frames may have become one, so its file is asked."""
    first = frames[0]
    count = known(media_type).header(out, sys.maxsize).frames if len(frames) > 1 else 1
    has_alpha = any(frame.mode == "RGBA" for frame in frames)
    return Header(first.width, first.height, count, UPRIGHT, has_alpha)

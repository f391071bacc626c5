"""Where an image comes to lie on its new canvas: the arithmetic of ImageSharp's ResizeHelper, which Squidex's thumbnails are made with.

Source: SixLabors/ImageSharp, Processing/Processors/Transforms/Resize/ResizeHelper.cs, and Squidex.Assets.ImageSharp,
ImageSharpThumbnailGenerator.cs, for what Squidex makes of a mode before. Numbers are rounded half to even, there as here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.core.renditions import Mode, Spec


class Size(NamedTuple):
    """In pixels."""

    width: int
    height: int


class Placement(NamedTuple):
    """A canvas, and the rectangle that the whole source fills: its corner may lie outside of the canvas, and it may be larger."""

    canvas: Size
    x: int
    y: int
    width: int
    height: int

    @property
    def seen(self) -> tuple[int, int, int, int]:
        """What of the canvas is covered: left, top, right, bottom."""
        right, bottom = min(self.x + self.width, self.canvas.width), min(self.y + self.height, self.canvas.height)
        return max(self.x, 0), max(self.y, 0), right, bottom

    def box(self, source: Size) -> tuple[float, float, float, float]:
        """The part of a source that is seen, in its pixels: left, top, right, bottom. Nothing outside of it needs to be made."""
        left, top, right, bottom = self.seen
        across, down = source.width / self.width, source.height / self.height
        return (
            (left - self.x) * across,
            (top - self.y) * down,
            min((right - self.x) * across, source.width),
            min((bottom - self.y) * down, source.height),
        )


def place(source: Size, spec: Spec) -> Placement:
    """Where an upright image of this size lies by `spec`."""
    if not spec.scales:
        return Placement(source, 0, 0, *source)
    wanted = _both(source, spec)
    return _RULES[_mode(source, spec)](source, wanted, spec.focus)


def _both(source: Size, spec: Spec) -> Size:
    """Width and height; one that is not said follows from the other."""
    width = spec.width or max(1, round(source.width * (spec.height or 0) / source.height))
    height = spec.height or max(1, round(source.height * (spec.width or 0) / source.width))
    return Size(width, height)


def _mode(source: Size, spec: Spec) -> Mode:
    """A crop that would enlarge both ways pads instead. A side that is not said counts as nothing here, so it enlarges then."""
    if spec.mode is Mode.CROP and (spec.width or 0) >= source.width and (spec.height or 0) >= source.height:
        return Mode.BOX_PAD
    return Mode.CROP if spec.mode is Mode.CROP_UPSIZE else spec.mode


Focus = tuple[float, float] | None


def _crop(source: Size, canvas: Size, focus: Focus) -> Placement:
    across, down = canvas.width / source.width, canvas.height / source.height
    if down < across:
        y = _cut(canvas.height, source.height * across, None if focus is None else 0.5 - focus[1] / 2)
        return Placement(canvas, 0, y, canvas.width, math.ceil(_exact(source.height * across)))
    x = _cut(canvas.width, source.width * down, None if focus is None else 0.5 + focus[0] / 2)
    return Placement(canvas, x, 0, math.ceil(_exact(source.width * down)), canvas.height)


def _cut(side: int, length: float, centre: float | None) -> int:
    """Where a length begins that is cut to a side: its centre, or what is to be in the middle, in the middle, without a gap at the ends."""
    if centre is None:
        return round((side - length) / 2)
    return max(min(0, round(side / 2 - length * centre)), round(side - length))


def _exact(length: float) -> float:
    """Without the last digits of its division: 30.000000000000004 pixels are 30."""
    return round(length, 6)


def _pad(source: Size, canvas: Size, _: Focus) -> Placement:
    across, down = canvas.width / source.width, canvas.height / source.height
    if down < across:
        x = round((canvas.width - source.width * down) / 2)
        return Placement(canvas, x, 0, max(1, round(source.width * down)), canvas.height)
    y = round((canvas.height - source.height * across) / 2)
    return Placement(canvas, 0, y, canvas.width, max(1, round(source.height * across)))


def _box_pad(source: Size, canvas: Size, focus: Focus) -> Placement:
    if source.width < canvas.width and source.height < canvas.height:
        return Placement(canvas, (canvas.width - source.width) // 2, (canvas.height - source.height) // 2, *source)
    return _pad(source, canvas, focus)


def _max(source: Size, wanted: Size, _: Focus) -> Placement:
    if source.height / source.width < wanted.height / wanted.width:
        return _whole(wanted.width, source.height * wanted.width / source.width)
    return _whole(source.width * wanted.height / source.height, wanted.height)


def _min(source: Size, wanted: Size, _: Focus) -> Placement:
    if wanted.width > source.width or wanted.height > source.height:
        return _whole(*source)
    to_width, to_height = source.width - wanted.width, source.height - wanted.height
    if to_width < to_height or (to_width == to_height and wanted.height > wanted.width):
        return _whole(wanted.width, wanted.width * source.height / source.width)
    return _whole(wanted.height * source.width / source.height, wanted.height)


def _stretch(_: Size, wanted: Size, __: Focus) -> Placement:
    return _whole(*wanted)


def _whole(width: float, height: float) -> Placement:
    """Nothing but the image."""
    size = Size(max(1, round(width)), max(1, round(height)))
    return Placement(size, 0, 0, *size)


_RULES: Mapping[Mode, Callable[[Size, Size, Focus], Placement]] = {
    Mode.CROP: _crop,
    Mode.PAD: _pad,
    Mode.BOX_PAD: _box_pad,
    Mode.MAX: _max,
    Mode.MIN: _min,
    Mode.STRETCH: _stretch,
}

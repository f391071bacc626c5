"""One frame, decoded, as it comes to lie on its canvas: upright, in red, green, blue and perhaps alpha, cut, scaled and set on its background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from app.imaging.colours import Colour
from app.imaging.placement import Placement, Size

SIDEWAYS = frozenset({5, 6, 7, 8})  # orientations that swap width and height
_OPAQUE = 255
_TURNS: Mapping[int, Image.Transpose] = {  # EXIF 2.32, 4.6.4, tag 274
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every frame of a rendition lies on. `keeps_alpha`: whether the format to come can; else transparency becomes `background`."""

    placement: Placement
    orientation: int
    background: Colour
    keeps_alpha: bool

    def take(self, frame: Image.Image) -> Image.Image:
        """The finished frame, RGB or RGBA, without anything else that came with it."""
        image = _coloured(frame)
        if self.orientation in _TURNS:
            image = image.transpose(_TURNS[self.orientation])
        image = self._set(self._scaled(image))
        image.info = {}
        return image

    def _scaled(self, image: Image.Image) -> Image.Image:
        """What is seen of it, in its size on the canvas. Bicubic, as ImageSharp does by default; alpha is premultiplied by Pillow."""
        left, top, right, bottom = self.placement.seen
        size, box = (right - left, bottom - top), self.placement.box(Size(*image.size))
        return image if (image.size, (0, 0, *size)) == (size, box) else image.resize(size, Image.Resampling.BICUBIC, box)

    def _set(self, image: Image.Image) -> Image.Image:
        covers = image.size == self.placement.canvas
        if covers and image.mode == "RGB":
            return image
        layer = image if covers else self._laid(image)
        red, green, blue, alpha = self.background
        if not self.keeps_alpha:
            alpha = _OPAQUE
        whole = Image.alpha_composite(Image.new("RGBA", layer.size, (red, green, blue, alpha)), layer) if alpha else layer
        return whole.convert("RGB") if alpha == _OPAQUE else whole

    def _laid(self, image: Image.Image) -> Image.Image:
        left, top, _, _ = self.placement.seen
        layer = Image.new("RGBA", self.placement.canvas)
        layer.paste(image.convert("RGBA"), (left, top))
        return layer


def _coloured(frame: Image.Image) -> Image.Image:
    """In RGB or RGBA. Sixteen bits a sample keep their upper eight; Pillow alone would cut them off at 255."""
    if frame.mode == "I" or frame.mode.startswith("I;16"):
        frame = frame.point(lambda sample: sample * (1 / 256)).convert("L")
    return frame.convert("RGBA" if frame.has_transparency_data else "RGB")

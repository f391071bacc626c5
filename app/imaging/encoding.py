"""The formats that renditions are written in: what each can hold, and how Pillow is told to write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL import Image

from app.core.errors import Code, UploadError
from app.core.renditions import QUALITY
from app.imaging.placement import Size

OPAQUE_FROM = 128  # a GIF knows transparent and opaque, and nothing between
ONCE = 1
Save = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How an animation plays: milliseconds of each frame; `loop` times, 0 for ever."""

    durations: Sequence[int]
    loop: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format by Pillow's name. `side`: the longest that it can write. `animates`: it keeps the frames of an animation."""

    name: str
    keeps_alpha: bool = True
    keeps_profile: bool = True
    takes_quality: bool = False
    animates: bool = False
    side: int = 65_535
    options: Mapping[str, Any] = field(default_factory=dict)

    def require_fits(self, size: Size) -> None:
        """Raise UploadError(INVALID) for an image that the format cannot hold."""
        if max(size) > self.side:
            raise UploadError(Code.INVALID, reason=f"{self.name} holds at most {self.side} pixels a side")

    def write(self, frames: Sequence[Image.Image], timing: Timing, quality: int | None, profile: bytes | None, out: BinaryIO) -> None:
        """Write the frames, of which there is one unless the format animates; nothing but a colour profile goes with them."""
        first, *rest = (_hardened(frame) if self.name == "GIF" else frame for frame in frames)
        saving = dict(self.options)
        if self.takes_quality:
            saving["quality"] = quality or QUALITY
        if self.keeps_profile and profile:
            saving["icc_profile"] = profile
        if rest:
            saving |= {"save_all": True, "append_images": rest, **self._playing(first, rest, timing)}
        first.save(out, self.name, **saving)

    def _playing(self, first: Image.Image, rest: Sequence[Image.Image], timing: Timing) -> dict[str, Any]:
        playing: dict[str, Any] = {"duration": list(timing.durations)}
        if self.name != "GIF" or timing.loop != ONCE:
            playing["loop"] = timing.loop
        if self.name == "GIF" and any(frame.mode == "RGBA" for frame in (first, *rest)):
            playing["disposal"] = 2  # cleared before the next, else what is transparent shows the one before
        return playing


def _hardened(frame: Image.Image) -> Image.Image:
    if frame.mode == "RGBA":
        frame = frame.copy()
        frame.putalpha(frame.getchannel("A").point(lambda alpha: 255 if alpha >= OPAQUE_FROM else 0))
    return frame


ENCODINGS: Mapping[str, Encoding] = {
    "image/jpeg": Encoding("JPEG", keeps_alpha=False, takes_quality=True, side=65_500),
    "image/png": Encoding("PNG"),
    "image/gif": Encoding("GIF", keeps_profile=False, animates=True),
    "image/webp": Encoding("WEBP", takes_quality=True, animates=True, side=16_383),
    "image/avif": Encoding("AVIF", takes_quality=True, options={"speed": 8, "max_threads": 1}),
    "image/tiff": Encoding("TIFF", options={"compression": "tiff_adobe_deflate"}),
    "image/bmp": Encoding("BMP", keeps_alpha=False, keeps_profile=False),
}

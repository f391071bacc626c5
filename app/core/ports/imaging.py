"""What is measured of a file, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from app.core.renditions import Spec


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself, before a pixel is decoded.

    `area`: the pixels of all frames together, where frames differ in size; None where each has width x height.
    """

    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    area: int | None = None

    @property
    def pixels(self) -> int:
        """All pixels that decoding would make, counting frames."""
        return self.width * self.height * self.frames if self.area is None else self.area


class Gauge(Protocol):
    """Measures a file, stage by stage, cheap before dear. Judges nothing but that bytes cannot be measured.

    Every exception of a decoder becomes UploadError with NOT_AN_IMAGE, TRUNCATED, UNDECODABLE or TOO_COMPLEX; nothing else leaves.
    """

    def signature(self, file: BinaryIO) -> str:
        """The media type by magic bytes; `application/octet-stream` when nothing known matches."""

    def header(self, file: BinaryIO, media_type: str, max_frames: int) -> Header:
        """Width, height, frames, orientation, alpha without decoding pixels. Stops counting frames at `max_frames` + 1."""

    def decode(self, file: BinaryIO, media_type: str, heartbeat: Callable[[], None]) -> int:
        """Make sure that every pixel of every frame can be decoded, and that the file ends as its format says. Calls heartbeat between frames.

        Returns how many bytes follow that end; none where a format has no end of its own (TIFF).
        """

    def digest(self, file: BinaryIO) -> str:
        """`sha256:{hex}` of the whole file."""


class Renderer(Protocol):
    """Makes another image of one. Opens no other format than the one named, and decodes no more pixels than the file says that it has."""

    def render(self, file: BinaryIO, media_type: str, spec: Spec, out: BinaryIO, heartbeat: Callable[[], None]) -> Header:
        """Write what `spec` asks for into `out`, a file of its own at offset 0, and say what it is. Calls heartbeat between frames.

        Upright, without metadata but the colour profile. Raises UploadError: what a Gauge raises for files that cannot be decoded, and
        TOO_MANY_PIXELS where more than PIXELS_MOST would be decoded or written, or an enlargement would have more than ENLARGED_MOST;
        INVALID for what the format cannot hold.
        """

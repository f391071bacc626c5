"""What is measured of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol


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

    def decode(self, file: BinaryIO, media_type: str, heartbeat: Callable[[], None]) -> None:
        """Decode every pixel of every frame, and check that the file ends as its format says. Calls heartbeat between frames."""

    def digest(self, file: BinaryIO) -> str:
        """`sha256:{hex}` of the whole file."""

"""What was measured of a file. Never what was declared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """Measured facts: size in bytes, digest `sha256:{hex}`, media type.

    `trailing`: bytes of the file that follow the end of the image.
    For images also width and height in pixels as stored, frames, EXIF orientation (1 to 8), and whether there is an alpha channel; None for other files.
    """

    size: int
    digest: str
    media_type: str
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    orientation: int | None = None
    has_alpha: bool | None = None
    trailing: int = 0

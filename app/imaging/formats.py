"""The formats that can be measured: for each, our reader of its structure and Pillow's class that decodes it, and no other."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, PngImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.core.errors import Code, UploadError
from app.core.ports import Header
from app.imaging import avif, gif, jpeg, png, png_whole, tiff, webp

Image.MAX_IMAGE_PIXELS = None  # how many pixels are too many is the policy's to say; the gauge holds Pillow to what was counted
PngImagePlugin.MAX_TEXT_CHUNK = 4 << 20  # colour profiles of printers reach 3 MB; what inflates to more is a bomb
warnings.filterwarnings("ignore", module=r"PIL\.")  # Pillow's doubts about metadata: what matters is an exception
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # nor may a hostile file write into our log


@dataclass(frozen=True, slots=True)
class Format:
    """`header` reads what the file says of itself, `whole` its structure to the end, which it returns; `opened` is Pillow's image, not yet decoded.

    `judged`: `whole` has looked at all that a decoder would refuse, so that no pixel needs to be decoded.
    """

    header: Callable[[BinaryIO, int], Header]
    whole: Callable[[BinaryIO], int]
    image: Callable[[BinaryIO], ImageFile]
    judged: bool = False

    def opened(self, file: BinaryIO) -> ImageFile:
        """Pillow's image. Not by `Image.open`: for a phone's JPEG that picks a class which trusts offsets in its metadata."""
        file.seek(0)
        return self.image(file)


FORMATS: Mapping[str, Format] = {
    "image/jpeg": Format(jpeg.header, jpeg.whole, JpegImageFile),
    "image/png": Format(png.header, png_whole.whole, PngImageFile, judged=True),
    "image/gif": Format(gif.header, gif.whole, GifImageFile),
    "image/webp": Format(webp.header, webp.whole, WebPImageFile),
    "image/avif": Format(avif.header, avif.whole, AvifImageFile),
    "image/tiff": Format(tiff.header, tiff.whole, TiffImageFile),
}


def known(media_type: str) -> Format:
    """What can be measured of this type. Raises UploadError(NOT_AN_IMAGE)."""
    if media_type not in FORMATS:
        raise UploadError(Code.NOT_AN_IMAGE)
    return FORMATS[media_type]

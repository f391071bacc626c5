"""What a file is, by its first bytes. Text is called active (HTML, SVG, XML) only where it opens as such."""

from __future__ import annotations

import re

UNKNOWN = "application/octet-stream"
PREFIX = 1024  # bytes that are looked at

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0\x08\0\0\0", "image/tiff"),
    (b"MM\0+\0\x08\0\0", "image/tiff"),
    (b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (b"\0\0\x01\0\x01\0", "image/vnd.microsoft.icon"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic-sequence",
    b"crx ": "image/x-canon-cr3",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_DIB_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_PROLOG = rb"\A(?:\xef\xbb\xbf)?\s*(?><\?xml[^>]*>\s*)?(?>(?><!--.*?-->|<!DOCTYPE\s+svg[^>]*>)\s*)*"
_ACTIVE = (
    (re.compile(_PROLOG + rb"<svg[\s>]", re.DOTALL | re.IGNORECASE), "image/svg+xml"),
    (re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:!DOCTYPE\s+html|(?:html|head|body|script|iframe)[\s>])", re.IGNORECASE), "text/html"),
    (re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml\s"), "application/xml"),
)


def sniff(prefix: bytes) -> str:
    """The media type of a file that begins with `prefix` (PREFIX bytes of it, or all there are)."""
    for magic, media_type in _MAGIC:
        if prefix.startswith(magic):
            return media_type
    return _container(prefix) or _text(prefix)


def _container(prefix: bytes) -> str | None:
    if prefix.startswith(b"RIFF") and prefix[8:12] == b"WEBP":
        return "image/webp"
    if prefix[4:8] == b"ftyp":
        return _brand(prefix)
    if prefix.startswith(b"BM") and int.from_bytes(prefix[14:18], "little") in _DIB_HEADERS:
        return "image/bmp"
    return None


def _brand(prefix: bytes) -> str | None:
    """By the major brand, else the first compatible brand that is known (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(prefix[:4], "big"), len(prefix))
    brands = [prefix[8:12], *(prefix[at : at + 4] for at in range(16, end, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)


def _text(prefix: bytes) -> str:
    return next((media_type for opening, media_type in _ACTIVE if opening.match(prefix)), UNKNOWN)

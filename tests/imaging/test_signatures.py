"""What a file is by its first bytes, and that nothing is called active which is not."""

import io

import pytest

from app.imaging import PillowGauge
from tests.services import pictures

OTHER = "application/octet-stream"
BMP = b"BM" + bytes(12) + b"\x28\0\0\0"

FIRST_BYTES = [
    (b"II*\0\x08\0\0\0", "image/tiff"),
    (b"MM\0*\0\0\0\x08", "image/tiff"),
    (b"II+\0\x08\0\0\0", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (BMP, "image/bmp"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video/mp4"),
    (b"%PDF-1.7", "application/pdf"),
    (b"PK\x03\x04\x14\0", "application/zip"),
    (b"\x1f\x8b\x08\0", "application/gzip"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<!-- b -->\n<svg>", "image/svg+xml"),
    (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"><svg >', "image/svg+xml"),
    (b"<?xml version='1.0'?><note/>", "application/xml"),
    (b"<!doctype HTML><p>", "text/html"),
    (b"\n  <html lang='en'>", "text/html"),
    (b"<script>alert(1)</script>", "text/html"),
    (b"", OTHER),
    (b"hello", OTHER),
    (b"BMW and others", OTHER),
    (b"RIFF\0\0\0\0WAVEfmt ", OTHER),
    (b"\0\0\0\x18ftypxxxx\0\0\0\0", OTHER),
    (b"\xff\xd8", OTHER),
    (b"\x89PNG", OTHER),
    (b"we write <html> and <svg > here", OTHER),
    (b"<htmlish>", OTHER),
    (b"<svgs>", OTHER),
    (b"<?xml version='1.0'?><note><svg ></note>", "application/xml"),
    (b"<!---->" * 200, OTHER),
]


@pytest.mark.parametrize(("content", "expected"), FIRST_BYTES)
def test_by_first_bytes(content, expected):
    assert PillowGauge().signature(io.BytesIO(content)) == expected


@pytest.mark.parametrize("fmt", pictures.FORMATS)
def test_each_format(fmt):
    assert PillowGauge().signature(io.BytesIO(pictures.photo(fmt=fmt))) == pictures.MEDIA_TYPES[fmt]


def test_a_script_that_is_a_gif_is_a_gif():
    assert PillowGauge().signature(io.BytesIO(pictures.polyglot())) == "image/gif"

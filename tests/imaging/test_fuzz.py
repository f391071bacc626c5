"""Thousands of damaged files: nothing but refusals leaves the gauge, and what a full load by Pillow refuses, it refuses too."""

import io

import pytest
from PIL import Image

from app.core.errors import Code
from app.core.ports import Header
from tests.services import pictures
from tests.services.pictures import AVIF, GIF, JPEG, PNG, TIFF, WEBP

SMALL = 1_000_000  # pixels: what a flipped bit makes larger is not decoded, neither by us nor by Pillow
CUTS = FLIPS = 80

FILES = {
    "jpeg": (JPEG, pictures.photo(48, 36, JPEG, orientation=6)),
    "jpeg progressive": (JPEG, pictures.photo(48, 36, JPEG, progressive=True)),
    "png": (PNG, pictures.photo(48, 36, PNG, orientation=6)),
    "png palette": (PNG, pictures.photo(48, 36, PNG, mode="P", transparency=3)),
    "png animated": (PNG, pictures.animation(PNG)),
    "gif": (GIF, pictures.photo(48, 36, GIF)),
    "gif animated": (GIF, pictures.animation(GIF)),
    "webp": (WEBP, pictures.photo(48, 36, WEBP, orientation=6)),
    "webp lossless": (WEBP, pictures.photo(48, 36, WEBP, lossless=True, mode="RGBA")),
    "webp animated": (WEBP, pictures.animation(WEBP)),
    "avif": (AVIF, pictures.photo(48, 36, AVIF, orientation=6)),
    "avif animated": (AVIF, pictures.animation(AVIF)),
    "tiff": (TIFF, pictures.photo(48, 36, TIFF, orientation=6)),
    "tiff compressed": (TIFF, pictures.photo(48, 36, TIFF, compression="tiff_lzw")),
    "tiff of three pages": (TIFF, pictures.animation(TIFF)),
}


def pillow_refuses(fmt, content):
    """Whether opening and loading every frame raises; the class is asked, not the list of formats that it stands in."""
    try:
        image = Image.OPEN[fmt][0](io.BytesIO(content))
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            if image.width * image.height <= SMALL:
                image.load()
    except Exception:  # noqa: BLE001 - any exception is a refusal
        return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_every_cut_is_found(judged, name):
    fmt, whole = FILES[name]
    padded = name == "tiff of three pages"  # Pillow fills its pages up to sixteen bytes: what ends it is no image
    for content in pictures.cuts(whole, CUTS):
        found = judged(content, most_pixels=SMALL)
        at = f"cut at {len(content)} of {len(whole)}: {found}"
        assert found is Code.TRUNCATED or (padded and isinstance(found, Header)), at
        assert not isinstance(found, Header) or not pillow_refuses(fmt, content), at


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_flipped_bits(judged, name):
    fmt, whole = FILES[name]
    sound = 0
    for number, content in enumerate(pictures.fuzz(whole, FLIPS)):
        found = judged(content, most_pixels=SMALL)
        assert isinstance(found, Header | Code)
        if isinstance(found, Header) and found.pixels <= SMALL:
            sound += 1
            assert not pillow_refuses(fmt, content), f"flip {number}: {found}"
    assert sound < FLIPS


@pytest.mark.parametrize("name", ["png", "png palette", "png animated"])
def test_no_bit_of_a_png_flips_unseen(judged, name):
    _, whole = FILES[name]
    for at in range(8, len(whole), 37):
        content = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        assert isinstance(judged(content, most_pixels=SMALL), Code), at

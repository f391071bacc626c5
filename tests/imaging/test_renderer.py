"""Renditions in pixels: each mode in each format, held against arithmetic done by hand, never against what the code made before."""

import io
from typing import NamedTuple

import pytest
from PIL import Image

from app.core.renditions import WRITABLE, Mode, Spec
from app.imaging import PillowRenderer

WIDTH, HEIGHT = 80, 40
BLUE = (0, 0, 255, 255)
CLEAR = (0, 0, 0, 0)

# how far a sample may be off: what the format itself loses, of 255
LOSS = {
    "image/png": 2,
    "image/tiff": 2,
    "image/bmp": 2,
    "image/jpeg": 10,
    "image/webp": 9,
    "image/avif": 8,
    "image/gif": 24,
}
NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF", "image/tiff": "TIFF"}
NAMES["image/bmp"] = "BMP"
WITHOUT_ALPHA = {"image/jpeg", "image/bmp"}


class Row(NamedTuple):
    """What is asked of an image of 80 x 40; the canvas that comes, and where the whole image lies on it: left, top, width, height."""

    spec: Spec
    canvas: tuple[int, int]
    lies: tuple[int, int, int, int]


def asks(mode, width=None, height=None, focus=None):
    return Spec(width, height, mode, quality=95, focus=focus)


ROWS = {
    "crop": Row(asks(Mode.CROP, 30, 30), (30, 30), (-15, 0, 60, 30)),
    "crop, wide": Row(asks(Mode.CROP, 60, 10), (60, 10), (0, -10, 60, 30)),
    "crop, larger one way": Row(asks(Mode.CROP, 100, 20), (100, 20), (0, -15, 100, 50)),
    "crop, larger both ways, is padded": Row(asks(Mode.CROP, 100, 100), (100, 100), (10, 30, 80, 40)),
    "crop, width alone": Row(asks(Mode.CROP, 40), (40, 20), (0, 0, 40, 20)),
    "crop, height alone": Row(asks(Mode.CROP, None, 10), (20, 10), (0, 0, 20, 10)),
    "crop, a larger width alone, enlarges": Row(asks(Mode.CROP, 160), (160, 80), (0, 0, 160, 80)),
    "crop, focus right": Row(asks(Mode.CROP, 30, 30, (1, 0)), (30, 30), (-30, 0, 60, 30)),
    "crop, focus left": Row(asks(Mode.CROP, 30, 30, (-1, 0)), (30, 30), (0, 0, 60, 30)),
    "crop, focus a little right": Row(asks(Mode.CROP, 30, 30, (0.2, 0.9)), (30, 30), (-21, 0, 60, 30)),
    "crop, focus up": Row(asks(Mode.CROP, 60, 10, (0, 1)), (60, 10), (0, 0, 60, 30)),
    "crop, focus down": Row(asks(Mode.CROP, 60, 10, (0, -1)), (60, 10), (0, -20, 60, 30)),
    "crop upsize": Row(asks(Mode.CROP_UPSIZE, 100, 100), (100, 100), (-50, 0, 200, 100)),
    "crop upsize, smaller": Row(asks(Mode.CROP_UPSIZE, 30, 30), (30, 30), (-15, 0, 60, 30)),
    "crop upsize, focus": Row(asks(Mode.CROP_UPSIZE, 100, 100, (0.5, 0)), (100, 100), (-100, 0, 200, 100)),
    "pad": Row(asks(Mode.PAD, 30, 30), (30, 30), (0, 8, 30, 15)),
    "pad, enlarged": Row(asks(Mode.PAD, 100, 100), (100, 100), (0, 25, 100, 50)),
    "pad, at the sides": Row(asks(Mode.PAD, 100, 30), (100, 30), (20, 0, 60, 30)),
    "box pad": Row(asks(Mode.BOX_PAD, 30, 30), (30, 30), (0, 8, 30, 15)),
    "box pad, larger both ways": Row(asks(Mode.BOX_PAD, 100, 101), (100, 101), (10, 30, 80, 40)),
    "box pad, larger one way": Row(asks(Mode.BOX_PAD, 100, 30), (100, 30), (20, 0, 60, 30)),
    "max": Row(asks(Mode.MAX, 30, 30), (30, 15), (0, 0, 30, 15)),
    "max, flat": Row(asks(Mode.MAX, 100, 20), (40, 20), (0, 0, 40, 20)),
    "max, enlarged": Row(asks(Mode.MAX, 200, 200), (200, 100), (0, 0, 200, 100)),
    "min": Row(asks(Mode.MIN, 30, 30), (60, 30), (0, 0, 60, 30)),
    "min, upright": Row(asks(Mode.MIN, 60, 10), (60, 30), (0, 0, 60, 30)),
    "min, larger": Row(asks(Mode.MIN, 100, 30), (80, 40), (0, 0, 80, 40)),
    "stretch": Row(asks(Mode.STRETCH, 30, 70), (30, 70), (0, 0, 30, 70)),
    "no size": Row(Spec(quality=95), (80, 40), (0, 0, 80, 40)),
}


def shade(across: float, down: float) -> tuple[float, float, float, int]:
    """The picture of these tests, at a place from 0 to 1 each way: red grows to the right, green downwards. Resampling keeps slopes."""
    return 20 + 200 * across, 20 + 200 * down, 60, 255


def slope(width=WIDTH, height=HEIGHT, fmt="PNG", **saving) -> bytes:
    image = Image.new("RGB", (width, height))
    image.putdata([tuple(round(v) for v in shade((x + 0.5) / width, (y + 0.5) / height)[:3]) for y in range(height) for x in range(width)])
    return saved(image, fmt, **saving)


def saved(image, fmt="PNG", **saving):
    out = io.BytesIO()
    image.save(out, fmt, **saving)
    return out.getvalue()


def rendered(content, spec, media_type="image/png"):
    """The rendition, opened, and what the renderer said of it."""
    out = io.BytesIO()
    header = PillowRenderer().render(io.BytesIO(content), media_type, spec, out, lambda: None)
    return Image.open(io.BytesIO(out.getvalue())), header


def expected(row, x, y, background):
    """The colour at a pixel's middle, None where the picture's own edge is near: there a resampling looks at the outside."""
    left, top, width, height = row.lies
    across, down = (x + 0.5 - left) / width, (y + 0.5 - top) / height
    near_x, near_y = 2.5 / min(width, WIDTH), 2.5 / min(height, HEIGHT)
    if across < -near_x or across > 1 + near_x or down < -near_y or down > 1 + near_y:
        return background
    inside = near_x < across < 1 - near_x and near_y < down < 1 - near_y
    return shade(across, down) if inside else None


def worst(image, row, background):
    """How far the furthest sample is off, and how many pixels were looked at."""
    pixels = image.convert("RGBA").load()
    wide, high = image.size
    judged = [(pixels[x, y], want) for x in range(wide) for y in range(high) if (want := expected(row, x, y, background)) is not None]
    return max(abs(got - want) for pixel, wanted in judged for got, want in zip(pixel, wanted, strict=True)), len(judged)


@pytest.mark.parametrize("media_type", sorted(WRITABLE))
@pytest.mark.parametrize("name", ROWS)
def test_each_mode_in_each_format(name, media_type):
    row = ROWS[name]
    spec = Spec(row.spec.width, row.spec.height, row.spec.mode, 95, media_type, row.spec.focus, "#00f")
    image, header = rendered(slope(), spec)
    assert image.format == NAMES[media_type]
    assert image.size == row.canvas == (header.width, header.height)
    off, looked_at = worst(image, row, BLUE)
    assert off <= LOSS[media_type]
    assert looked_at >= image.width * image.height / 4


@pytest.mark.parametrize("media_type", sorted(WRITABLE))
def test_without_a_background_what_is_left_over_is_transparent_or_black(media_type):
    row = ROWS["pad"]
    image, header = rendered(slope(), Spec(30, 30, Mode.PAD, 95, media_type))
    left_over = (0, 0, 0, 255) if media_type in WITHOUT_ALPHA else CLEAR
    alpha = image.convert("RGBA").getchannel("A")
    assert alpha.getpixel((15, 2)) == left_over[3]
    assert alpha.getpixel((15, 15)) == 255
    assert header.has_alpha is (media_type not in WITHOUT_ALPHA)
    flat = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    assert worst(flat, row, (0, 0, 0, 255))[0] <= LOSS[media_type]


@pytest.mark.parametrize("media_type", sorted(set(NAMES) - {"image/bmp"}))
def test_each_format_is_read(media_type):
    row = ROWS["crop, wide"]
    content = slope(fmt=NAMES[media_type], **({"quality": 95} if media_type in {"image/jpeg", "image/webp", "image/avif"} else {}))
    image, _ = rendered(content, Spec(60, 10, Mode.CROP, media_type="image/png"), media_type)
    assert worst(image, row, BLUE)[0] <= max(LOSS[media_type], 2)


def test_a_large_jpeg_is_decoded_at_a_scale_and_is_the_same():
    row = Row(Spec(60, 10), (60, 10), (0, -10, 60, 30))
    image, _ = rendered(slope(2400, 1200, "JPEG", quality=90), Spec(60, 10, media_type="image/png"), "image/jpeg")
    assert image.size == row.canvas
    assert worst(image, row, BLUE)[0] <= LOSS["image/jpeg"]


# ---------------------------------------------------------------- which way is up

# how an upright picture is stored so that the tag turns it back (EXIF 2.32, tag 274): mirrored across, mirrored down, then rows for columns
STORED = {
    1: (False, False, False),
    2: (True, False, False),
    3: (True, True, False),
    4: (False, True, False),
    5: (False, False, True),
    6: (True, False, True),
    7: (True, True, True),
    8: (False, True, True),
}


def stored(upright, orientation):
    across, down, swapped = STORED[orientation]
    image = Image.new("RGB", (HEIGHT, WIDTH) if swapped else (WIDTH, HEIGHT))
    for x in range(WIDTH):
        for y in range(HEIGHT):
            place = (WIDTH - 1 - x if across else x, HEIGHT - 1 - y if down else y)
            image.putpixel(place[::-1] if swapped else place, upright.getpixel((x, y)))
    return image


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp", "image/avif", "image/tiff"])
@pytest.mark.parametrize("orientation", STORED)
def test_the_rendition_is_upright(orientation, media_type):
    exif = Image.Exif()
    exif[274] = orientation
    turned = stored(Image.open(io.BytesIO(slope())), orientation)
    quality = {} if media_type in {"image/png", "image/tiff"} else {"quality": 95}
    content = saved(turned, NAMES[media_type], exif=exif.tobytes(), **quality)
    for row in (ROWS["no size"], ROWS["crop, focus right"], ROWS["pad"]):
        spec = Spec(row.spec.width, row.spec.height, row.spec.mode, None, "image/png", row.spec.focus, "#00f")
        image, header = rendered(content, spec, media_type)
        assert image.size == row.canvas
        assert header.orientation == 1
        assert not image.getexif()
        assert worst(image, row, BLUE)[0] <= max(LOSS[media_type], 3)


# ---------------------------------------------------------------- alpha and colours


def half_clear():
    """The left half red and transparent, the right half opaque green."""
    image = Image.new("RGBA", (80, 40), (255, 0, 0, 0))
    image.paste((0, 200, 0, 255), (40, 0, 80, 40))
    return saved(image)


@pytest.mark.parametrize("media_type", sorted(WRITABLE - WITHOUT_ALPHA))
def test_alpha_is_kept(media_type):
    image, header = rendered(half_clear(), Spec(40, 20, quality=95, media_type=media_type))
    assert header.has_alpha
    assert image.convert("RGBA").getpixel((5, 10))[3] == 0
    assert near(image.convert("RGBA").getpixel((35, 10)), (0, 200, 0, 255), LOSS[media_type])


@pytest.mark.parametrize(
    ("background", "shown"), [("#fff", (255, 255, 255)), ("navy", (0, 0, 128)), (None, (0, 0, 0)), ("no colour", (0, 0, 0))]
)
@pytest.mark.parametrize("media_type", sorted(WITHOUT_ALPHA))
def test_alpha_is_flattened_where_it_cannot_be_kept(media_type, background, shown):
    image, header = rendered(half_clear(), Spec(40, 20, quality=95, media_type=media_type, background=background))
    assert not header.has_alpha
    assert near(image.getpixel((5, 10)), shown, LOSS[media_type])
    assert near(image.getpixel((35, 10)), (0, 200, 0), LOSS[media_type])


def test_a_colour_that_is_transparent_does_not_bleed():
    image, _ = rendered(half_clear(), Spec(27, 13, Mode.STRETCH))
    assert max(red for red, _, _, _ in image.convert("RGBA").get_flattened_data()) == 0


def test_a_half_transparent_background_stays_so():
    image, _ = rendered(slope(), Spec(30, 30, Mode.PAD, background="ff000080"))
    assert image.getpixel((15, 2)) == (255, 0, 0, 128)


KINDS = {
    # a way to store red (200, 0, 0) or a grey of 100 -> the media type, the file, the colour
    "palette": ("image/png", lambda: saved(Image.new("RGB", (20, 10), (200, 0, 0)).quantize(4)), (200, 0, 0)),
    "cmyk": ("image/jpeg", lambda: saved(Image.new("CMYK", (20, 10), (55, 255, 255, 0)), "JPEG", quality=95), (200, 0, 0)),
    "grey": ("image/png", lambda: saved(Image.new("L", (20, 10), 100)), (100, 100, 100)),
    "grey of sixteen bits": ("image/png", lambda: saved(Image.new("I;16", (20, 10), 100 * 257)), (100, 100, 100)),
    "grey of sixteen bits, tiff": ("image/tiff", lambda: saved(Image.new("I;16", (20, 10), 100 * 257), "TIFF"), (100, 100, 100)),
    "one bit": ("image/png", lambda: saved(Image.new("1", (20, 10), 1)), (255, 255, 255)),
    "grey and alpha": ("image/png", lambda: saved(Image.new("LA", (20, 10), (100, 255))), (100, 100, 100)),
    "one colour transparent": ("image/png", lambda: saved(Image.new("RGB", (20, 10), (1, 2, 3)), transparency=(1, 2, 3)), (255, 255, 255)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_colours_is_read(kind):
    media_type, content, colour = KINDS[kind]
    image, _ = rendered(content(), Spec(10, 5, media_type="image/bmp", background="#fff"), media_type)
    assert near(image.getpixel((5, 2)), colour, 4)


def near(got, wanted, off):
    return all(abs(a - b) <= off for a, b in zip(got, wanted, strict=True))


# ---------------------------------------------------------------- what goes with it


def profile(space=b"RGB "):
    """The least that looks like a colour profile: 128 bytes of header, with its colour space where the standard has it."""
    return b"\0\0\0\x84" + bytes(12) + space + b"XYZ " + bytes(12) + b"acsp" + bytes(88) + bytes(4)


@pytest.mark.parametrize("media_type", sorted(WRITABLE - {"image/gif", "image/bmp"}))
def test_a_colour_profile_goes_with_it(media_type):
    image, _ = rendered(slope(icc_profile=profile()), Spec(20, 10, media_type=media_type))
    assert image.info.get("icc_profile") == profile()


def test_a_profile_of_other_colours_does_not():
    content = saved(Image.new("CMYK", (20, 10)), "JPEG", icc_profile=profile(b"CMYK"))
    image, _ = rendered(content, Spec(20, 10), "image/jpeg")
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("media_type", sorted(WRITABLE))
def test_nothing_that_tells_of_people_goes_with_it(media_type):
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    content = slope(fmt="JPEG", exif=exif.tobytes(), comment=b"SECRET comment", xmp=b"<x>SECRET</x>")
    assert content.count(b"SECRET") == 3
    for spec in (Spec(20, 10, media_type=media_type), Spec(media_type=media_type)):
        out = io.BytesIO()
        PillowRenderer().render(io.BytesIO(content), "image/jpeg", spec, out, lambda: None)
        assert b"SECRET" not in out.getvalue()


def test_quality_is_followed():
    sizes = [len(out) for out in (bytes_of(Spec(quality=quality, media_type="image/jpeg")) for quality in (5, 80, 100))]
    assert sizes[0] < sizes[1] < sizes[2]
    assert bytes_of(Spec(media_type="image/jpeg")) == bytes_of(Spec(quality=80, media_type="image/jpeg"))


def bytes_of(spec):
    out = io.BytesIO()
    PillowRenderer().render(io.BytesIO(slope()), "image/png", spec, out, lambda: None)
    return out.getvalue()

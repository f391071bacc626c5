"""Animations stay animations where the format can hold one, frame by frame; everywhere else the first frame is shown."""

import io

import pytest
from PIL import Image

from app.core.renditions import WRITABLE, Mode, Spec
from app.imaging import PillowRenderer

RED, GREEN, BLUE, CLEAR = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
ANIMATED = ["GIF", "WEBP"]


def frame(colour, at=None):
    """40 x 20 of one colour, or a square of it, with a hole, on nothing."""
    image = Image.new("RGBA", (40, 20), CLEAR if at else colour)
    if at:
        image.paste(colour, (*at, at[0] + 10, at[1] + 10))
        image.putpixel(
            (at[0] + 9, at[1] + 9), CLEAR
        )  # else an encoder of WebP stores the square alone, and says that nothing is transparent
    return image


def animation(fmt, frames, **saving):
    out = io.BytesIO()
    lossless = {"lossless": True} if fmt == "WEBP" else {"disposal": 2}
    frames[0].save(out, fmt, save_all=True, append_images=frames[1:], **lossless, **saving)
    return out.getvalue()


def rendered(content, spec, media_type):
    out, beats = io.BytesIO(), []
    header = PillowRenderer().render(io.BytesIO(content), media_type, spec, out, lambda: beats.append(1))
    return Image.open(io.BytesIO(out.getvalue())), header, len(beats)


def shown(image):
    """Each frame as a viewer composes it, with its milliseconds."""
    for number in range(image.n_frames):
        image.seek(number)
        yield image.convert("RGBA").copy(), image.info.get("duration")


@pytest.mark.parametrize("to", ANIMATED)
@pytest.mark.parametrize("fmt", ANIMATED)
def test_every_frame_is_rendered_and_keeps_its_time(fmt, to):
    content = animation(fmt, [frame(RED), frame(GREEN), frame(BLUE)], duration=[100, 250, 40], loop=3)
    spec = Spec(20, 20, Mode.PAD, 100, f"image/{to.lower()}", background="#fff")
    image, header, beats = rendered(content, spec, f"image/{fmt.lower()}")
    assert (header.frames, image.n_frames, image.size, beats) == (3, 3, (20, 20), 3)
    for (got, milliseconds), colour, wanted in zip(shown(image), (RED, GREEN, BLUE), (100, 250, 40), strict=True):
        assert milliseconds == wanted
        assert all(abs(a - b) <= 12 for a, b in zip(got.getpixel((10, 10)), colour, strict=True))
        assert got.getpixel((10, 1)) == (255, 255, 255, 255)
    assert image.info["loop"] == 3


@pytest.mark.parametrize("to", ANIMATED)
@pytest.mark.parametrize("fmt", ANIMATED)
def test_what_is_transparent_in_one_frame_does_not_show_the_one_before(fmt, to):
    content = animation(fmt, [frame(RED, (0, 0)), frame(BLUE, (30, 10)), frame(GREEN, (10, 0))], duration=100)
    image, header, _ = rendered(
        content, Spec(80, 40, quality=100, media_type=f"image/{to.lower()}", mode=Mode.STRETCH), f"image/{fmt.lower()}"
    )
    assert header.has_alpha
    places = [(10, 10), (70, 30), (30, 10)]
    for (got, _), here in zip(shown(image), places, strict=True):
        assert [got.getpixel(place)[3] for place in places] == [255 if place == here else 0 for place in places]


@pytest.mark.parametrize(("loop", "to", "wanted"), [(None, "GIF", None), (None, "WEBP", 1), (0, "GIF", 0), (0, "WEBP", 0)])
def test_an_animation_plays_as_often_as_before(loop, to, wanted):
    content = animation("GIF", [frame(RED), frame(BLUE)], duration=100, **({} if loop is None else {"loop": loop}))
    image, _, _ = rendered(content, Spec(20, media_type=f"image/{to.lower()}"), "image/gif")
    assert image.info.get("loop") == wanted


def test_an_animation_that_plays_once_as_webp_does_as_gif():
    image, _, _ = rendered(animation("WEBP", [frame(RED), frame(BLUE)], duration=100, loop=1), Spec(media_type="image/gif"), "image/webp")
    assert "loop" not in image.info


@pytest.mark.parametrize("to", sorted(WRITABLE - {"image/gif", "image/webp"}))
@pytest.mark.parametrize("fmt", ANIMATED)
def test_elsewhere_the_first_frame_is_shown(fmt, to):
    content = animation(fmt, [frame(RED), frame(GREEN)], duration=100)
    image, header, _ = rendered(content, Spec(20, 10, quality=100, media_type=to), f"image/{fmt.lower()}")
    assert header.frames == getattr(image, "n_frames", 1) == 1
    assert all(abs(a - b) <= 6 for a, b in zip(image.convert("RGBA").getpixel((10, 5)), RED, strict=True))


@pytest.mark.parametrize("fmt", ["PNG", "AVIF", "TIFF"])
def test_of_other_formats_the_first_frame_is_taken(fmt):
    out = io.BytesIO()
    frame(RED).save(out, fmt, save_all=True, append_images=[frame(GREEN)])
    image, header, _ = rendered(out.getvalue(), Spec(20, 10, quality=100, media_type="image/webp"), f"image/{fmt.lower()}")
    assert header.frames == image.n_frames == 1
    assert image.convert("RGB").getpixel((10, 5))[0] > 240


def test_equal_frames_that_become_one_are_counted_as_one():
    """Two frames that differ in one pixel are equal when they are small."""
    second = frame(RED)
    second.putpixel((0, 0), (250, 0, 0, 255))
    image, header, _ = rendered(
        animation("WEBP", [frame(RED), second, frame(BLUE)], duration=100), Spec(2, 1, media_type="image/gif"), "image/webp"
    )
    assert header.frames == image.n_frames == 2

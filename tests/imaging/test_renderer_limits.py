"""What is hostile, too large or broken is refused, and nothing but a refusal or a fault leaves the renderer."""

import io
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import Code, StoreDown, UploadError
from app.core.renditions import ENLARGED_MOST, WRITABLE, Mode, Spec
from app.imaging import PillowRenderer
from tests.services import pictures
from tests.services.pictures import GIF, JPEG, PNG, WEBP, photo


def render(content, media_type, spec, heartbeat=lambda: None, interrupts=()):
    out = io.BytesIO()
    header = PillowRenderer(interrupts).render(io.BytesIO(content), media_type, spec, out, heartbeat)
    return header, out.getvalue()


def refusal(content, media_type, spec):
    with pytest.raises(UploadError) as refused:
        render(content, media_type, spec)
    return refused.value.code


HOSTILE = {
    # the file, its media type, what is asked -> the refusal
    "more pixels than are decoded": (pictures.megapixels_51(), "image/png", Spec(10), Code.TOO_MANY_PIXELS),
    "more than its header says": (pictures.png_two_heads(), "image/png", Spec(10), Code.UNDECODABLE),
    "a frame larger than the screen": (pictures.gif_outgrown(), "image/gif", Spec(10), Code.TOO_MANY_PIXELS),
    "an animation that becomes too large": (pictures.animation(GIF, 3), "image/gif", Spec(5000), Code.TOO_MANY_PIXELS),
    "an animation of too many pixels": (pictures.gif_bomb(600, 300, 300), "image/gif", Spec(10), Code.TOO_MANY_PIXELS),
    "enlarged too much": (photo(64, 48, PNG), "image/png", Spec(4001, 4000, Mode.STRETCH), Code.TOO_MANY_PIXELS),
    "a line, enlarged": (photo(1, 60, PNG), "image/png", Spec(10_000), Code.TOO_MANY_PIXELS),
    "a type that is not measured": (photo(8, 8, "BMP"), "image/bmp", Spec(4), Code.NOT_AN_IMAGE),
    "another format than was measured": (photo(8, 8, PNG), "image/webp", Spec(4), Code.TRUNCATED),
    "cut": (pictures.truncated(photo(200, 150, PNG), 2_000), "image/png", Spec(4), Code.TRUNCATED),
    "cut, gif": (pictures.truncated(photo(200, 150, GIF), 2_000), "image/gif", Spec(4), Code.TRUNCATED),
    "not an image at all": (b"%PDF-1.7" + bytes(200), "image/jpeg", Spec(4), Code.TRUNCATED),
    "longer than webp can be": (photo(17_000, 2, PNG), "image/png", Spec(media_type="image/webp"), Code.INVALID),
    "a bomb of text": (pictures.text_bomb(), "image/png", Spec(4), Code.TOO_COMPLEX),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name):
    content, media_type, spec, code = HOSTILE[name]
    assert refusal(content, media_type, spec) is code


def test_as_large_as_an_enlargement_may_be():
    header, _ = render(pictures.solid(40, 30), "image/png", Spec(4000, 4000, Mode.STRETCH))
    assert header.width * header.height == ENLARGED_MOST


def test_what_lies_outside_of_a_cut_is_never_made():
    """The whole picture would be 30,000,000 pixels wide, 3,000 high."""
    header, out = render(photo(10_000, 1, PNG), "image/png", Spec(3000, 3000, Mode.CROP_UPSIZE, media_type="image/jpeg"))
    assert (header.width, header.height) == Image.open(io.BytesIO(out)).size == (3000, 3000)


def test_one_pixel_is_rendered_in_every_mode_and_format():
    for mode in Mode:
        for media_type in WRITABLE:
            header, _ = render(photo(1, 1, PNG), "image/png", Spec(1, 3, mode, media_type=media_type))
            assert header.width == 1
            assert header.height in {1, 3}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("fmt", [*pictures.FORMATS])
def test_whatever_is_damaged_is_rendered_or_refused(fmt):
    seen = set()
    for content in pictures.fuzz(photo(40, 30, fmt), 60):
        try:
            render(content, pictures.MEDIA_TYPES[fmt], Spec(10, 10, media_type="image/webp"))
            seen.add("rendered")
        except UploadError as refused:
            seen.add(refused.code)
    assert len(seen) > 1


@pytest.mark.parametrize("media_type", sorted(WRITABLE))
def test_a_full_disk_is_a_fault_and_not_the_files(media_type):
    with Path("/dev/full").open("r+b", buffering=0) as full, pytest.raises(StoreDown):
        PillowRenderer().render(io.BytesIO(photo(400, 300, PNG)), "image/png", Spec(300, media_type=media_type), full, lambda: None)


def test_a_real_file_is_written_from_its_start_to_its_end():
    with tempfile.TemporaryFile() as out:
        for media_type in sorted(WRITABLE):
            out.seek(0)
            out.truncate()
            PillowRenderer().render(io.BytesIO(photo(40, 30, PNG)), "image/png", Spec(20, media_type=media_type), out, lambda: None)
            out.flush()
            out.seek(0)
            assert Image.open(io.BytesIO(out.read())).size == (20, 15)


class TimeIsUp(Exception):
    pass


def test_the_end_of_the_time_passes_untouched(monkeypatch):
    def endless(*_):
        raise TimeIsUp

    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", endless)
    with pytest.raises(TimeIsUp):
        render(photo(8, 8, JPEG), "image/jpeg", Spec(4), interrupts=(TimeIsUp,))
    assert refusal(photo(8, 8, JPEG), "image/jpeg", Spec(4)) is Code.UNDECODABLE


def test_what_a_heartbeat_raises_passes_untouched():
    def lost():
        raise TimeIsUp

    with pytest.raises(TimeIsUp):
        render(photo(8, 8, WEBP), "image/webp", Spec(4), lost)

"""Facts of good images, refusals of hostile ones, one table each."""

import errno
import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from app.core.errors import Code, StoreDown, UploadError
from app.core.ports import Header
from app.imaging import PillowGauge
from app.imaging.png_rows import Rows, Shape
from tests.services import pictures
from tests.services.pictures import AVIF, GIF, JPEG, PNG, TIFF, WEBP, chunk, photo


def facts(header):
    return (header.width, header.height, header.frames, header.orientation, header.has_alpha)


GOOD = {
    # the file -> width, height, frames, orientation, alpha
    "jpeg": (photo(64, 48, JPEG), (64, 48, 1, 1, False)),
    "jpeg grey": (photo(64, 48, JPEG, mode="L"), (64, 48, 1, 1, False)),
    "jpeg cmyk": (photo(64, 48, JPEG, mode="CMYK"), (64, 48, 1, 1, False)),
    "jpeg progressive": (photo(64, 48, JPEG, progressive=True), (64, 48, 1, 1, False)),
    "jpeg of one pixel": (photo(1, 1, JPEG), (1, 1, 1, 1, False)),
    "jpeg on its side": (photo(64, 48, JPEG, orientation=6), (64, 48, 1, 6, False)),
    "jpeg upside down": (photo(64, 48, JPEG, orientation=3), (64, 48, 1, 3, False)),
    "jpeg of a phone, a second picture behind it": (pictures.animation("MPO", 2), (40, 30, 1, 1, False)),
    "png": (photo(64, 48, PNG), (64, 48, 1, 1, False)),
    "png alpha": (photo(64, 48, PNG, mode="RGBA"), (64, 48, 1, 1, True)),
    "png grey alpha": (photo(64, 48, PNG, mode="LA"), (64, 48, 1, 1, True)),
    "png one transparent colour": (photo(64, 48, PNG, transparency=(1, 2, 3)), (64, 48, 1, 1, True)),
    "png palette": (photo(64, 48, PNG, mode="P"), (64, 48, 1, 1, False)),
    "png one bit": (pictures.bare_png(13, 7), (13, 7, 1, 1, False)),
    "png sixteen bits": (pictures.bare_png(13, 7, bits=16), (13, 7, 1, 1, False)),
    "png on its side": (photo(64, 48, PNG, orientation=8), (64, 48, 1, 8, False)),
    "png animated": (pictures.animation(PNG, 3), (40, 30, 3, 1, False)),
    "gif": (photo(64, 48, GIF), (64, 48, 1, 1, False)),
    "gif transparent": (photo(64, 48, GIF, mode="P", transparency=0), (64, 48, 1, 1, True)),
    "gif animated": (pictures.animation(GIF, 4), (40, 30, 4, 1, True)),
    "gif that is a script": (pictures.polyglot(), (10_799, 1, 1, 1, False)),
    "webp": (photo(64, 48, WEBP), (64, 48, 1, 1, False)),
    "webp alpha": (photo(64, 48, WEBP, mode="RGBA"), (64, 48, 1, 1, True)),
    "webp lossless": (photo(64, 48, WEBP, lossless=True), (64, 48, 1, 1, False)),
    "webp lossless alpha": (photo(64, 48, WEBP, mode="RGBA", lossless=True), (64, 48, 1, 1, True)),
    "webp of one pixel": (photo(1, 1, WEBP, lossless=True), (1, 1, 1, 1, False)),
    "webp on its side": (photo(64, 48, WEBP, orientation=6), (64, 48, 1, 6, False)),
    "webp animated": (pictures.animation(WEBP, 3), (40, 30, 3, 1, False)),
    "avif": (photo(64, 48, AVIF), (64, 48, 1, 1, False)),
    "avif alpha": (photo(64, 48, AVIF, mode="RGBA"), (64, 48, 1, 1, True)),
    "avif on its side": (photo(64, 48, AVIF, orientation=6), (64, 48, 1, 6, False)),
    "avif animated": (pictures.animation(AVIF, 3), (40, 30, 3, 1, False)),
    "tiff": (photo(64, 48, TIFF), (64, 48, 1, 1, False)),
    "tiff alpha": (photo(64, 48, TIFF, mode="RGBA"), (64, 48, 1, 1, True)),
    "tiff compressed": (photo(64, 48, TIFF, compression="tiff_lzw"), (64, 48, 1, 1, False)),
    "tiff big": (photo(64, 48, TIFF, big_tiff=True), (64, 48, 1, 1, False)),
    "tiff on its side": (photo(64, 48, TIFF, orientation=6), (64, 48, 1, 6, False)),
    "tiff of three pages": (pictures.animation(TIFF, 3), (40, 30, 3, 1, False)),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(judged, name):
    content, expected = GOOD[name]
    found = judged(content)
    assert isinstance(found, Header), found
    assert facts(found) == expected


@pytest.mark.parametrize("name", GOOD)
def test_bytes_after_the_end_do_no_harm(judged, name):
    content, expected = GOOD[name]
    found = judged(content + b"more bytes, as cameras and phones append them")
    assert isinstance(found, Header), found
    assert facts(found) == expected


@pytest.mark.parametrize("name", GOOD)
def test_bytes_after_the_end_are_counted(name):
    content, _ = GOOD[name]
    gauge = PillowGauge()
    media_type = gauge.signature(io.BytesIO(content))
    behind = [gauge.decode(io.BytesIO(content + b"m" * number), media_type, int) for number in (0, 100)]
    assert behind[1] - behind[0] == (0 if media_type == "image/tiff" else 100)  # a TIFF has its parts anywhere: it has no end
    assert (behind[0] > 0) == (name in CARRIERS)


CARRIERS = {"jpeg of a phone, a second picture behind it", "gif that is a script"}


def test_a_jpeg_is_followed_past_the_borders_of_what_is_read_at_once():
    whole = photo(1_200, 900, JPEG, quality=95)
    assert len(whole) > 1 << 20
    filler = b"\xff\xfe" + struct.pack(">H", 65_000) + bytes(64_998)
    for short in range(3):
        comment = b"\xff\xfe" + struct.pack(">H", 40 + short) + bytes(38 + short)
        content = whole[:2] + filler * 3 + comment + whole[2:]
        assert PillowGauge().decode(io.BytesIO(content + b"behind"), "image/jpeg", int) == 6


@pytest.mark.parametrize("comment", [b"an end: \xff\xd9", b"scans: " + b"\xff\xda" * 300, bytes(60_000) + b"\xff"])
def test_what_a_comment_between_scans_holds_is_no_marker(comment):
    whole = photo(64, 48, JPEG, progressive=True)
    second = whole.index(b"\xff\xc4", whole.index(b"\xff\xda"))
    for times in (1, 40):  # more than is read at once
        comments = (b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment) * times
        content = whole[:second] + comments + whole[second:]
        assert PillowGauge().decode(io.BytesIO(content + b"behind"), "image/jpeg", int) == 6


def _webp_longer_than_itself():
    whole = photo(64, 48, WEBP)
    return whole[:4] + struct.pack("<I", len(whole)) + whole[8:]


def _frames_promised(number):
    """An animated PNG of three frames that promises `number`."""
    whole = pictures.animation(PNG, 3)
    at = whole.index(b"acTL") - 4
    return whole[:at] + chunk(b"acTL", struct.pack(">II", number, 0)) + whole[at + 20 :]


def _tiff_pointing_away():
    """A compressed TIFF, whose entry for the place of its only strip is made to point beyond the file."""
    whole = photo(64, 48, TIFF, compression="tiff_lzw")
    entry = struct.pack("<HHI", 273, 4, 1)
    assert whole.count(entry) == 1
    return whole.replace(entry + struct.pack("<I", 8), entry + struct.pack("<I", len(whole)))


def _short_jpeg_tables():
    return b"\xff\xd8\xff\xdb\0\x05\0\0\0\xff\xd9"


HOSTILE = {
    # the file -> the code
    "nothing": (b"", Code.NOT_AN_IMAGE),
    "text": (b"a letter", Code.NOT_AN_IMAGE),
    "an image we do not read": (b"8BPS\0\x01" + bytes(100), Code.NOT_AN_IMAGE),
    "jpeg magic only": (b"\xff\xd8\xff", Code.TRUNCATED),
    "jpeg that ends before it begins": (_short_jpeg_tables(), Code.UNDECODABLE),
    "jpeg of many scans": (pictures.jpeg_many_scans(), Code.TOO_COMPLEX),
    "jpeg of many scans behind what looks like its end": (pictures.jpeg_many_scans_behind_an_end(), Code.TOO_COMPLEX),
    **{
        f"jpeg with a head of {what}": (photo(64, 48, JPEG)[:2] + filler + photo(64, 48, JPEG)[2:], Code.TOO_COMPLEX)
        for what, filler in {
            "nothing": b"\xff\xfe\0\2" + bytes(1_000_001),
            "padding": b"\xff" * 1_000_001,
            "empty segments": b"\xff\xfe\0\2" * 500_001,
        }.items()
    },
    "png magic only": (b"\x89PNG\r\n\x1a\n", Code.TRUNCATED),
    "png with a wrong sum": (pictures.png_wrong_sum(), Code.UNDECODABLE),
    "png with too few rows": (pictures.png_too_few_rows(), Code.UNDECODABLE),
    "png with too many rows": (pictures.png_too_many_rows(), Code.UNDECODABLE),
    "png with two heads": (pictures.png_two_heads(), Code.UNDECODABLE),
    "png without data": (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes([0, 0, 0, 1] * 2 + [8, 0, 0, 0, 0])) + chunk(b"IEND"), Code.TRUNCATED),
    "png without a head": (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND"), Code.UNDECODABLE),
    "png of no known colour": (pictures.bare_png(20, 10).replace(b"\x01\0\0\0\0", b"\x01\x05\0\0\0"), Code.UNDECODABLE),
    "png text bomb": (pictures.text_bomb(b"zTXt"), Code.TOO_COMPLEX),
    "png international text bomb": (pictures.text_bomb(b"iTXt"), Code.TOO_COMPLEX),
    "png profile bomb": (pictures.profile_bomb(), Code.TOO_COMPLEX),
    "png of too many chunks": (pictures.bare_png(20, 10, extra=chunk(b"vpAg") * 1_000_001), Code.TOO_COMPLEX),
    "png that promises more frames than it has": (_frames_promised(4), Code.UNDECODABLE),
    "png that promises fewer frames than it has": (_frames_promised(2), Code.UNDECODABLE),
    "gif magic only": (b"GIF89a", Code.TRUNCATED),
    "gif without frames": (pictures.gif_bomb(0), Code.UNDECODABLE),
    "gif of two minds": (pictures.gif_of_two_minds(), Code.UNDECODABLE),
    "webp magic only": (b"RIFF\0\0\0\0WEBP", Code.TRUNCATED),
    "webp of nothing": (b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8 " + bytes(14), Code.UNDECODABLE),
    "webp longer than its file": (_webp_longer_than_itself(), Code.TRUNCATED),
    "avif magic only": (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", Code.TRUNCATED),
    "avif with a box of no size": (photo(64, 48, AVIF)[:32] + b"\0\0\0\x04mdat", Code.UNDECODABLE),
    "tiff magic only": (b"II*\0\x08\0\0\0", Code.TRUNCATED),
    "tiff whose pixels lie beyond its end": (_tiff_pointing_away(), Code.TRUNCATED),
    "tiff without pages": (b"II*\0\0\0\0\0", Code.UNDECODABLE),
    **{f"jpeg cut {number}": (content, Code.TRUNCATED) for number, content in enumerate(pictures.jpeg_cuts())},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(judged, name):
    content, code = HOSTILE[name]
    assert judged(content) is code


LARGE = {
    # the file, the most frames -> pixels counting frames, frames
    "50 megapixels": (pictures.megapixels_50(), 10, 50_000_000, 1),
    "51 megapixels": (pictures.megapixels_51(), 10, 51_000_000, 1),
    "gif bomb": (pictures.gif_bomb(), 10_000, 10_001, 10_001),
    "gif of as many frames as allowed": (pictures.gif_bomb(), 100_000, 100_000, 100_000),
    "gif that outgrows its screen": (pictures.gif_outgrown(), 10, 6_000_000_000, 2),
    "png": (pictures.animation(PNG, 5), 3, 40 * 30 * 4, 4),
    "webp": (pictures.animation(WEBP, 5), 3, 40 * 30 * 4, 4),
    "avif": (pictures.animation(AVIF, 5), 3, 40 * 30 * 4, 4),
    "tiff": (pictures.animation(TIFF, 5), 3, 40 * 30 * 4, 4),
    "png that promises billions": (_frames_promised(2_000_000_000), 10_000, 40 * 30 * 10_001, 10_001),
    "png that promises none": (_frames_promised(0), 10_000, 40 * 30, 1),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_a_header_counts(judged, name):
    content, max_frames, pixels, frames = LARGE[name]
    header = judged(content, max_frames, most_pixels=0)
    assert (header.pixels, header.frames) == (pixels, frames)


def test_pages_of_a_tiff_are_counted_each_in_its_size(judged):
    pages = [Image.new("L", size) for size in ((30, 20), (400, 300), (5, 5))]
    out = io.BytesIO()
    pages[0].save(out, TIFF, save_all=True, append_images=pages[1:])
    header = judged(out.getvalue())
    assert (facts(header), header.pixels) == ((30, 20, 3, 1, False), 600 + 120_000 + 25)


ORIENTATIONS = {
    # an EXIF block -> orientation
    "right": (b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x05\0\0\0", 5),
    "right, other byte order": (b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x07\0\0", 7),
    "out of range": (b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0", 1),
    "of a wrong type": (b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x05\0\0\0", 1),
    "cut": (b"II*\0\x08\0\0\0\x09\0\x12", 1),
    "pointing nowhere": (b"II*\0\xff\xff\xff\xff", 1),
    "empty": (b"", 1),
    "nonsense": (b"what is this", 1),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("fmt", [JPEG, PNG, WEBP])
def test_broken_exif_is_no_error(judged, fmt, name):
    block, expected = ORIENTATIONS[name]
    content = photo(20, 10, PNG) if fmt == PNG else photo(20, 10, fmt, exif=b"Exif\0\0" + block)
    if fmt == PNG:
        content = content[:33] + chunk(b"eXIf", block) + content[33:]
    assert judged(content).orientation == expected


def test_exif_behind_the_data_of_a_png_counts(judged):
    whole = photo(20, 10, PNG)
    assert judged(whole[:-12] + chunk(b"eXIf", ORIENTATIONS["right"][0]) + whole[-12:]).orientation == 5


ADAM7 = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")


@pytest.mark.parametrize("width", range(1, 11))
@pytest.mark.parametrize("height", range(1, 11))
def test_rows_of_an_interlaced_png(judged, width, height):
    passes = [[[x for x in range(width) if ADAM7[y % 8][x % 8] == str(n)] for y in range(height)] for n in range(1, 8)]
    expected = sum(1 + len(row) for rows in passes for row in rows if row)
    assert Shape(width, height, 8, interlaced=True).size() == expected
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    content = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(expected))) + chunk(b"IEND")
    assert facts(judged(content)) == (width, height, 1, 1, False)


def test_surplus_rows_are_not_inflated_to_their_end():
    with pytest.raises(UploadError) as raised:
        Rows(Shape(10, 10, 8, interlaced=False)).feed(zlib.compress(bytes(10_000_000)))
    assert raised.value.code is Code.UNDECODABLE


# ---------------------------------------------------------------- what passes through


class OutOfTime(Exception):
    """As a task runner raises it in the middle of anything."""


class Interrupted(io.BytesIO):
    """A file whose reading ends with an exception, once so much was read."""

    def __init__(self, content, after, error):
        super().__init__(content)
        self._left, self._error = after, error

    def read(self, size=-1):
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._error
        return data


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 1.5])
@pytest.mark.parametrize("fmt", pictures.FORMATS)
def test_an_interrupt_passes_untouched(fmt, part):
    content, error = photo(fmt=fmt), OutOfTime()
    file = Interrupted(content, int(part * len(content)), error)
    with pytest.raises(OutOfTime) as raised:
        decode_again_and_again(PillowGauge(interrupts=(OutOfTime,)), file, fmt)
    assert raised.value is error


def decode_again_and_again(gauge, file, fmt):
    """Ends by the file's exception only: each time more of the file was read."""
    while True:
        gauge.decode(file, pictures.MEDIA_TYPES[fmt], lambda: None)


@pytest.mark.parametrize("fmt", pictures.FORMATS)
def test_an_exception_that_is_no_interrupt_is_a_refusal(fmt):
    with pytest.raises(Exception, match="damaged") as raised:
        PillowGauge().decode(Interrupted(photo(fmt=fmt), 100, OutOfTime()), pictures.MEDIA_TYPES[fmt], lambda: None)
    assert raised.value.code is Code.UNDECODABLE


FAULTS = [
    (MemoryError(), Code.TOO_COMPLEX),
    (RecursionError(), Code.UNDECODABLE),
    (NotImplementedError("some day"), Code.UNDECODABLE),
    (OverflowError(), Code.UNDECODABLE),
    (struct.error(), Code.UNDECODABLE),
    (zlib.error(), Code.UNDECODABLE),
    (OSError(errno.EINVAL, "seek to nowhere"), Code.UNDECODABLE),
    (OSError("image file is truncated"), Code.TRUNCATED),
]


@pytest.mark.parametrize(("error", "code"), FAULTS)
def test_any_exception_of_a_decoder(error, code):
    with pytest.raises(Exception, match="image") as raised:
        PillowGauge().header(Interrupted(photo(), 10, error), "image/jpeg", 1)
    assert raised.value.code is code


@pytest.mark.parametrize("call", ["signature", "header", "decode", "digest"])
def test_a_failing_disk_is_no_refusal(call):
    file = Interrupted(photo(), 0, OSError(errno.EIO, "input/output error"))
    file.getbuffer = file.read  # what hashlib asks a BytesIO for
    arguments = {"header": ("image/jpeg", 1), "decode": ("image/jpeg", lambda: None)}.get(call, ())
    with pytest.raises(StoreDown):
        getattr(PillowGauge(), call)(file, *arguments)


def test_what_a_heartbeat_raises_passes_untouched():
    def heartbeat():
        raise OutOfTime

    with pytest.raises(OutOfTime):
        PillowGauge().decode(io.BytesIO(pictures.animation(GIF)), "image/gif", heartbeat)


@pytest.mark.parametrize(("content", "media_type", "beats"), [(photo(), "image/jpeg", 1), (pictures.animation(GIF, 5), "image/gif", 5)])
def test_the_heart_beats_after_every_frame(content, media_type, beats):
    beaten = []
    PillowGauge().decode(io.BytesIO(content), media_type, lambda: beaten.append(1))
    assert len(beaten) == beats


@pytest.mark.parametrize("at", [0, 7, 10_000])
def test_a_file_may_stand_anywhere(tmp_path, at):
    content, gauge = photo(), PillowGauge()
    path = tmp_path / "cat.jpg"
    path.write_bytes(content)
    with path.open("rb") as file:
        results = []
        for call in (
            gauge.signature,
            lambda f: gauge.header(f, "image/jpeg", 1).width,
            lambda f: gauge.decode(f, "image/jpeg", int),
            gauge.digest,
        ):
            file.seek(at)
            results.append(call(file))
        assert not file.closed
    assert results == ["image/jpeg", 64, 0, f"sha256:{hashlib.sha256(content).hexdigest()}"]

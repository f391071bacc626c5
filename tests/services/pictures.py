"""Makers of image files, good and hostile. Everything is seeded: the same call makes the same bytes."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

JPEG, PNG, GIF, WEBP, AVIF, TIFF = "JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"
FORMATS = (JPEG, PNG, GIF, WEBP, AVIF, TIFF)
MEDIA_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
_ORIENTATION = 0x0112
_QUICK = {PNG: {"compress_level": 1}, WEBP: {"method": 0}, AVIF: {"speed": 10}}


# ---------------------------------------------------------------- good ones


def photo(
    width: int = 64, height: int = 48, fmt: str = JPEG, *, orientation: int | None = None, mode: str = "RGB", seed: int = 1, **saving
) -> bytes:
    """A picture of noise, which does not compress to nothing; with EXIF when an orientation is given."""
    exif = Image.Exif()
    if orientation is not None:
        exif[_ORIENTATION] = orientation
        saving["exif"] = exif.tobytes()
    return _saved(_noise(width, height, mode, seed), fmt, **saving)


def animation(fmt: str = GIF, frames: int = 3, width: int = 40, height: int = 30) -> bytes:
    """An animated GIF, WebP, PNG or AVIF, or a TIFF of several pages; every frame differs."""
    first, *rest = (_noise(width, height, "RGB", seed) for seed in range(frames))
    return _saved(first, fmt, save_all=True, append_images=rest)


def solid(width: int, height: int, fmt: str = PNG, mode: str = "RGB", **saving) -> bytes:
    """One colour: large in pixels, small in bytes, quick to make."""
    mode = "P" if fmt == GIF else mode
    if fmt == TIFF:
        saving.setdefault("compression", "tiff_adobe_deflate")
    return _saved(Image.new(mode, (width, height), 1), fmt, **saving)


def megapixels_50(fmt: str = PNG) -> bytes:
    """Exactly the 50,000,000 pixels that are allowed."""
    return bare_png(10_000, 5_000) if fmt == PNG else solid(10_000, 5_000, fmt)


def megapixels_51(fmt: str = PNG) -> bytes:
    """A million more than are allowed."""
    return bare_png(10_200, 5_000) if fmt == PNG else solid(10_200, 5_000, fmt)


# ---------------------------------------------------------------- PNG by hand


def chunk(kind: bytes, payload: bytes = b"", crc: int | None = None) -> bytes:
    """A PNG chunk with its sum, or with a wrong one."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload) if crc is None else crc)


def bare_png(width: int, height: int, *, rows: int | None = None, extra: bytes = b"", bits: int = 1, crc: int | None = None) -> bytes:
    """A grey PNG of `bits` a pixel with as many `rows` of data as asked (all, when none is said) and `extra` chunks before them."""
    row = bytes(1 + (width * bits + 7) // 8)
    data = zlib.compress(row * (height if rows is None else rows), 1)
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data, crc) + chunk(b"IEND")


def png_wrong_sum() -> bytes:
    """Its image data is not what its sum says."""
    return bare_png(20, 10, crc=0xDEADBEEF)


def png_too_few_rows() -> bytes:
    """The header promises more rows than the data has."""
    return bare_png(2_000, 1_000, rows=10)


def png_too_many_rows() -> bytes:
    """The data inflates to far more than the header says: 50,000 rows for 10."""
    return bare_png(10_000, 10, rows=50_000)


def png_two_heads() -> bytes:
    """Two headers: a reader that believes the first sees 4 pixels, one that believes the last sees 900,000,000."""
    return bare_png(2, 2, extra=chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)))


def text_bomb(kind: bytes = b"zTXt", size: int = 100_000_000) -> bytes:
    """Compressed text (zTXt or iTXt) that inflates to `size` bytes."""
    lead = b"Comment\0\0" if kind == b"zTXt" else b"Comment\0\x01\0\0\0"
    return bare_png(20, 10, extra=chunk(kind, lead + zlib.compress(bytes(size), 9)))


def profile_bomb(size: int = 100_000_000) -> bytes:
    """A colour profile that inflates to `size` bytes."""
    return bare_png(20, 10, extra=chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(size), 9)))


# ---------------------------------------------------------------- GIF by hand


def gif_bomb(frames: int = 100_000, width: int = 1, height: int = 1) -> bytes:
    """That many frames of one pixel each, in 15 bytes each, on a screen of `width` x `height`."""
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = struct.pack("<sHHHHB", b",", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * frames + b";"


def gif_outgrown(width: int = 60_000, height: int = 50_000) -> bytes:
    """The screen says one pixel, its second frame is of 3,000,000,000."""
    large = struct.pack("<sHHHHB", b",", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    return gif_bomb(1)[:-1] + large + b";"


def gif_of_two_minds() -> bytes:
    """A comment that hides a frame from readers which take an empty extension for one, as the specification has it; Pillow does not."""
    frame = struct.pack("<sHHHHB", b",", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    hidden = bytes(31) + b"\0" + frame
    return gif_bomb(0)[:-1] + b"!\x01\0" + b"!\xfe" + bytes([len(hidden)]) + hidden + b"\0" + frame + b";"


def polyglot() -> bytes:
    """A GIF that is a script too: its width reads as the start of a comment, which the trailing bytes close."""
    comment = struct.unpack("<H", b"/*")[0]
    return gif_bomb(1, comment, 1) + b"*/=1;alert(document.domain);"


# ---------------------------------------------------------------- JPEG by hand


def jpeg_cuts() -> list[bytes]:
    """A JPEG cut within its magic bytes, its header, its coded data, and before its last two bytes, which only end it."""
    whole = photo(200, 150, JPEG)
    return [whole[:at] for at in (4, 30, 300, len(whole) // 2, len(whole) - 2, len(whole) - 1)]


def jpeg_many_scans(scans: int = 5_000) -> bytes:
    """A progressive JPEG whose scans repeat: each is a few bytes long and costs a walk over the whole picture."""
    whole = photo(64, 48, JPEG, progressive=True)
    start = whole.rindex(b"\xff\xda")
    return whole[:start] + whole[start:-2] * scans + whole[-2:]


def jpeg_many_scans_behind_an_end() -> bytes:
    """The same; a comment before them holds what looks like the end of the image."""
    many = jpeg_many_scans()
    second = many.index(b"\xff\xc4", many.index(b"\xff\xda"))
    return many[:second] + b"\xff\xfe\x00\x06ab\xff\xd9" + many[second:]


# ---------------------------------------------------------------- damage


def truncated(content: bytes, lost: int) -> bytes:
    """Without its last `lost` bytes."""
    return content[:-lost]


def flipped(content: bytes, seed: int, flips: int = 3) -> bytes:
    """With a few bits turned over."""
    rng, damaged = random.Random(seed), bytearray(content)
    for _ in range(flips):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cuts(content: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """Cut at `count` places, among them the last three bytes."""
    rng = random.Random(seed)
    for lost in (1, 2, 3, *(rng.randrange(4, len(content) - 16) for _ in range(count - 3))):
        yield truncated(content, lost)


def fuzz(content: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` files with one to eight bits turned over, half of them near the front, where the structure is."""
    for number in range(count):
        front = 200 if number % 2 else len(content)
        yield flipped(content[:front], seed * 10_000 + number, 1 + number % 8) + content[front:]


def _noise(width: int, height: int, mode: str, seed: int) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * bands))


def _saved(image: Image.Image, fmt: str, **saving) -> bytes:
    out = io.BytesIO()
    image.save(out, fmt, **(_QUICK.get(fmt, {}) | saving))
    return out.getvalue()

"""A few hundred broken files, judged twice: by the gauge, and by a full load of every frame by Pillow. Where the two differ is listed, with why."""

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from app.core.ports import Header
from tests.services import pictures
from tests.services.pictures import GIF, JPEG, PNG, WEBP, chunk

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SMALL = 1_000_000  # pixels: what damage makes larger is not decoded, by neither

FILES = {
    "jpeg": (JPEG, pictures.photo(48, 36, JPEG, orientation=6)),
    "jpeg progressive": (JPEG, pictures.photo(48, 36, JPEG, progressive=True)),
    "jpeg grey": (JPEG, pictures.photo(33, 17, JPEG, mode="L")),
    "png": (PNG, pictures.photo(48, 36, PNG, orientation=6)),
    "png palette": (PNG, pictures.photo(48, 36, PNG, mode="P", transparency=3)),
    "png sixteen bits": (PNG, pictures.bare_png(40, 30, bits=16)),
    "png animated": (PNG, pictures.animation(PNG)),
    "gif": (GIF, pictures.photo(48, 36, GIF)),
    "gif animated": (GIF, pictures.animation(GIF)),
    "webp": (WEBP, pictures.photo(48, 36, WEBP)),
    "webp lossless": (WEBP, pictures.photo(48, 36, WEBP, lossless=True, mode="RGBA")),
    "webp animated": (WEBP, pictures.animation(WEBP)),
}


def loads(fmt, content):
    """Whether Pillow opens it and loads every frame at full size."""
    try:
        image = Image.OPEN[fmt][0](io.BytesIO(content))
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            if image.width * image.height > SMALL:
                return False
            image.load()
    except Exception:  # noqa: BLE001 - any exception is a refusal
        return False
    return True


# ---------------------------------------------------------------- the damage


def png_chunks(whole):
    """Kind and payload of every chunk."""
    at = 8
    while at < len(whole):
        (length,) = struct.unpack_from(">I", whole, at)
        yield whole[at + 4 : at + 8], whole[at + 8 : at + 8 + length]
        at += 12 + length


def png_of(chunks):
    """A PNG of these chunks, all with right sums."""
    return whole_of([chunk(kind, payload) for kind, payload in chunks])


def whole_of(parts):
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def places(fmt, whole):
    """Where the structure has its joints: beginnings of chunks, segments, blocks, and their neighbours."""
    if fmt == PNG:
        at, found = 8, [8]
        for _, payload in png_chunks(whole):
            found += [at + 4, at + 8, at + 8 + len(payload) // 2, at + 8 + len(payload), at + 12 + len(payload)]
            at += 12 + len(payload)
    elif fmt == JPEG:
        found = [at for at in range(len(whole) - 1) if whole[at] == 0xFF and whole[at + 1] not in {0, 0xFF}]
        found += [at + 4 for at in found]
    elif fmt == GIF:
        found = [at for at in range(len(whole)) if whole[at : at + 1] in {b"!", b",", b";"}][:30]
    else:
        found = [whole.find(kind) for kind in (b"VP8", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH") if kind in whole]
        found += [at + 8 for at in found]
    return sorted(
        {at for place in found for at in (place - 1, place, place + 1) if 0 < at < len(whole)} | {len(whole) - n for n in (1, 2, 3)}
    )


def cut(fmt, whole, _rng):
    some = places(fmt, whole)
    for at in some[:: max(1, len(some) // 14)] + some[-3:]:
        yield whole[:at]


def flipped_in(start, end):
    def make(_fmt, whole, rng):
        first, last = int(start * len(whole)), int(end * len(whole))
        for _ in range(12):
            at = rng.randrange(first, last)
            yield whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]

    return make


def resized(fmt, whole, rng):
    """Other dimensions than the data has; sums are made right again, so that it is the rows that tell."""
    for width, height in ((47, 36), (48, 35), (49, 36), (48, 37), (96, 72), (1, 1), (rng.randrange(1, 200), 36)):
        if fmt == PNG:
            head, *rest = png_chunks(whole)
            yield png_of([(b"IHDR", struct.pack(">II", width, height) + head[1][8:]), *rest])
        elif fmt == JPEG:
            at = max(whole.find(b"\xff\xc0"), whole.find(b"\xff\xc2")) + 5
            yield whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]
        elif fmt == GIF:
            yield whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def wrong_sums(fmt, whole, _rng):
    for kind, payload in png_chunks(whole) if fmt == PNG else ():
        good = chunk(kind, payload)
        yield whole.replace(good, good[:-1] + bytes([good[-1] ^ 1]), 1)


def swapped(fmt, whole, _rng):
    """Chunks in another order, missing, or twice."""
    chunks = list(png_chunks(whole)) if fmt == PNG else []
    for at in range(len(chunks) - 1):
        yield png_of([*chunks[:at], chunks[at + 1], chunks[at], *chunks[at + 2 :]])
        yield png_of(chunks[:at] + chunks[at + 1 :])
        yield png_of([*chunks[:at], chunks[at], *chunks[at:]])


def recoloured(fmt, whole, _rng):
    """Depth, colour type, method, filter, interlacing of another PNG; sums are right."""
    head, *rest = png_chunks(whole) if fmt == PNG else [(b"", b"")]
    for at, value in ((8, 3), (8, 16), (9, 1), (9, 2), (9, 6), (10, 1), (11, 1), (12, 1), (12, 7)) if fmt == PNG else ():
        payload = head[1][:at] + bytes([value]) + head[1][at + 1 :]
        yield png_of([(head[0], payload), *rest])


def small_chunks(fmt, whole, _rng):
    """Chunks that say too little or too much, before and behind the data; sums are right."""
    if fmt != PNG:
        return
    chunks = list(png_chunks(whole))
    odd = [(b"PLTE", bytes(900)), (b"PLTE", bytes(4)), (b"tRNS", b""), (b"tRNS", bytes(300)), (b"gAMA", b"1"), (b"cHRM", b"12")]
    odd += [
        (b"pHYs", b""),
        (b"sRGB", b""),
        (b"iCCP", b""),
        (b"iCCP", b"icc\0\1x"),
        (b"zTXt", b"a\0\1x"),
        (b"zTXt", b"a\0\0x"),
        (b"iTXt", b"a"),
    ]
    odd += [
        (b"eXIf", b"x"),
        (b"tEXt", b"\xff"),
        (b"acTL", b"1"),
        (b"fcTL", b"1"),
        (b"fdAT", b"1"),
        (b"fdAT", bytes(8)),
        (b"vpAg", bytes(9)),
    ]
    for each in odd:
        yield png_of([chunks[0], each, *chunks[1:]])
        yield png_of([*chunks[:-1], each, chunks[-1]])


def rows(fmt, whole, rng):
    """Data that is sound by its sums, and not by its rows: filters that are none, too many rows, too few, a wrong sum of zlib's own."""
    if fmt != PNG:
        return
    kinds = dict(png_chunks(whole))
    raw, head = zlib.decompress(b"".join(payload for kind, payload in png_chunks(whole) if kind == b"IDAT")), kinds[b"IHDR"]
    height = struct.unpack(">I", head[4:8])[0]
    length = len(raw) // height
    row = rng.randrange(height) * length
    bad = [raw[:row] + bytes([number]) + raw[row + 1 :] for number in (1, 4, 5, 17, 255)]
    bad += [raw + raw[:length], raw + b"x", raw[:-1], raw[:-length], b""]
    datas = [zlib.compress(each, 1) for each in bad]
    datas += [zlib.compress(raw)[:-1] + b"\0", zlib.compress(raw)[:-4], zlib.compress(raw) + b"more", b"\x79" + zlib.compress(raw)[1:]]
    before = [(kind, payload) for kind, payload in png_chunks(whole) if kind in {b"IHDR", b"PLTE", b"tRNS"}]
    for data in datas:
        yield png_of([*before, (b"IDAT", data), (b"IEND", b"")])
    yield png_of([*before, (b"IDAT", zlib.compress(raw)[:40]), (b"tIME", bytes(7)), (b"IDAT", zlib.compress(raw)[40:]), (b"IEND", b"")])
    yield png_of([*before, *((b"IDAT", zlib.compress(raw)[at : at + 1]) for at in range(len(zlib.compress(raw)))), (b"IEND", b"")])


DAMAGE = {
    "cut": cut,
    "front flipped": flipped_in(0, 0.1),
    "middle flipped": flipped_in(0.1, 0.9),
    "end flipped": flipped_in(0.9, 1),
    "resized": resized,
    "wrong sum": wrong_sums,
    "swapped": swapped,
    "recoloured": recoloured,
    "small chunks": small_chunks,
    "rows": rows,
}

STRICTER = {
    # the damage, the format -> why the gauge refuses some that Pillow loads. It takes none that Pillow refuses.
    ("cut", PNG): "Pillow stops reading when its pixels are full: what ends the file is not missed",
    ("cut", GIF): "the same, of the trailer",
    ("middle flipped", PNG): "a load does not look at the sums of image data",
    ("end flipped", PNG): "nor at what stands behind the data",
    ("resized", PNG): "fewer rows, or shorter ones, are taken from the data, and the rest is never looked at",
    ("wrong sum", PNG): "the sums of image data, and of what follows it",
    ("swapped", PNG): "data behind the trailer, or twice; a trailer that is missing",
    ("small chunks", PNG): "a chunk of a frame behind the last, for which a sound animation has no place",
    ("rows", PNG): "more rows than the header says, and a wrong or missing sum of zlib's own",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_two_judges(judged, damage):
    rng, stricter, files = random.Random(7), set(), 0
    for name, (fmt, whole) in FILES.items():
        for number, content in enumerate(DAMAGE[damage](fmt, whole, rng)):
            found, full = judged(content, most_pixels=SMALL), loads(fmt, content)
            sound = isinstance(found, Header) and found.pixels <= SMALL
            assert full or not sound, f"{damage} {name} {number}: Pillow refuses it, and the gauge finds {found}"
            files += 1
            if full and not sound:
                stricter.add((damage, fmt))
    assert files > 20
    assert stricter == {row for row in STRICTER if row[0] == damage}

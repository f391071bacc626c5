"""What is asked of a rendition: what may be asked, what is alike, and the name that it gets."""

import math

import pytest

from app.core.errors import Code, UploadError
from app.core.renditions import Mode, Spec

OUTSIDE = [
    {"width": 0},
    {"width": -1},
    {"width": 10_001},
    {"height": 0},
    {"height": 10**30},
    {"quality": 0},
    {"quality": 101},
    {"media_type": "image/x-tga"},
    {"media_type": ""},
    {"focus": (math.nan, 0.0)},
    {"focus": (0.0, math.inf)},
    {"focus": (0.0, -1.01)},
    {"background": "x" * 33},
]


@pytest.mark.parametrize("asked", OUTSIDE, ids=str)
def test_what_lies_outside_is_refused(asked):
    with pytest.raises(UploadError) as refused:
        Spec(**asked)
    assert refused.value.code is Code.INVALID


def test_the_limits_themselves_are_inside():
    assert Spec(1, 10_000, quality=100, focus=(-1, 1), background="x" * 32).scales
    assert Spec(quality=1).width is None


ALIKE = {
    # these differ in nothing that an image/png would show
    "its own type said": (Spec(10), Spec(10, media_type="image/png")),
    "quality of a lossless format": (Spec(10), Spec(10, quality=5)),
    "mode without a size": (Spec(media_type="image/webp"), Spec(media_type="image/webp", mode=Mode.MAX)),
    "the quality that is usual": (Spec(10, media_type="image/webp"), Spec(10, media_type="image/webp", quality=80)),
    "a focus where nothing is cut": (Spec(10, mode=Mode.PAD), Spec(10, mode=Mode.PAD, focus=(1, 1))),
    "a focus finer than a pixel": (Spec(10, focus=(0.12341, -0.0)), Spec(10, focus=(0.12344, 0.0))),
    "a colour in capitals": (Spec(10, background="#FF0"), Spec(10, background="ff0")),
    "no colour": (Spec(10, background=""), Spec(10)),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_comes_out_alike_has_one_name(name):
    one, other = ALIKE[name]
    assert one.of("image/png") == other.of("image/png")
    assert one.of("image/png").key() == other.of("image/png").key()


def test_what_differs_has_another_name():
    jpeg = "image/jpeg"
    asked = [
        Spec(10),
        Spec(11),
        Spec(None, 10),
        Spec(10, 10),
        Spec(10, mode=Mode.MAX),
        Spec(10, quality=79),
        Spec(10, media_type="image/png"),
        Spec(10, focus=(0.1, 0)),
        Spec(10, focus=(0, 0.1)),
        Spec(10, background="red"),
    ]
    assert len({spec.of(jpeg).key() for spec in asked}) == len(asked)


def test_a_name_is_the_same_in_every_process():
    assert Spec(300, 200, Mode.CROP, 75, "image/webp", (0.5, -0.25), "#fff").of("image/png").key() == "d2576694be436c44f95e1df9e9cbef4a"


@pytest.mark.parametrize(
    ("spec", "asks"),
    [
        (Spec(), False),
        (Spec(mode=Mode.MAX, background="red", focus=(0, 0)), False),
        (Spec(media_type="image/png"), False),
        (Spec(media_type="image/webp"), True),
        (Spec(quality=80), True),
        (Spec(None, 5), True),
        (Spec(5), True),
    ],
)
def test_what_asks_for_nothing_new_makes_nothing(spec, asks):
    assert spec.asks_of("image/png") is asks

"""The checks, and the order in which they are asked."""

import io
from dataclasses import dataclass, field, replace

import pytest

from app.core import checks
from app.core.errors import Code, Lost, UploadError
from app.core.facts import Facts
from app.core.judging import measure
from app.core.policy import ANY, IMAGES, Policy, Trailing
from app.core.ports import Header, Landed
from app.core.upload import Staged, Upload

POLICY = Policy(max_bytes=100, max_pixels=50, max_frames=3)
UPLOAD = Upload("u", "t", "me", "v1", POLICY, "op", Staged("staged/t/u"), 0.0, 600.0, 8)
HEADER = Header(5, 5, 2, 1, has_alpha=False)
OTHER = "application/octet-stream"


def an_upload(policy=None, **fields):
    return replace(UPLOAD, policy=replace(POLICY, **(policy or {})), **fields)


def outcome(problem):
    return problem and (problem.code, dict(problem.facts))


LENGTHS = [
    # bytes that arrived, the upload -> the problem
    (1, {}, None),
    (100, {}, None),
    (100, {"length": 100}, None),
    (0, {}, (Code.EMPTY, {})),
    (0, {"length": 0}, (Code.EMPTY, {})),
    (0, {"policy": {"empty": True}}, (Code.EMPTY, {})),
    (0, {"policy": {"empty": True}, "length": 0}, None),
    (1, {"policy": {"empty": True}, "length": 0}, (Code.CHANGED, {})),
    (101, {}, (Code.TOO_LARGE, {"limit": 100, "size": 101})),
    (101, {"length": 101}, (Code.TOO_LARGE, {"limit": 100, "size": 101})),
    (99, {"length": 100}, (Code.CHANGED, {})),
    (100, {"length": 99}, (Code.CHANGED, {})),
]


@pytest.mark.parametrize(("size", "fields", "expected"), LENGTHS)
def test_length(size, fields, expected):
    assert outcome(checks.length(size, an_upload(**fields))) == expected


TYPES = [
    # measured, what the policy takes -> the problem
    ("image/png", IMAGES, None),
    ("image/avif", (*IMAGES, "image/avif"), None),
    ("application/pdf", (ANY,), None),
    (OTHER, (ANY,), None),
    (OTHER, IMAGES, (Code.NOT_AN_IMAGE, {})),
    ("application/pdf", ("image/png",), (Code.TYPE_NOT_ALLOWED, {"media_type": "application/pdf", "accepted": ["image/png"]})),
    ("image/tiff", ("image/png",), (Code.TYPE_NOT_ALLOWED, {"media_type": "image/tiff", "accepted": ["image/png"]})),
]


@pytest.mark.parametrize(("measured", "taken", "expected"), TYPES)
def test_media_type(measured, taken, expected):
    assert outcome(checks.media_type(measured, an_upload({"media_types": taken}))) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"), [((1, 1, 1), None), ((0, 9, 1), Code.UNDECODABLE), ((9, 0, 1), Code.UNDECODABLE), ((9, 9, 0), Code.UNDECODABLE)]
)
def test_dimensions(sizes, expected):
    found = checks.dimensions(Header(*sizes, 1, has_alpha=False))
    assert (found and found.code) == expected


@pytest.mark.parametrize(("frames", "expected"), [(1, None), (3, None), (4, (Code.TOO_MANY_FRAMES, {"limit": 3}))])
def test_frames(frames, expected):
    assert outcome(checks.frames(replace(HEADER, frames=frames), UPLOAD)) == expected


NARROW = {"max_pixels_by_type": {"image/webp": 25, "image/gif": 1000}}
PIXELS = [
    # width, height, frames, area, type -> the problem
    (5, 5, 2, None, "image/png", None),
    (51, 1, 1, None, "image/png", (Code.TOO_MANY_PIXELS, {"pixels": 51, "limit": 50})),
    (5, 5, 3, None, "image/png", (Code.TOO_MANY_PIXELS, {"pixels": 75, "limit": 50})),
    (5, 5, 1, None, "image/webp", None),
    (13, 2, 1, None, "image/webp", (Code.TOO_MANY_PIXELS, {"pixels": 26, "limit": 25})),
    (51, 1, 1, None, "image/gif", (Code.TOO_MANY_PIXELS, {"pixels": 51, "limit": 50})),
    (5, 5, 3, 50, "image/tiff", None),
    (1, 1, 2, 51, "image/tiff", (Code.TOO_MANY_PIXELS, {"pixels": 51, "limit": 50})),
]


@pytest.mark.parametrize(("width", "height", "frames", "area", "measured", "expected"), PIXELS)
def test_pixels(width, height, frames, area, measured, expected):
    header = Header(width, height, frames, 1, has_alpha=False, area=area)
    assert outcome(checks.pixels(header, measured, an_upload(NARROW))) == expected


@pytest.mark.parametrize(("declared", "expected"), [(None, None), ("sha256:aa", None), ("sha256:bb", (Code.DIGEST_MISMATCH, {}))])
def test_digest(declared, expected):
    assert outcome(checks.digest("sha256:aa", an_upload(digest=declared))) == expected


# ---------------------------------------------------------------- the stages


@dataclass
class Instrument:
    """A gauge that finds what it is told, and notes what it was asked. `unsound`: the refusal at a stage."""

    type: str = "image/png"
    found: Header = HEADER
    unsound: dict[str, Code] = field(default_factory=dict)
    behind: int = 0
    asked: list[str] = field(default_factory=list)

    def signature(self, _file):
        return self._ask("signature", self.type)

    def header(self, _file, _media_type, _max_frames):
        return self._ask("header", self.found)

    def decode(self, _file, _media_type, heartbeat):
        heartbeat()
        return self._ask("decode", self.behind)

    def digest(self, _file):
        return self._ask("digest", "sha256:aa")

    def _ask(self, stage, answer):
        self.asked.append(stage)
        if stage in self.unsound:
            raise UploadError(self.unsound[stage])
        return answer


def judged(gauge, upload=UPLOAD, size=9, digest=None):
    """The facts, or the code of the refusal; and the stages that were asked."""
    try:
        result = measure(gauge, Landed(io.BytesIO(), size, digest), upload, lambda _stage: None)
    except UploadError as refusal:
        result = refusal.code
    return result, gauge.asked


IMAGE = Facts(9, "sha256:aa", "image/png", 5, 5, 2, 1, has_alpha=False)
ALL = ["signature", "header", "decode", "digest"]
STAGES = [
    # the gauge, the upload, the size -> the result, what was asked
    ({}, {}, 9, IMAGE, ALL),
    ({}, {}, 0, Code.EMPTY, []),
    ({}, {}, 101, Code.TOO_LARGE, []),
    ({"type": OTHER}, {}, 9, Code.NOT_AN_IMAGE, ["signature"]),
    ({"type": "image/tiff"}, {}, 9, Code.TYPE_NOT_ALLOWED, ["signature"]),
    ({"unsound": {"header": Code.TRUNCATED}}, {}, 9, Code.TRUNCATED, ["signature", "header"]),
    ({"found": replace(HEADER, width=0)}, {}, 9, Code.UNDECODABLE, ["signature", "header"]),
    ({"found": replace(HEADER, width=99, frames=4)}, {}, 9, Code.TOO_MANY_FRAMES, ["signature", "header"]),
    ({"found": replace(HEADER, width=99)}, {}, 9, Code.TOO_MANY_PIXELS, ["signature", "header"]),
    ({"unsound": {"decode": Code.UNDECODABLE}}, {}, 9, Code.UNDECODABLE, ["signature", "header", "decode"]),
    ({}, {"digest": "sha256:bb"}, 9, Code.DIGEST_MISMATCH, ALL),
]


@pytest.mark.parametrize(("gauge", "fields", "size", "expected", "asked"), STAGES)
def test_the_first_refusal_ends_it(gauge, fields, size, expected, asked):
    assert judged(Instrument(**gauge), an_upload(**fields), size) == (expected, asked)


TRAILING = [
    # the policy's word, bytes behind the image -> the result; what is told of it
    ("allow", 7, replace(IMAGE, trailing=7), ()),
    ("warn", 7, replace(IMAGE, trailing=7), (7,)),
    ("warn", 0, IMAGE, ()),
    ("refuse", 7, Code.TRAILING_BYTES, None),
    ("refuse", 0, IMAGE, ()),
]


@pytest.mark.parametrize(("word", "behind", "expected", "told"), TRAILING)
def test_bytes_behind_an_image(word, behind, expected, told):
    upload = an_upload({"trailing": Trailing(word)})
    result, _ = judged(Instrument(behind=behind), upload)
    assert result == expected
    if told is not None:
        warnings = checks.warnings(result, upload.policy)
        assert tuple(warning.facts["trailing"] for warning in warnings) == told
        assert {warning.code for warning in warnings} <= {Code.TRAILING_BYTES}


def test_bytes_behind_an_image_are_refused_where_any_file_is_kept():
    upload = an_upload({"trailing": Trailing.REFUSE, **KEEP})
    assert judged(Instrument(behind=7), upload)[0] is Code.TRAILING_BYTES


def test_webp_has_a_limit_of_its_own():
    assert [Policy().pixels_of(f"image/{kind}") for kind in ("webp", "jpeg", "png")] == [25_000_000, 50_000_000, 50_000_000]


def plain(media_type):
    return Facts(9, "sha256:aa", media_type)


KEEP, JUDGE = {"media_types": (ANY,), "judge": False}, {"media_types": (ANY,), "judge": True}
PLAIN_FILES = [
    # the policy, the gauge -> the result, whether it was decoded
    (KEEP, {}, IMAGE, True),
    (KEEP, {"type": OTHER}, plain(OTHER), False),
    (KEEP, {"type": "text/html"}, plain("text/html"), False),
    (KEEP, {"unsound": {"header": Code.TRUNCATED}}, plain("image/png"), False),
    (KEEP, {"unsound": {"header": Code.UNDECODABLE}}, plain("image/png"), False),
    (KEEP, {"unsound": {"decode": Code.TOO_COMPLEX}}, plain("image/png"), True),
    (KEEP, {"found": replace(HEADER, width=99)}, plain("image/png"), False),
    (KEEP, {"found": replace(HEADER, frames=4)}, plain("image/png"), False),
    (KEEP, {"unsound": {"digest": Code.DIGEST_MISMATCH}}, Code.DIGEST_MISMATCH, True),
    (KEEP, {"unsound": {"decode": Code.GONE}}, Code.GONE, True),
    (JUDGE, {}, IMAGE, True),
    (JUDGE, {"type": OTHER}, plain(OTHER), False),
    (JUDGE, {"type": "application/pdf"}, plain("application/pdf"), False),
    (JUDGE, {"unsound": {"decode": Code.TRUNCATED}}, Code.TRUNCATED, True),
    (JUDGE, {"found": replace(HEADER, width=99)}, Code.TOO_MANY_PIXELS, False),
    ({"judge": False}, {"unsound": {"decode": Code.TRUNCATED}}, Code.TRUNCATED, True),
]


@pytest.mark.parametrize(("policy", "gauge", "expected", "decoded"), PLAIN_FILES)
def test_plain_files(policy, gauge, expected, decoded):
    result, asked = judged(Instrument(**gauge), an_upload(policy))
    assert (result, "decode" in asked) == (expected, decoded)


@pytest.mark.parametrize(("policy", "size", "code"), [(KEEP, 0, Code.EMPTY), (KEEP, 101, Code.TOO_LARGE), (JUDGE, 0, Code.EMPTY)])
def test_any_file_has_a_size(policy, size, code):
    assert judged(Instrument(), an_upload(policy), size) == (code, [])


def test_a_digest_that_was_made_on_the_way_is_not_made_again():
    facts, asked = judged(Instrument(), digest="sha256:cc")
    assert (facts.digest, asked) == ("sha256:cc", ["signature", "header", "decode"])


def test_a_digest_made_on_the_way_is_held_against_the_declared_one():
    assert judged(Instrument(), an_upload(digest="sha256:aa"), digest="sha256:cc")[0] is Code.DIGEST_MISMATCH


def test_progress_hears_of_each_stage():
    heard = []
    measure(Instrument(), Landed(io.BytesIO(), 9), UPLOAD, heard.append)
    assert list(dict.fromkeys(heard)) == ["measuring", "judging", "digesting"]


@pytest.mark.parametrize("policy", [KEEP, JUDGE])
@pytest.mark.parametrize("lost_at", ["measuring", "judging", "digesting"])
def test_what_progress_raises_ends_the_work(policy, lost_at):
    def progress(stage):
        if stage == lost_at:
            raise Lost

    with pytest.raises(Lost):
        measure(Instrument(), Landed(io.BytesIO(), 9), an_upload(policy), progress)

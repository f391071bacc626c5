"""Conditions, ranges, preferences, names: a header -> what it means."""

import pytest
from flask import Response
from werkzeug.http import parse_options_header

from app.core.errors import Code, UploadError
from app.web import conditions
from app.web.conditions import ContentRange, Preferences, Span
from tests.web.flows import request

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("method", "header", "same"),
    [
        ("GET", None, False),
        ("GET", "", False),
        ("GET", '"abc"', True),
        ("HEAD", '"abc"', True),
        ("PUT", '"abc"', False),
        ("GET", 'W/"abc"', True),
        ("GET", '"x", "abc"', True),
        ("GET", '"x" ,W/"abc"', True),
        ("GET", "*", True),
        ("GET", '"ABC"', False),
        ("GET", '"abcd"', False),
        ("GET", '"a,abc"', False),
        ("GET", ",,,", False),
        ("GET", "\xff\xfe", False),
    ],
)
def test_if_none_match(method, header, same):
    headers = {} if header is None else {"if_none_match": header}
    asked = request(method, **headers)
    assert conditions.not_modified(asked, ETAG) is same
    response = Response(b"body", headers={"ETag": ETAG, "Vary": "Prefer", "Content-Type": "application/json"})
    answer = conditions.unless_same(asked, response)
    assert answer.status_code == (304 if same else 200)
    assert (answer.headers["ETag"], answer.headers["Vary"]) == (ETAG, "Prefer")


@pytest.mark.parametrize(
    ("header", "passes"),
    [(None, True), ('"abc"', True), ("*", True), ('"x", "abc"', True), ('W/"abc"', False), ('"x"', False)],
)
def test_if_match(header, passes):
    asked = request("PUT", **({} if header is None else {"if_match": header}))
    assert conditions.still(asked, ETAG) is passes


def test_the_tag_is_strong_and_of_the_bytes():
    first, same, other = (Response(body) for body in (b"{}", b"{}", b"[]"))
    for response in (first, same, other):
        conditions.tag(response)
    assert first.headers["ETag"] == same.headers["ETag"] != other.headers["ETag"]
    assert first.headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, Span(0, 100)),
        ("bytes=0-0", Span(0, 1, partial=True)),
        ("bytes=10-19", Span(10, 10, partial=True)),
        ("bytes=10-", Span(10, 90, partial=True)),
        ("bytes=99-", Span(99, 1, partial=True)),
        ("bytes=0-99", Span(0, 100, partial=True)),
        ("bytes=90-500", Span(90, 10, partial=True)),
        ("bytes=-1", Span(99, 1, partial=True)),
        ("bytes=-100", Span(0, 100, partial=True)),
        ("bytes=-500", Span(0, 100, partial=True)),
        ("BYTES=10-19", Span(10, 10, partial=True)),
        ("bytes=100-", 416),
        ("bytes=100-200", 416),
        (f"bytes={'9' * 30}-", 416),
        ("bytes=0-1,5-6", Span(0, 100)),
        ("bytes=5-6,0-1", Span(0, 100)),
        ("bytes=19-10", Span(0, 100)),
        ("bytes=a-b", Span(0, 100)),
        ("bytes=-", Span(0, 100)),
        ("bytes", Span(0, 100)),
        ("lines=1-2", Span(0, 100)),
        (f"bytes={'9' * 5_000}-", Span(0, 100)),
    ],
)
def test_a_range_of_a_hundred_bytes(header, found):
    asked = request("GET", **({} if header is None else {"range": header}))
    if found == 416:
        with pytest.raises(UploadError) as caught:
            conditions.span(asked, 100, ETAG)
        assert (caught.value.code, caught.value.problem.facts["size"]) == (Code.RANGE, 100)
    else:
        assert conditions.span(asked, 100, ETAG) == found
    assert conditions.span(request("HEAD", **dict(asked.headers)), 100, ETAG) == Span(0, 100)


@pytest.mark.parametrize(
    ("header", "partial"),
    [('"abc"', True), ('"x"', False), ('W/"abc"', False), ("Sun, 31 Jan 2027 00:00:00 GMT", False), ("", False), ("junk", False)],
)
def test_if_range(header, partial):
    assert conditions.span(request("GET", range="bytes=10-19", if_range=header), 100, ETAG).partial is partial


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_no_range_of_an_empty_file(header):
    with pytest.raises(UploadError):
        conditions.span(request("GET", range=header), 0, ETAG)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes 0-9/10", ContentRange(0, 9, 10)),
        ("bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes 5-5/10", ContentRange(5, 5, 10)),
        ("", 400),
        ("bytes */10", 400),
        ("bytes 9-5/10", 400),
        ("bytes 0-10/10", 400),
        ("bytes 0-9", 400),
        ("bytes=0-9/10", 400),
        ("lines 0-9/10", 400),
        ("bytes -5/10", 400),
        ("bytes a-b/c", 400),
        ("bytes 0-9/10, bytes 10-19/20", 400),
    ],
)
def test_content_range(header, found):
    if found == 400:
        with pytest.raises(UploadError) as caught:
            conditions.content_range(header)
        assert caught.value.code is Code.BAD_REQUEST
    else:
        assert conditions.content_range(header) == found


def test_the_length_of_a_content_range():
    assert conditions.content_range("bytes 5-9/10").length == 5


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ([], Preferences()),
        (["wait=10"], Preferences(10)),
        (["respond-async, wait=0"], Preferences(0, respond_async=True)),
        (["respond-async", "wait=7"], Preferences(7, respond_async=True)),
        (["Wait = 5"], Preferences(5)),
        (['wait="5"'], Preferences(5)),
        (["wait=5;x=y"], Preferences(5)),
        (["wait=5, wait=9"], Preferences(5)),
        (["handling=lenient; foo=bar, wait=3, return=minimal"], Preferences(3)),
        (["wait"], Preferences()),
        (["wait=-1"], Preferences()),
        (["wait=1.5"], Preferences()),
        (["wait=\u0661"], Preferences()),
        ([f"wait={'9' * 5_000}"], Preferences()),
        (["respond-asynch"], Preferences()),
        ([""], Preferences()),
        (['"unclosed, wait=5'], Preferences()),
    ],
)
def test_prefer(header, found):
    asked = request("GET")
    lines = ",".join(header)
    if header:
        asked.environ["HTTP_PREFER"] = lines
    assert conditions.prefer(asked) == found


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("photo.png", 'attachment; filename="photo.png"'),
        ("my photo (1).png", 'attachment; filename="my photo (1).png"'),
        ("naïve.png", "attachment; filename=\"na_ve.png\"; filename*=UTF-8''na%C3%AFve.png"),
        ('a"b\\c.png', "attachment; filename=\"a_b_c.png\"; filename*=UTF-8''a%22b%5Cc.png"),
        ("100%.png", "attachment; filename=\"100_.png\"; filename*=UTF-8''100%25.png"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ("\N{SNOWMAN}\N{PILE OF POO}", "attachment; filename=\"__\"; filename*=UTF-8''%E2%98%83%F0%9F%92%A9"),
    ],
)
def test_content_disposition(name, plain):
    value = conditions.content_disposition(name)
    assert value == plain
    assert value.isascii()
    assert parse_options_header(value)[1]["filename"] == name
    assert conditions.filename(value) == name


def test_an_inline_disposition():
    assert conditions.content_disposition("a.png", "inline") == 'inline; filename="a.png"'


def test_half_a_surrogate_pair_does_not_break_the_header():
    assert conditions.content_disposition("\ud800.png").isascii()


@pytest.mark.parametrize("header", [None, "", "attachment", 'attachment; filename=""', ";;;", "\xff"])
def test_no_filename(header):
    assert conditions.filename(header) is None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a.png"', "a.png"),
        ('attachment; filename="Grün.png"'.encode().decode("latin-1"), "Grün.png"),
        ("attachment; filename*=UTF-8''Gr%C3%BCn.png", "Grün.png"),
        ('attachment; filename="Gr\xfcn.png"', "Gr\xfcn.png"),
        ("attachment", None),
        (None, None),
    ],
)
def test_the_name_in_a_content_disposition(header, name):
    assert conditions.filename(header) == name

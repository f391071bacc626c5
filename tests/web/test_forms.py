"""multipart/form-data: what is sent -> the file and the fields, however the bytes are cut."""

import base64
import hashlib
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.errors import ClientGone, Code, UploadError
from app.web.forms import MAX_FIELDS, MAX_PARTS, form_upload, open_form, read_form
from tests.web.flows import Pieces, landed, request

TYPE = "multipart/form-data; boundary=BoUnD"
FILE = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'


def field(name):
    return b'Content-Disposition: form-data; name="%s"' % name


def form(*parts, end=b"--BoUnD--\r\n"):
    return b"".join(b"--BoUnD\r\n%s\r\n\r\n%s\r\n" % part for part in parts) + end


def cut(data, places):
    at = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in pairwise(at)]


NEAR_BOUNDARIES = [
    b"\r\n--BoUnDx\r\n",
    b"\r\n--BoUn",
    b"--BoUnD",
    b"\r",
    b"\n",
    b"\r\n",
    b"-",
    b"\r\n--BoUnD-",
    b"\x00\xff",
    b"abc",
    b"--BoUnD--",
]
CONTENT = st.lists(st.sampled_from(NEAR_BOUNDARIES) | st.binary(max_size=20), max_size=12).map(b"".join)


def holds_a_delimiter(data):
    """Whether a reader would be right to end the part in this data; line breaks read generously, as werkzeug does."""
    return b"--BoUnD" in data


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(content=CONTENT, data=st.data())
@example(content=b"", data=None)
@example(content=b"\r\n--BoUn\r\n-", data=None)
def test_the_file_comes_out_as_it_went_in_wherever_the_form_is_cut(content, data):
    content = content.replace(b"--BoUnD", b"--BoUnE") if holds_a_delimiter(content) else content
    sent = form((field(b"before"), b"1"), (FILE, content), (field(b"after"), b"2"))
    if data is None:
        cuts = [[n] for n in range(len(sent))] + [list(range(len(sent)))]
    else:
        cuts = [data.draw(st.lists(st.integers(0, len(sent)), max_size=40))]
    for places in cuts:
        found = read_form(TYPE, Pieces(*cut(sent, places)))
        assert (found.name, found.filename, found.declared_type, found.fields) == ("file", "a.png", "image/png", {"before": "1"})
        assert landed(found.body) == content
        assert found.fields == {"before": "1", "after": "2"}
        assert landed(found.body) == b""


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (b'Content-Disposition: form-data; name=f; filename=""', ("f", None, None)),
        (b"Content-Disposition: form-data; name=f; filename*=UTF-8''na%C3%AFve.png", ("f", "naïve.png", None)),
        ('Content-Disposition: form-data; name="f"; filename="naïve.png"'.encode(), ("f", "naïve.png", None)),
        (
            b'content-disposition: form-data; name="f"; filename="..\\\\x/y.png"\r\ncontent-type: text/html; a=b',
            ("f", "..\\x/y.png", "text/html"),
        ),
        (b'Content-Disposition: form-data; filename="x"', ("", "x", None)),
    ],
)
def test_what_the_client_says_of_the_file(part, expected):
    found = read_form(TYPE, Pieces(form((part, b"x"))))
    assert (found.name, found.filename, found.declared_type) == expected


def test_of_two_fields_with_one_name_the_first_counts():
    sent = form((field(b"a"), b"1"), (field(b"a"), b"2"), (FILE, b""), (field(b"a"), b"3"), (field(b"b"), b"\xff\xc3\xa9"))
    found = read_form(TYPE, Pieces(sent))
    assert landed(found.body) == b""
    assert found.fields == {"a": "1", "b": "\N{REPLACEMENT CHARACTER}é"}


def test_every_value_of_a_field_is_there_for_who_takes_a_list():
    found = open_form(TYPE, Pieces(form((field(b"a"), b"1"), (FILE, b"x"), (field(b"a"), b"2"), (field(b"b"), b""))))
    assert found.values == {"a": ["1"]}
    assert landed(found.file.body) == b"x"
    assert found.values == {"a": ["1", "2"], "b": [""]}


def test_a_form_with_preamble_and_epilogue():
    sent = b"preamble\r\n" + form((FILE, b"content")) + b"epilogue"
    assert landed(read_form('multipart/form-data; boundary="BoUnD"', Pieces(sent)).body) == b"content"


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        pytest.param(TYPE, b"", id="empty"),
        pytest.param(TYPE, form(), id="no part"),
        pytest.param(TYPE, form((field(b"a"), b"1")), id="no file"),
        pytest.param(TYPE, form((b"Content-Type: image/png", b"1")), id="no disposition"),
        pytest.param(TYPE, form((b"\xff\xfe: \xff", b"1")), id="binary head"),
        pytest.param(TYPE, b"\x00" * 3_000_000, id="no boundary in sight"),
        pytest.param(TYPE, b"--BoUnD\r\n" + b"x" * 3_000_000, id="endless head"),
        pytest.param(TYPE, form((FILE, b"x"), end=b""), id="no end"),
        pytest.param(TYPE, form((FILE, b"x")) + b"x" * 3_000_000, id="endless epilogue"),
        pytest.param(TYPE, form((FILE, b"x"), (FILE, b"y")), id="two files"),
        pytest.param(TYPE, form((FILE, b"x"))[:-20], id="cut in the file"),
        pytest.param(TYPE, form((field(b"a"), b"x" * (MAX_FIELDS + 1)), (FILE, b"x")), id="large field"),
        pytest.param(TYPE, form((FILE, b"x"), *[(field(b"a"), b"x" * 100_000)] * 6), id="large fields behind"),
        pytest.param(TYPE, form(*[(field(b"a"), b"")] * MAX_PARTS, (FILE, b"x")), id="many parts"),
        pytest.param("multipart/form-data", form((FILE, b"x")), id="no boundary named"),
        pytest.param("multipart/form-data; boundary=", form((FILE, b"x")), id="empty boundary"),
        pytest.param("multipart/form-data; boundary=b\xf6", form((FILE, b"x")), id="boundary not ASCII"),
        pytest.param(f"multipart/form-data; boundary={'b' * 201}", form((FILE, b"x")), id="boundary too long"),
        pytest.param("multipart/mixed; boundary=BoUnD", form((FILE, b"x")), id="not form-data"),
        pytest.param("image/png", form((FILE, b"x")), id="no form"),
        pytest.param("", form((FILE, b"x")), id="no type"),
    ],
)
def test_what_is_no_form_with_a_file_is_a_bad_request(kind, sent):
    with pytest.raises(UploadError) as caught:
        landed(read_form(kind, Pieces(sent)).body)
    assert caught.value.code is Code.BAD_REQUEST


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"--BoUnD", b"--BoUnD--", b"\r\n", b"\n", b"\r", FILE, field(b"a"), b":", b"x"]) | st.binary(max_size=5)))
def test_no_form_is_an_error_of_ours(parts):
    with suppress(UploadError):
        landed(read_form(TYPE, Pieces(*parts)).body)


def test_a_form_without_a_file_is_its_fields():
    found = open_form(TYPE, Pieces(form((field(b"url"), b"http://x"), (field(b"name"), b"a.png"))))
    assert (found.file, found.fields) == (None, {"url": "http://x", "name": "a.png"})


def test_fields_behind_the_file_are_there_when_it_has_ended():
    found = open_form(TYPE, Pieces(form((FILE, b"x"), (field(b"parentId"), b"7"))))
    assert found.file.fields == {}
    assert landed(found.file.body) == b"x"
    assert found.fields == {"parentId": "7"}


@pytest.mark.parametrize(
    ("files", "sent"),
    [
        (0, form((field(b"a"), b"1"))),
        (2, form((FILE, b"x"), (FILE, b"y"))),
        (2, form((FILE, b"x"), (FILE, b"y"), (FILE, b"z"))),
        (None, form((FILE, b"x"))[:-20]),
    ],
)
def test_a_wrong_number_of_files_is_told_from_a_malformed_form(files, sent):
    with pytest.raises(UploadError) as caught:
        landed(read_form(TYPE, Pieces(sent)).body)
    assert caught.value.problem.facts.get("files") == files


@pytest.mark.parametrize(
    ("head", "declared", "sent_type"),
    [
        (b"", None, ""),
        (b"\r\nContent-Type:", None, ""),
        (b"\r\nContent-Type:   ", None, ""),
        (b"\r\nContent-Type: text/plain; charset=utf-8", "text/plain", "text/plain; charset=utf-8"),
    ],
)
def test_a_part_keeps_its_content_type_as_sent(head, declared, sent_type):
    file = read_form(TYPE, Pieces(form((field(b"f") + b'; filename="a"' + head, b"x"))))
    assert (file.declared_type, file.content_type) == (declared, sent_type)


def take(pieces, got):
    for piece in read_form(TYPE, pieces).body.chunks(10_000):
        got.append(piece)


@pytest.mark.parametrize("kept", range(0, 250, 13))
def test_a_sender_who_leaves_is_gone_and_what_came_of_the_file_is_kept(kept):
    head, got = form((FILE, b""), end=b"").removesuffix(b"\r\n"), []
    sent = (head + b"y" * 500)[:kept]
    with pytest.raises(ClientGone):
        take(Pieces(*cut(sent, range(0, len(sent), 9)), gone=True), got)
    assert b"".join(got) == b"y" * max(0, kept - len(head))


def test_a_limit_ends_the_file_but_not_the_form():
    body = read_form(TYPE, Pieces(form((FILE, b"0123456789")))).body
    assert b"".join(body.chunks(4)) == b"0123"
    assert landed(body) == b"456789"


@pytest.mark.parametrize(("digest", "good"), [("RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=", False), (None, True)])
def test_the_digest_of_a_form_covers_the_whole_message(digest, good):
    sent = form((FILE, b"x" * 400_000), (field(b"after"), b"2"))
    right = base64.b64encode(hashlib.sha256(sent).digest()).decode()
    found, verify = form_upload(request(body=sent, content_type=TYPE, content_digest=f"sha-256=:{digest or right}:"))
    assert landed(found.body) == b"x" * 400_000
    if good:
        verify()
    else:
        with pytest.raises(UploadError) as caught:
            verify()
        assert caught.value.code is Code.DIGEST_MISMATCH


def test_a_form_without_digest_has_nothing_to_verify():
    assert form_upload(request(body=form((FILE, b"x")), content_type=TYPE))[1] is None

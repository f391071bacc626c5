"""Content-Digest and Repr-Digest: what is declared -> what is verified."""

import base64
import hashlib

import pytest

from app.core.errors import Code, UploadError
from app.web import digests
from tests.web.flows import Pieces, landed, request

DATA = b"the bytes of the file" * 50_000


def b64(algorithm, data=DATA):
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


SHA256, SHA512 = f"sha-256=:{b64('sha256')}:", f"sha-512=:{b64('sha512')}:"
WRONG256, WRONG512 = f"sha-256=:{b64('sha256', b'x')}:", f"sha-512=:{b64('sha512', b'x')}:"


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, "not asked"),
        ({"content_digest": SHA256}, "good"),
        ({"content_digest": SHA512}, "good"),
        ({"content_digest": f"{SHA512}, {SHA256}"}, "good"),
        ({"content_digest": f"  md5=:AAAA:,{SHA256};x=1 "}, "good"),
        ({"content_digest": SHA256.replace("=:", ":").replace("sha-256:", "sha-256=:")}, "good"),
        ({"repr_digest": SHA256}, "good"),
        ({"repr_digest": SHA256, "content_digest": SHA512}, "good"),
        ({"content_digest": ""}, "not asked"),
        ({"content_digest": "md5=:AAAA:, sha=:AAAA:, crc32c=:AAAA:"}, "not asked"),
        ({"content_digest": "unknown=?1"}, "not asked"),
        ({"content_digest": WRONG256}, "bad"),
        ({"content_digest": WRONG512}, "bad"),
        ({"content_digest": f"{WRONG512}, {SHA256}"}, "bad"),
        ({"content_digest": f"{SHA512}, {WRONG256}"}, "bad"),
        ({"repr_digest": WRONG256}, "bad"),
        ({"repr_digest": WRONG256, "content_digest": SHA256}, "bad"),
        ({"repr_digest": SHA256, "content_digest": WRONG256}, "bad"),
        ({"repr_digest": WRONG256, "content_digest": SHA256, "content_range": "bytes 0-1/2"}, "good"),
        ({"repr_digest": SHA256, "content_digest": WRONG256, "content_range": "bytes 0-1/2"}, "bad"),
        ({"repr_digest": SHA256, "content_range": "bytes 0-1/2"}, "not asked"),
    ],
)
def test_the_bytes_are_verified_as_they_flow(headers, outcome):
    body = Pieces(DATA[:100], DATA[100:])
    flow, verify = digests.verified(body, request(**headers).headers)
    assert landed(flow) == DATA
    assert (verify is None) is (outcome == "not asked")
    assert (flow is body) is (outcome == "not asked")
    if outcome == "good":
        verify()
    if outcome == "bad":
        with pytest.raises(UploadError) as caught:
            verify()
        assert caught.value.code is Code.DIGEST_MISMATCH


def test_bytes_that_were_not_read_are_missing():
    flow, verify = digests.verified(Pieces(DATA), request(content_digest=SHA256).headers)
    assert b"".join(flow.chunks(len(DATA) - 1)) == DATA[:-1]
    with pytest.raises(UploadError):
        verify()


@pytest.mark.parametrize("name", ["content_digest", "repr_digest"])
@pytest.mark.parametrize(
    "value",
    [
        f"sha-256={b64('sha256')}",
        f"sha-256=:{b64('sha256')}",
        "sha-256=:!!!!:",
        "sha-256=::",
        "sha-256=:AAAA:",
        f"sha-512=:{b64('sha256')}:",
        'sha-256="text"',
        "sha-256",
        "sha-256=(:AAAA: :AAAA:)",
        f"{SHA256},",
        f"{SHA256} {SHA512}",
        ":AAAA:",
        "sha-256=:\xe4\xf6:",
        "=",
        "{}",
    ],
)
def test_a_malformed_field_is_a_bad_request(name, value):
    with pytest.raises(UploadError) as caught:
        digests.verified(Pieces(DATA), request(**{name: value}).headers)
    assert caught.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("header", "digest"),
    [
        (SHA256, f"sha256:{hashlib.sha256(DATA).hexdigest()}"),
        (SHA512, None),
        (f"{SHA512}, {SHA256}", f"sha256:{hashlib.sha256(DATA).hexdigest()}"),
    ],
)
def test_the_digest_in_our_words(header, digest):
    assert digests.whole_file(request(repr_digest=header).headers) == digest


def test_the_digest_in_the_fields_words_and_back():
    ours = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    assert digests.repr_digest(ours) == SHA256
    assert digests.whole_file(request(repr_digest=digests.repr_digest(ours)).headers) == ours


def test_no_field_is_no_digest():
    assert digests.whole_file(request().headers) is None

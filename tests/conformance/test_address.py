"""What a store's URL may say."""

from pathlib import Path

import pytest

from app.stores.address import FileAddress, MemoryAddress, S3Address, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("file:///var/lib/slipway", FileAddress(Path("/var/lib/slipway"))),
        ("file:///a%20b/c", FileAddress(Path("/a b/c"))),
        ("memory://", MemoryAddress()),
        ("s3://bucket", S3Address("bucket")),
        ("s3://bucket/", S3Address("bucket")),
        ("s3://bucket/a/b/", S3Address("bucket", "a/b")),
        ("s3://bucket/p?endpoint=http://127.0.0.1:8333/", S3Address("bucket", "p", "http://127.0.0.1:8333")),
        (
            "s3://b/p?endpoint=http://inner:1&public=https://s3.example.com&region=eu-west-1",
            S3Address("b", "p", "http://inner:1", "https://s3.example.com", "eu-west-1"),
        ),
    ],
)
def test_a_url_names_an_address(url, address):
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is no store"),
        ("/var/lib/slipway", "is no store"),
        ("ftp://host/x", "is no store"),
        ("file://relative/path", "names no folder"),
        ("file:relative", "names no folder"),
        ("file:///", "names no folder"),
        ("file:///x?fsync=1", "takes no query"),
        ("s3:///prefix", "names no bucket"),
        ("s3://key:secret@bucket", "names no bucket"),
        ("s3://bucket?endpiont=http://x", "unknown endpiont"),
        ("s3://bucket?endpoint=127.0.0.1:8333", "endpoint must be"),
        ("s3://bucket?public=ftp://x", "public must be"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url, said):
    with pytest.raises(ValueError, match=said):
        parse(url)


def test_a_secret_in_a_url_is_not_repeated():
    with pytest.raises(ValueError, match="names no bucket") as refusal:
        parse("s3://key:hush-hush@bucket/p")
    assert "hush" not in str(refusal.value)

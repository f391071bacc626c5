"""What follows from names and facts, in the vendor's own figures where its test suite publishes them."""

from __future__ import annotations

import pytest

from app.core.asset import Asset, Revision
from app.core.facts import Facts
from app.dialects.squidex import pocket
from app.dialects.squidex.pocket import Pocket

LOGO_WIDE = Facts(17539, "sha256:2cedd42646cf0929d5d36446f211acf7f490e5a8d61b5f688e8835e08993adcf", "image/png", 600, 135, 1)


def an_asset(facts=LOGO_WIDE, name="logo-wide.png", **more):
    kept = {"metadata": pocket.first("image/png", name)} | more
    return Asset("a", "acme", "acme:default", "squidex", name, 1.0, 1.0, facts=facts, **kept)


def test_the_hash_is_the_one_in_the_vendors_snapshot():
    """`AssetTests.Should_replace_asset` of its suite, which uploads the file of these facts."""
    assert Pocket(an_asset()).hash == "zWbRIMB2AYcz3lddAtaNFB4//qDyuwTwNKuUgKHp0Vc="
    assert Pocket(an_asset()).metadata_text == "600x135px, 17.1 kB"


@pytest.mark.parametrize(
    ("name", "slug", "kind"),
    [
        ("SampleVideo_176x144_1mb.3gp", "samplevideo-176x144-1mb.3gp", "3gp"),
        ("logo-squared.png", "logo-squared.png", "png"),
        ("My Image", "my-image", "blob"),
        ("Ölfaß Übung.JPEG", "oelfass-uebung.jpeg", "jpg"),
        ("café & thé.PNG", "cafe-the.png", "png"),
        ("한글 й.webp", "한글-й.webp", "webp"),
        ("--a__b--", "a-b", "blob"),
        ("!!!", "", "blob"),
        ("archive.tar.gz", "archive.tar.gz", "gz"),
        (".gitignore", ".gitignore", "gitignore"),
        ("dot.", "dot.", "blob"),
    ],
)
def test_slug_and_type_of_a_name(name, slug, kind):
    assert (pocket.slugify(name), pocket.file_type(name)) == (slug, kind)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 kB"),
        (19430, "19 kB"),
        (17539, "17.1 kB"),
        (1038741, "1014.4 kB"),
        (5 * 1024**2, "5 MB"),
        (3 * 1024**5, "3072 TB"),
    ],
)
def test_a_size_is_readable(size, said):
    assert pocket.readable_size(size) == said


@pytest.mark.parametrize(
    ("width", "tag"),
    [(500, "image/small"), (501, "image/medium"), (1000, "image/medium"), (1001, "image/large")],
)
def test_the_size_of_an_image_is_told_by_twice_its_width(width, tag):
    of = an_asset(Facts(10, LOGO_WIDE.digest, "image/png", width, 9000, 1))
    assert Pocket(of).tags == ["type/png", "image", tag]


def test_a_file_that_is_no_image_is_unknown_whatever_it_calls_itself():
    seen = Pocket(an_asset(Facts(10, LOGO_WIDE.digest, "application/octet-stream")))
    assert (seen.kind, seen.tags, seen.metadata, seen.metadata_text) == ("Unknown", ["type/png"], {}, "10 bytes")


def test_a_file_without_a_declared_type_has_the_measured_one():
    assert Pocket(an_asset(metadata=pocket.first(None, "a.png"))).mime_type == "image/png"


def revision(name, version):
    return Revision(name, Facts(3, "sha256:00", "text/plain"), 1.0, version, f"up-{name}")


def test_which_content_an_asset_had_at_a_version():
    kept = {"mimeType": "a/2", "type:up-b0": "a/0", "type:up-b1": "a/1"}
    of = an_asset(blob="now", version=7, file_version=2, revisions=(revision("b0", 1), revision("b1", 4)), metadata=kept)
    found = {version: Pocket(of).at(version) for version in range(9)}
    assert [found[v] and found[v].blob for v in range(9)] == ["b0", "b0", "b1", "b1", "b1", "now", "now", "now", None]
    assert [found[v] and found[v].file_version for v in range(9)] == [0, 0, 1, 1, 1, 2, 2, 2, None]
    assert [Pocket(found[v]).mime_type for v in (0, 3, 6)] == ["a/0", "a/1", "a/2"]
    assert Pocket(of).at(None) is of


def test_a_content_that_is_no_longer_kept_is_not_there():
    of = an_asset(blob="now", version=9, file_version=2, revisions=(revision("b1", 5),), metadata={})
    assert [Pocket(of).at(v) and Pocket(of).at(v).blob for v in range(4, 7)] == [None, "b1", "now"]


def test_the_types_of_contents_that_went_go_too():
    kept = {"type:up-b0": "a/0", "type:up-b1": "a/1", "type:now": "a/2", "other": 1}
    of = an_asset(upload_id="now", version=9, file_version=2, revisions=(revision("b1", 5),), metadata=kept)
    laid = pocket.replaced(of, "a/3", "a.png")
    assert {name: value for name, value in laid.items() if name.startswith("type:")} == {"type:up-b0": None}

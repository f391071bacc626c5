"""Links to an asset, and what must still be so when it is changed or fetched."""

from __future__ import annotations

import pytest

from app.core.asset import revised
from tests.core.worlds import World
from tests.dialects.house import BASE, Row, digest_field, has
from tests.dialects.pictures import picture

PNG = {"Content-Type": "image/png"}
INVALID = {"code": "link_invalid", "status": 403}


@pytest.fixture
def asset(door, mine):
    """The path of one."""
    where = door.run(Row("POST", "/v1/uploads?filename=cat.png", mine | PNG, picture(), 202)).headers["Location"]
    return door.run(Row("GET", where, mine, shows={"status": "completed"})).get_json()["resourceUrl"].removeprefix(BASE)


@pytest.fixture
def link(door, mine, asset):
    """Makes one; gives the answer back."""
    return lambda headers=mine, **wanted: door.run(Row("POST", f"{asset}/links", headers, wanted or None, 201)).get_json()


# ---------------------------------------------------------------- links


def test_whoever_has_it_gets_the_bytes(door, link):
    made = link()
    assert set(made) == {"url", "expiresAt"}
    sends = {
        "Content-Type": "image/png",
        "Content-Disposition": 'attachment; filename="cat.png"',
        "Cache-Control": "public, max-age=300",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(len(picture())),
    }
    answer = door.run(Row("GET", made["url"], sends=sends))
    assert answer.get_data() == picture()
    etag = answer.headers["ETag"]
    assert door.run(Row("HEAD", made["url"], sends=sends | {"ETag": etag})).get_data() == b""
    part = door.run(Row("GET", made["url"], {"Range": "bytes=2-5"}, status=206, sends={"Content-Range": f"bytes 2-5/{len(picture())}"}))
    assert part.get_data() == picture()[2:6]
    door.run(Row("GET", made["url"], {"If-None-Match": etag}, status=304))
    door.run(Row("GET", made["url"], {"Range": "bytes=9999-"}, status=416))


@pytest.mark.parametrize(
    ("filename", "says"),
    [
        ("dog.png", 'filename="dog.png"'),
        ("a b%2F?&#.png", "a%20b%252F%3F%26%23.png"),
        ("../../é\u202e.png", "%C3%A9.png"),
        ("日本.png", "%E6%97%A5"),
    ],
)
def test_a_name_and_a_disposition_of_its_own(door, link, filename, says):
    made = link(disposition="inline", filename=filename, expiresIn=60)
    shown = door.run(Row("GET", made["url"], sends={"Cache-Control": lambda v: 0 < int(v.rpartition("=")[2]) <= 61})).headers[
        "Content-Disposition"
    ]
    assert shown.startswith("inline;")
    assert says in shown


def test_until_it_runs_out(door, link):
    made = link(expiresIn=100)
    door.pass_time(95)
    door.run(Row("GET", made["url"]))
    door.pass_time(10)
    for method in ("GET", "HEAD"):
        door.run(Row(method, made["url"], status=403, shows=INVALID if method == "GET" else {}))


def test_nothing_of_it_can_be_changed(door, link, asset):
    url = link(filename="cat.png")["url"]
    path, _, query = url.partition("?")
    expires = query.partition("&")[0].partition("=")[2]
    other = door.run(Row("POST", "/v1/uploads", door.key("other") | PNG, picture(shade=2), 202)).get_json()["id"]
    changed = [
        url.replace("/acme/", "/other/"),
        url.replace(asset.rpartition("/")[2], other),
        url.replace("attachment", "inline"),
        url.replace("cat.png", "cat.html"),
        url.replace(expires, str(int(expires) + 1)),
        url.replace(expires, expires + "0" * 5000),
        url.replace(expires, f"%20{expires}"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        *(path, f"{path}?expires={expires}", f"{path}?signature=%ff%00&expires={expires}", url.replace("cat.png", "%ff%00")),
    ]
    for each in changed:
        door.run(Row("GET", each, status=403, sends={"Content-Type": "application/problem+json"}, shows=INVALID))
    for method in ("PUT", "POST", "DELETE"):
        door.run(Row(method, url, status=405))


def test_it_goes_with_the_asset(door, mine, link, asset):
    url = link(expiresIn=7 * 86400)["url"]
    door.run(Row("DELETE", asset, mine, status=204))
    door.run(Row("GET", url, status=410, shows={"code": "gone"}))


def test_it_ends_with_the_asset_that_nobody_kept(door, link):
    url = link(expiresIn=7 * 86400)["url"]
    door.pass_time(86401)
    door.run(Row("GET", url, status=410))


def test_it_is_to_the_asset_and_gives_what_that_has_now(door, mine, link, asset):
    url = link()["url"]
    old = door.house.library.asset(door.principal(), asset.rpartition("/")[2])
    new = World(door).asset_of(World(door).sent(picture(shade=3)))
    door.house.library.revise(old, lambda of, now: revised(of, now, facts=new.facts))
    etag = door.run(Row("HEAD", url)).headers["ETag"]
    assert etag == f'"{new.facts.digest.removeprefix("sha256:")}"'


def test_who_may_make_one(door, asset):
    door.run(Row("POST", f"{asset}/links", door.key(role="viewer"), status=201))
    door.run(Row("POST", f"{asset}/links", door.key("other", "admin"), status=404))
    door.run(Row("POST", f"{asset}/links", {}, status=401))


def test_not_of_a_placeholder(door, mine):
    empty = door.house.library.placeholder(door.principal(), "v1", "soon.png")
    door.run(Row("POST", f"/v1/assets/{empty.id}/links", mine, status=404))


WRONG = {
    "expiresIn": [0, -1, 7 * 86400 + 1, 10**30, "60", 1.5, True, None, [60]],
    "disposition": ["", "form-data", "INLINE", 1, None],
    "filename": ["", "\0", "..", "x" * 256, 5, None],
    "nonsense": [1],
}


def test_what_is_wrong_is_named(door, mine, asset):
    for name, values in WRONG.items():
        for value in values:
            answer = door.run(Row("POST", f"{asset}/links", mine, {name: value}, 422))
            assert answer.get_json()["errors"][0].startswith(f"{name}: "), (name, value)
    for body in (b"[]", b"{", b'{"filename": "\\ud800"}'):
        door.run(Row("POST", f"{asset}/links", mine, body, 400))


def test_sent_again_it_is_the_same_link(door, mine, asset):
    keyed = mine | {"Idempotency-Key": "link-1"}
    first = door.run(Row("POST", f"{asset}/links", keyed, {"expiresIn": 60}, 201)).get_json()
    door.pass_time(5)
    door.run(Row("POST", f"{asset}/links", keyed, {"expiresIn": 60}, 201, {"Idempotent-Replayed": "true"}, first))
    door.run(Row("POST", f"{asset}/links", keyed, {"expiresIn": 61}, 422, shows={"code": "idempotency_key_reused"}))


# ---------------------------------------------------------------- If-Match, names


@pytest.mark.parametrize(
    ("method", "body", "status"), [("PATCH", {"keep": True}, 200), ("PATCH", {"filename": "b.png"}, 200), ("DELETE", None, 204)]
)
def test_only_as_it_was_seen(door, mine, asset, method, body, status):
    stale = door.run(Row("GET", asset, mine)).headers["ETag"]
    fresh = door.run(Row("PATCH", asset, mine | {"If-Match": stale}, {"usage": "page 7"}, sends={"ETag": lambda v: v != stale})).headers[
        "ETag"
    ]
    for wrong in (stale, '"other"', f"W/{fresh}", "", "nonsense"):
        refused = {"code": "precondition_failed", "status": 412}
        door.run(Row(method, asset, mine | {"If-Match": wrong}, body, 412, {"Content-Type": "application/problem+json"}, refused))
    door.run(Row(method, asset, mine | {"If-Match": f'"other", {fresh}'}, body, status))


def test_any_will_do(door, mine, asset):
    door.run(Row("PATCH", asset, mine | {"If-Match": "*"}, {"keep": True}))


@pytest.mark.parametrize(("wanted", "status", "named"), [(None, 412, "cat.png"), ("*", 200, "b.png")])
def test_changed_between_the_look_and_the_write(door, mine, asset, monkeypatch, wanted, status, named):
    etag, library = door.run(Row("GET", asset, mine)).headers["ETag"], type(door.house.library)
    before = library.revise

    def meanwhile(self, of, change, *rest):
        monkeypatch.setattr(library, "revise", before)
        door.house.library.keep(of, "page 1")
        return before(self, of, change, *rest)

    monkeypatch.setattr(library, "revise", meanwhile)
    door.run(Row("PATCH", asset, mine | {"If-Match": wanted or etag}, {"filename": "b.png"}, status))
    door.run(Row("GET", asset, mine, shows={"filename": named, "usage": "page 1"}))


def test_another_name(door, mine, asset):
    door.run(Row("PATCH", asset, mine, {"filename": "../dog.png"}, shows={"filename": "dog.png", "kept": False}))
    door.run(
        Row(
            "PATCH",
            asset,
            mine,
            {"filename": "bird.png", "usage": "page 7"},
            shows={"filename": "bird.png", "kept": True, "usage": "page 7"},
        )
    )
    door.run(Row("GET", f"{asset}/content", mine, sends={"Content-Disposition": 'attachment; filename="bird.png"'}))
    for body, field in (({}, "keep"), ({"filename": ""}, "filename"), ({"filename": "\0"}, "filename"), ({"filename": None}, "filename")):
        errors = door.run(Row("PATCH", asset, mine, body, 422)).get_json()["errors"]
        assert errors[0].startswith(f"{field}: "), body


def test_content_only_as_it_was_seen(door, mine, asset):
    etag = door.run(Row("GET", f"{asset}/content", mine)).headers["ETag"]
    for method in ("GET", "HEAD"):
        door.run(Row(method, f"{asset}/content", mine | {"If-Match": etag}))
        door.run(Row(method, f"{asset}/content", mine | {"If-Match": f"W/{etag}"}, status=412))
        door.run(Row(method, f"{asset}/content", mine | {"If-Match": '"other"', "If-None-Match": etag, "Range": "bytes=0-1"}, status=412))


# ---------------------------------------------------------------- runs of a stream, and the digest of the whole


@pytest.mark.parametrize(
    ("digests", "statuses", "ends"),
    [
        ((True, True), (204, 202), "completed"),
        ((None, True), (204, 202), "completed"),
        ((False, None), (204, 202), "failed"),
        ((True, False), (204, 400), None),
    ],
)
def test_the_digest_of_the_whole_beside_a_content_range(door, mine, digests, statuses, ends):
    content, made = picture(), door.run(Row("POST", "/v1/uploads", mine, {"filename": "a.png"}, 202)).get_json()
    for (first, last), right, status in zip([(0, 9), (10, len(content) - 1)], digests, statuses, strict=True):
        told = {} if right is None else {"Repr-Digest": digest_field(content if right else b"other")}
        told |= {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        door.run(Row("PUT", made["upload"]["uploadUrl"], told, content[first : last + 1], status))
    if ends:
        problem = None if ends == "completed" else has(code="digest_mismatch")
        door.run(Row("GET", f"/v1/operations/{made['id']}", mine, shows={"status": ends, "problem": problem}))


def test_every_422_of_an_announcement_names_its_field(door, mine):
    for body, field in (
        ({"filename": "\0"}, "filename"),
        ({"filename": "a", "size": 9, "partSize": 5}, "partSize"),
        ({"filename": "a", "size": "x"}, "size"),
    ):
        answer = door.run(Row("POST", "/v1/uploads", mine, body, 422))
        assert answer.get_json()["errors"][0].startswith(f"{field}: "), body

"""Downloads: who may, which content, in what form."""

from __future__ import annotations

import pytest

from tests.dialects.house import Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import ASSETS, asset, file, refusal, token, upload

HOME = "/squidex/api/assets"
CLOSED = {"Content-Security-Policy": "script-src 'none'; default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


@pytest.fixture
def made(door, mine):
    return asset(door, mine, b"0123456789", "naïve.txt", "text/plain")


@pytest.mark.parametrize("below", ["{id}", "{id}/", "{id}/naive.txt", "{id}/any/thing/at-all.png", "{slug}", "{slug}/", "{slug}/x"])
def test_anybody_may_download_by_id_or_slug(door, made, below):
    sends = {
        "Content-Type": "text/plain",
        "Content-Length": "10",
        "ETag": '"0"',
        "Last-Modified": lambda v: v.endswith(" GMT"),
        "Content-Disposition": "inline; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt",
        "Accept-Ranges": "bytes",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "private, max-age=0, must-revalidate",
        "X-AppId": bool,
    }
    answer = door.run(Row("GET", f"{HOME}/acme/{below.format(**made)}", sends=sends | CLOSED))
    assert answer.get_data() == b"0123456789"
    head = door.run(Row("HEAD", f"{HOME}/acme/{below.format(**made)}", sends=sends))
    assert head.get_data() == b""


@pytest.mark.parametrize("path", ["acme/none", "acme/%00", "none/{id}", "other/{id}", "other/{slug}", "acme/" + "x" * 3000])
def test_what_is_not_there_is_not_found(door, made, path):
    door.run(Row("GET", f"{HOME}/{path.format(**made)}", status=404, shows=refusal(404, message="Not Found")))


@pytest.mark.parametrize(
    ("asked", "status", "body", "sends"),
    [
        ({"Range": "bytes=2-4"}, 206, b"234", {"Content-Range": "bytes 2-4/10"}),
        ({"Range": "bytes=-3"}, 206, b"789", {"Content-Range": "bytes 7-9/10"}),
        ({"Range": "bytes=7-"}, 206, b"789", {}),
        ({"Range": "bytes=99-"}, 416, None, {"Content-Range": "bytes */10"}),
        ({"Range": "nonsense"}, 200, b"0123456789", {}),
        ({"If-None-Match": '"0"'}, 304, b"", {"ETag": '"0"'}),
        ({"If-None-Match": '"1"'}, 200, b"0123456789", {}),
        ({"Range": "bytes=2-4", "If-Range": '"0"'}, 206, b"234", {}),
        ({"Range": "bytes=2-4", "If-Range": '"1"'}, 200, b"0123456789", {}),
    ],
)
def test_ranges_and_what_the_client_has(door, made, asked, status, body, sends):
    answer = door.run(Row("GET", f"{HOME}/acme/{made['id']}/", asked, status=status, sends=sends))
    assert body is None or answer.get_data() == body


@pytest.mark.parametrize(
    ("query", "sends"),
    [
        ("download=1", {"Content-Disposition": lambda v: v.startswith("attachment;")}),
        ("download=0", {"Content-Disposition": lambda v: v.startswith("inline;")}),
        ("Download=2", {"Content-Disposition": lambda v: v.startswith("inline;")}),
        ("cache=3600", {"Cache-Control": "public,max-age=3600"}),
        ("CACHE=0", {"Cache-Control": "private, max-age=0, must-revalidate"}),
        ("version=-2&other=x", {"ETag": '"0"'}),
    ],
)
def test_the_query_of_a_download(door, made, query, sends):
    door.run(Row("GET", f"{HOME}/acme/{made['id']}?{query}", sends=sends))


@pytest.mark.parametrize(
    "query",
    ["version=x", "version=-9", "version=" + "9" * 40, "cache=-1", "cache=1e9", "download=x", "deleted=perhaps", "cache=" + "9" * 30],
)
def test_a_query_of_the_wrong_kind_is_refused(door, made, query):
    door.run(Row("GET", f"{HOME}/acme/{made['id']}?{query}", status=400, shows={"message": "Validation error"}))


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("image/png", "image/png"),
        ("IMAGE/JPEG", "IMAGE/JPEG"),
        ("image/jpg", "image/jpg"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("audio/mp3", "audio/mp3"),
        ("application/pdf", "application/pdf"),
        ("text/html", "application/octet-stream"),
        ("text/html; charset=utf-8", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("multipart/x-mixed-replace; boundary=x", "application/octet-stream"),
        ("text/plain; charset=utf-7, text/html", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
    ],
)
def test_the_declared_type_is_sent_where_it_can_do_no_harm(door, mine, declared, sent):
    told = asset(door, mine, b"<script>alert(1)</script>", "a", declared)
    assert told["mimeType"] == declared
    door.run(Row("GET", f"{HOME}/acme/{told['id']}", sends=CLOSED | {"Content-Type": sent}))


# ---------------------------------------------------------------- protected, deleted


def test_a_protected_asset_needs_credentials_of_its_app(door, mine, made):
    door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, {"isProtected": True}))
    shut = {"Cache-Control": "public,max-age=0"}
    for path in (f"{HOME}/acme/{made['id']}", f"{HOME}/acme/{made['slug']}", f"{HOME}/acme/{made['id']}?version=0&cache=60"):
        for who in ({}, token(door, "other"), {"Authorization": "Bearer st_nonsense"}):
            door.run(Row("GET", path, who, status=403, shows=refusal(403), sends=shut))
        for who in (mine, token(door, role="viewer", name="reader"), door.key()):
            assert door.run(Row("GET", path, who)).get_data() == b"0123456789"
    door.run(Row("GET", f"{HOME}/acme/{made['id']}?cache=60", mine, sends={"Cache-Control": "private,max-age=60"}))


def test_wrong_credentials_do_no_harm_where_none_are_needed(door, made):
    door.run(Row("GET", f"{HOME}/acme/{made['id']}", {"Authorization": "Bearer st_nonsense"}))


def test_a_deleted_asset_is_there_for_who_asks_for_it_with_credentials(door, mine, made):
    path = f"{HOME}/acme/{made['id']}"
    door.run(Row("DELETE", f"{ASSETS}/{made['id']}", mine, status=204))
    door.run(Row("GET", path, mine, status=404))
    for who in ({}, token(door, "other")):
        door.run(Row("GET", f"{path}?deleted=true", who, status=404))
    assert door.run(Row("GET", f"{path}?deleted=true", mine)).get_data() == b"0123456789"
    door.run(Row("DELETE", f"{ASSETS}/{made['id']}?permanent=true", mine, status=204))
    door.run(Row("GET", f"{path}?deleted=true", mine, status=404))


# ---------------------------------------------------------------- versions


def test_every_content_stays_and_is_found_by_the_version_that_it_had(door, mine):
    made = asset(door, mine, b"first", "a.txt", "text/plain")
    path, at = f"{ASSETS}/{made['id']}", f"{HOME}/acme/{made['id']}"
    upload(door, mine, file(b"second!", "b.md", "application/json"), path=f"{path}/content", method="PUT", status=200)
    door.run(Row("PUT", path, mine, {"slug": "x"}))
    upload(door, mine, file(picture(), "c.png"), path=f"{path}/content", method="PUT", status=200)
    found = [door.run(Row("GET", f"{at}?version={n}")) for n in range(4)]
    assert [each.get_data() for each in found] == [b"first", b"second!", b"second!", picture()]
    assert [each.headers["ETag"] for each in found] == ['"0"', '"1"', '"1"', '"2"']
    assert [each.headers["Content-Type"] for each in found] == ["text/plain", "application/json", "application/json", "image/png"]
    door.run(Row("GET", f"{at}?version=4", status=404))
    assert door.run(Row("GET", at)).get_data() == picture()


def test_contents_that_come_at_once_each_keep_their_type_and_their_version(door, mine):
    made = asset(door, mine, b"first", "a.txt", "text/plain")
    door.jobs.hold = True
    for kind in ("application/json", "text/csv"):
        path = f"{ASSETS}/{made['id']}/content"
        upload(door, mine, file(kind.encode(), "b", kind), path=path, method="PUT", status=202, headers={"Prefer": "respond-async"})
    door.jobs.run()
    found = [door.run(Row("GET", f"{HOME}/acme/{made['id']}?version={n}")) for n in range(3)]
    assert [each.get_data() for each in found[1:]] == [each.headers["Content-Type"].encode() for each in found[1:]]
    assert {each.headers["Content-Type"] for each in found} == {"text/plain", "application/json", "text/csv"}


# ---------------------------------------------------------------- without an app


def test_the_obsolete_address_needs_credentials_to_know_the_app(door, mine, made):
    path = f"{HOME}/{made['id']}/"
    assert door.run(Row("GET", path, mine)).get_data() == b"0123456789"
    door.run(Row("GET", path, status=401, shows=refusal(401)))
    door.run(Row("GET", path, token(door, "other"), status=404))
    door.run(Row("DELETE", f"{ASSETS}/{made['id']}", mine, status=204))
    door.run(Row("GET", path, mine, status=404))
    door.run(Row("GET", f"{path}?deleted=true", mine))

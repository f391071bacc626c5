"""The Backoffice door: asset images, made of uploaded files; found, deleted, restored."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote

import pytest

from tests.dialects.backoffice.speak import key, part, refusal, send, uploaded
from tests.dialects.house import Row, has
from tests.dialects.pictures import picture

PLACE = "/backoffice/api/core/v2/assets/images"
UNKNOWN = "113c8e25-dfa3-4100-abd9-924fba72aa7c"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
WORDS = {"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "locale": "en", "credit": "A. Smith", "caption_html": "<p>One &amp; two</p>"}


def create(door, who, status=201, **body):
    return door.run(Row("POST", PLACE, who, body, status)).get_json()


def made(door, who, **body):
    """An image of a new upload."""
    return create(door, who, file_key=uploaded(door, who), **body)["data"]


def refused(door, who, body, *words):
    door.run(Row("POST", PLACE, who | {"Content-Type": "application/json"}, body, 400, shows=refusal(*words)))


@pytest.fixture
def image(door, mine):
    return made(door, mine, file_hash="abc", name="A photograph")


# ---------------------------------------------------------------- creation


def test_an_image_as_the_page_has_it(door, mine):
    file_key = uploaded(door, mine)
    said = {"file_key": file_key, "file_hash": "a hash", "name": "A photograph", "gravity": "northwest", "locales": [WORDS]}
    answer = create(door, mine, **said)
    assert set(answer) == {"data"}
    data = answer["data"]
    assert list(data) == ["id", "file_key", "file_hash", "name", "gravity", "locales", "inserted_at", "updated_at", "deleted_at"]
    assert {name: data[name] for name in said} == said
    assert str(uuid.UUID(data["id"], version=4)) == data["id"]
    assert MOMENT.fullmatch(data["inserted_at"])
    assert data["updated_at"] == data["inserted_at"]
    assert data["deleted_at"] is None
    for path in (f"by-id/{data['id']}", f"by-id/{data['id'].upper()}", f"by-key/{file_key}", f"by-key/{quote(file_key, safe='')}"):
        assert door.run(Row("GET", f"{PLACE}/{path}", mine)).get_json() == answer
    assert door.run(Row("GET", f"{PLACE}/by-hash/a%20hash", mine)).get_json() == answer


@pytest.mark.parametrize("more", [{}, {"file_hash": None, "name": None, "later": {"more": 1}}, {"name": "", "locales": []}])
def test_what_is_not_said(door, mine, more):
    data = made(door, mine, **more)
    assert (data["file_hash"], data["name"], data["gravity"], data["locales"]) == (None, "photo.png", "center", [])


def test_a_locale_without_an_id_gets_one(door, mine):
    [locale] = made(door, mine, locales=[{"locale": "fr", "credit": None, "later": 1}])["locales"]
    assert locale == {"id": str(uuid.UUID(locale["id"], version=4)), "locale": "fr", "credit": None, "caption_html": None}


@pytest.mark.parametrize("gravity", ["center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"])
def test_every_gravity(door, mine, gravity):
    assert made(door, mine, gravity=gravity)["gravity"] == gravity


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ["object"]),
        (b"{", ["JSON"]),
        (b"[]", ["object"]),
        (b'"uploads"', ["object"]),
        (b"{}", ["file_key"]),
        (b'{"file_key": null}', ["file_key"]),
        (b'{"file_key": 7}', ["file_key"]),
        (b'{"file_key": ""}', ["file_key"]),
        (b'{"file_key": "uploads/' + UNKNOWN.encode() + b'.png"}', ["file_key", "no upload"]),
        (b'{"file_key": "../secret"}', ["file_key", "no upload"]),
        (b'{"file_key": "a\\u0000"}', ["file_key", "no upload"]),
        (b'{"file_key": "\\ud800"}', ["JSON"]),
        (b'{"file_key": "' + b"k" * 300 + b'"}', ["file_key"]),
        (b'{"file_key": "k", "gravity": "up"}', ["gravity"]),
        (b'{"file_key": "k", "gravity": null}', ["gravity"]),
        (b'{"file_key": "k", "gravity": ["north"]}', ["gravity"]),
        (b'{"file_key": "k", "name": 7}', ["name"]),
        (b'{"file_key": "k", "name": "' + b"n" * 300 + b'"}', ["name"]),
        (b'{"file_key": "k", "file_hash": 1e400}', ["file_hash"]),
        (b'{"file_key": "k", "file_hash": {"a": 1}}', ["file_hash"]),
        (b'{"file_key": "k", "locales": "en"}', ["locales"]),
        (b'{"file_key": "k", "locales": ["en"]}', ["locales"]),
        (b'{"file_key": "k", "locales": [{}]}', ["locales.0.locale"]),
        (b'{"file_key": "k", "locales": [{"locale": "en", "id": "x"}]}', ["locales.0.id", "UUID"]),
        (b'{"file_key": "k", "locales": [{"locale": "en", "caption_html": 7}]}', ["locales.0.caption_html"]),
        (b'{"file_key": "k", "locales": [{"locale": "en"}, {"locale": "en"}]}', ["locales", "twice"]),
    ],
)
def test_400_for_a_body(door, mine, body, words):
    refused(door, mine, body, *words)


def test_every_fault_is_an_entry(door, mine):
    answer = door.run(Row("POST", PLACE, mine, {"gravity": "up", "name": 7}, 400)).get_json()
    assert [one["detail"].partition(":")[0] for one in answer["errors"]] == ["file_key", "gravity", "name"]


def test_the_key_of_another_tenant_is_unknown(door, mine):
    theirs = key(door, tenant="other")
    refused(door, mine, {"file_key": uploaded(door, theirs)}, "no upload")


def test_the_key_of_a_file_that_was_removed_is_unknown(door, mine):
    file_key = uploaded(door, mine)
    asset = door.house.library.find(door.principal(), f"backoffice:file:{file_key}")
    door.house.library.delete(asset)
    refused(door, mine, {"file_key": file_key}, "no upload")


def test_the_key_of_a_file_that_is_not_yet_judged_is_unknown(open_door):
    door = open_door(SLIPWAY_BACKOFFICE_PATIENCE="0")
    who, door.jobs.hold = key(door), True
    place = send(door, who, status=202).headers["Location"]
    up = door.house.library.upload(door.principal(), door.house.library.operation(door.principal(), place.rpartition("/")[2]).upload_id)
    refused(door, who, {"file_key": up.metadata["key"]}, "no upload")
    door.jobs.run()
    create(door, who, file_key=up.metadata["key"])


def test_one_image_a_key(door, mine, image):
    refused(door, mine, {"file_key": image["file_key"]}, "already")
    refused(door, mine, {"file_key": image["file_key"], "file_hash": "another"}, "already")
    door.run(Row("GET", f"{PLACE}/by-hash/another", mine, status=404))


def test_a_hash_that_is_taken_stays_with_who_has_it(door, mine, image):
    second = made(door, mine, file_hash="abc")
    assert second["file_hash"] == "abc"
    assert second["id"] != image["id"]
    door.run(Row("GET", f"{PLACE}/by-hash/abc", mine, shows={"data": has(id=image["id"])}))
    door.run(Row("GET", f"{PLACE}/by-key/{second['file_key']}", mine, shows={"data": has(id=second["id"])}))


@pytest.mark.parametrize("file_hash", ["sha256:ab+/cd==", "a//b", "a/b/c", "?#%", "\u00fc\u20ac", "."])
def test_a_hash_of_whatever_characters(door, mine, file_hash):
    image = made(door, mine, file_hash=file_hash)
    for path in {quote(file_hash), quote(file_hash, safe="")}:
        door.run(Row("GET", f"{PLACE}/by-hash/{path}", mine, shows={"data": has(id=image["id"])}))


# ---------------------------------------------------------------- what is not there


@pytest.mark.parametrize("id", ["x", "1", UNKNOWN[:-1], UNKNOWN + "0", UNKNOWN.replace("-", ""), "{" + UNKNOWN + "}", "x" * 500, "%00"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/by-id/{id}"), ("DELETE", "/{id}"), ("DELETE", "/by-id/{id}"), ("POST", "/{id}/restore"), ("POST", "/by-id/{id}/restore")],
)
def test_400_for_no_uuid(door, mine, method, path, id):
    door.run(Row(method, PLACE + path.format(id=id), mine, status=400, shows=refusal("Invalid UUID")))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/by-id/{UNKNOWN}"),
        ("DELETE", f"/{UNKNOWN}"),
        ("POST", f"/{UNKNOWN}/restore"),
        ("GET", f"/by-key/uploads/{UNKNOWN}.png"),
        ("GET", "/by-key/x"),
        ("GET", "/by-hash/x"),
        ("GET", "/by-hash/" + "x" * 3000),
        ("GET", "/by-hash/%FF%00"),
        ("GET", "/by-hash/"),
        ("GET", ""),
    ],
)
def test_404_for_what_is_unknown(door, mine, method, path):
    status, words = (405, "method") if path == "" else (404, "Entity not found")
    door.run(Row(method, PLACE + path, mine, status=status, shows=refusal(words)))


def test_404_for_what_is_another_tenants(door, mine, image):
    theirs = key(door, tenant="other")
    for method, path in (
        ("GET", f"/by-id/{image['id']}"),
        ("GET", f"/by-key/{image['file_key']}"),
        ("GET", "/by-hash/abc"),
        ("DELETE", f"/{image['id']}"),
        ("POST", f"/{image['id']}/restore"),
    ):
        door.run(Row(method, PLACE + path, theirs, status=404, shows=refusal("Entity not found")))
    door.run(Row("GET", f"{PLACE}/by-id/{image['id']}", mine))


def test_a_file_is_no_image_and_a_document_of_another_door_neither(door, mine):
    file_key = uploaded(door, mine)
    door.run(Row("GET", f"{PLACE}/by-key/{file_key}", mine, status=404))
    door.house.documents.create(door.principal(), "contentful", UNKNOWN, {"deleted_at": None})
    door.run(Row("GET", f"{PLACE}/by-id/{UNKNOWN}", mine, status=404))


# ---------------------------------------------------------------- deletion and restoration


@pytest.mark.parametrize("family", ["", "/by-id"])
def test_deleted_softly_and_restored(door, mine, image, family):
    door.pass_time(10)
    gone = door.run(Row("DELETE", f"{PLACE}{family}/{image['id']}", mine)).get_json()["data"]
    assert MOMENT.fullmatch(gone["deleted_at"])
    assert gone["deleted_at"] == gone["updated_at"] > gone["inserted_at"]
    assert gone == {**image, "updated_at": gone["updated_at"], "deleted_at": gone["deleted_at"]}
    found = (f"by-id/{image['id']}", f"by-key/{image['file_key']}", "by-hash/abc")
    for path in found:
        door.run(Row("GET", f"{PLACE}/{path}", mine, status=404, shows=refusal("Entity not found")))
    door.run(Row("DELETE", f"{PLACE}{family}/{image['id']}", mine, status=404))

    back = door.run(Row("POST", f"{PLACE}{family}/{image['id']}/restore", mine)).get_json()["data"]
    assert back == {**image, "updated_at": back["updated_at"]}
    for path in found:
        assert door.run(Row("GET", f"{PLACE}/{path}", mine)).get_json()["data"] == back
    assert door.run(Row("POST", f"{PLACE}{family}/{image['id']}/restore", mine)).get_json()["data"] == back


def test_the_names_of_a_deleted_image_are_free(door, mine, image):
    door.run(Row("DELETE", f"{PLACE}/{image['id']}", mine))
    second = create(door, mine, file_key=image["file_key"], file_hash="abc")["data"]
    for path in (f"by-key/{image['file_key']}", "by-hash/abc"):
        door.run(Row("GET", f"{PLACE}/{path}", mine, shows={"data": has(id=second["id"])}))
    door.run(Row("POST", f"{PLACE}/{image['id']}/restore", mine, status=400, shows=refusal("already")))
    door.run(Row("DELETE", f"{PLACE}/{second['id']}", mine))
    door.run(Row("POST", f"{PLACE}/{image['id']}/restore", mine))
    door.run(Row("GET", f"{PLACE}/by-hash/abc", mine, shows={"data": has(id=image["id"])}))


def test_restored_without_its_hash_when_another_has_it(door, mine, image):
    door.run(Row("DELETE", f"{PLACE}/{image['id']}", mine))
    second = made(door, mine, file_hash="abc")
    door.run(Row("POST", f"{PLACE}/{image['id']}/restore", mine))
    door.run(Row("GET", f"{PLACE}/by-hash/abc", mine, shows={"data": has(id=second["id"])}))
    door.run(Row("GET", f"{PLACE}/by-key/{image['file_key']}", mine, shows={"data": has(id=image["id"])}))
    door.run(Row("DELETE", f"{PLACE}/{image['id']}", mine))
    door.run(Row("GET", f"{PLACE}/by-hash/abc", mine, shows={"data": has(id=second["id"])}))


def test_of_two_that_delete_at_once_one_finds_nothing(door, mine, image, monkeypatch):
    documents, other = type(door.house.documents), []
    real = documents.revise

    def raced(self, *given, **more):
        monkeypatch.setattr(documents, "revise", real)
        other.append(door.send("DELETE", f"{PLACE}/{image['id']}", mine).status_code)
        return real(self, *given, **more)

    monkeypatch.setattr(documents, "revise", raced)
    door.run(Row("DELETE", f"{PLACE}/{image['id']}", mine, status=404, shows=refusal("Entity not found")))
    assert other == [200]


# ---------------------------------------------------------------- who may


RIGHTS = [
    ("POST", "", "editor"),
    ("GET", "/by-id/{id}", "viewer"),
    ("GET", "/by-key/{file_key}", "viewer"),
    ("GET", "/by-hash/abc", "viewer"),
    ("POST", "/{id}/restore", "editor"),
    ("DELETE", "/{id}", "editor"),
]


@pytest.mark.parametrize(("method", "path", "role"), RIGHTS)
def test_401_and_403(door, mine, image, method, path, role):
    url = PLACE + path.format(**image)
    door.run(Row(method, url, {}, status=401, shows=refusal("Unauthorized API KEY")))
    door.run(Row(method, url, {"x-api-key": "sk_acme_unknown"}, status=401))
    seen = door.send(method, url, key(door, role="viewer"))
    assert seen.status_code == (200 if role == "viewer" else 403)
    if role == "editor":
        assert seen.get_json() == {"errors": [{"detail": "Unauthorized roles"}]}


def test_the_key_in_the_query(door, mine, image):
    door.run(Row("GET", f"{PLACE}/by-id/{image['id']}?x-api-key={mine['x-api-key']}"))


# ---------------------------------------------------------------- the bytes


def test_the_bytes_behind_a_key(door, mine):
    file_key = uploaded(door, mine, part(filename="photo.webp", content=picture("WEBP")))
    got = door.run(Row("GET", f"/backoffice/{file_key}", mine, sends={"Content-Type": "image/webp", "X-Content-Type-Options": "nosniff"}))
    assert got.get_data() == picture("WEBP")
    door.run(Row("GET", f"/backoffice/{file_key}", {}, status=401))
    door.run(Row("GET", f"/backoffice/{file_key}", key(door, tenant="other"), status=404, shows=refusal("Entity not found")))
    door.run(Row("GET", "/backoffice/uploads/x.png", mine, status=404))

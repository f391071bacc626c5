"""The Contentful door: assets, their versions, their states."""

from __future__ import annotations

import re

import pytest

from tests.dialects.contentful.speak import (
    JSON,
    MASTER,
    PREFIXES,
    SPACE,
    asset,
    at,
    body,
    fetched,
    file_from,
    processed,
    put,
    refusal,
    upload,
    version,
)
from tests.dialects.house import Row, has

BASE62 = re.compile(r"[0-9A-Za-z]{22}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MISMATCH = {"sys": {"type": "Error", "id": "VersionMismatch"}, "message": None, "details": None, "requestId": bool}
EMPTY = {"fields": {}}


def link(kind, id):
    return {"sys": {"type": "Link", "linkType": kind, "id": id}}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_create(door, mine, prefix):
    sent = body({"en-US": file_from(upload(door, mine)), "de": file_from("later", "katze.png")})
    made = door.run(
        Row("POST", f"{prefix}/assets", mine, sent, 201, {"Content-Type": JSON, "ETag": bool, "Contentful-Api": "cma"})
    ).get_json()
    told = made["sys"]
    assert made["fields"] == sent["fields"]
    assert made["metadata"] == {"tags": [], "concepts": []}
    assert BASE62.fullmatch(told["id"])
    assert (told["type"], told["version"]) == ("Asset", 1)
    assert told["space"] == link("Space", "acme")
    assert told["environment"] == link("Environment", "master")
    assert told["createdBy"] == told["updatedBy"] == link("User", told["createdBy"]["sys"]["id"])
    assert all(MOMENT.fullmatch(told[name]) for name in ("createdAt", "updatedAt"))
    assert "release" not in told
    assert "publishedAt" not in told
    assert fetched(door, mine, made) == made


@pytest.mark.parametrize("id", ["file3", "A-b_c.9", "x" * 64, "1"])
@pytest.mark.parametrize("headers", [{}, version(0)])
def test_create_with_an_id(door, mine, id, headers):
    where = f"{MASTER}/assets/{id}"
    door.run(Row("PUT", where, mine | headers, EMPTY, 201, shows={"sys": has(id=id, version=1), "fields": {}}))
    door.run(Row("PUT", where, mine | headers, EMPTY, 409, shows=MISMATCH))
    door.run(Row("DELETE", where, mine, status=204))
    door.run(Row("PUT", where, mine | headers, EMPTY, 201, shows={"sys": has(id=id, version=1)}))


@pytest.mark.parametrize("id", ["x" * 65, "a%20b", "%C3%A4", "a:b", "...", "%00"])
def test_an_id_that_cannot_be_chosen(door, mine, id):
    answer = door.run(Row("PUT", f"{MASTER}/assets/{id}", mine, EMPTY, 422, shows=refusal("ValidationFailed")))
    assert answer.get_json()["details"]["errors"][0]["path"] == ["sys", "id"]
    door.run(Row("GET", f"{MASTER}/assets/{id}", mine, status=404))


@pytest.mark.parametrize(
    ("sent", "path", "name"),
    [
        ({}, ["fields"], "required"),
        ({"fields": None}, ["fields"], "type"),
        ({"fields": 3}, ["fields"], "type"),
        ({"fields": []}, ["fields"], "type"),
        ({"fields": {"title": "a"}}, ["fields", "title"], "type"),
        ({"fields": {"title": {"en-US": 3}}}, ["fields", "title", "en-US"], "type"),
        ({"fields": {"title": {"": "a"}}}, ["fields", "title", ""], "unknown"),
        ({"fields": {"title": {"a.b": "a"}}}, ["fields", "title", "a.b"], "unknown"),
        ({"fields": {"title": {"en.value": "a"}}}, ["fields", "title", "en.value"], "unknown"),
        ({"fields": {"title": {"a: b|c": "a"}}}, ["fields", "title", "a: b|c"], "unknown"),
        ({"fields": {"title": {"<name>": "a"}}}, ["fields", "title", "<name>"], "unknown"),
        ({"fields": {"title": {"en-US\n": "a"}}}, ["fields", "title", "en-US\n"], "unknown"),
        ({"fields": {"title": {"_schema": 3}}}, ["fields", "title", "_schema"], "type"),
        ({"fields": {"title": {"value": 3}}}, ["fields", "title", "value"], "type"),
        ({"fields": {"file": {"key": 3}}}, ["fields", "file", "key"], "type"),
        ({"fields": {"file": {"_schema": {"url": 3}}}}, ["fields", "file", "_schema", "url"], "type"),
        ({"fields": {"file": {"key": {"url": 3}}}}, ["fields", "file", "key", "url"], "type"),
        ({"fields": {"title": {"e n": "a"}}}, ["fields", "title", "e n"], "unknown"),
        ({"fields": {"title": {"x" * 65: "a"}}}, ["fields", "title", "x" * 65], "unknown"),
        ({"fields": {"file": {"en-US": None}}}, ["fields", "file", "en-US"], "type"),
        ({"fields": {"file": {"en-US": {"fileName": ["a"]}}}}, ["fields", "file", "en-US", "fileName"], "type"),
        ({"fields": {"file": {"en-US": {"fileName": "a" * 257}}}}, ["fields", "file", "en-US", "fileName"], "size"),
        ({"fields": {"file": {"en-US": {"upload": 1}}}}, ["fields", "file", "en-US", "upload"], "type"),
        ({"fields": {"file": {"en-US": {"uploadFrom": "x"}}}}, ["fields", "file", "en-US", "uploadFrom"], "type"),
        ({"fields": {"file": {"en-US": {"uploadFrom": {}}}}}, ["fields", "file", "en-US", "uploadFrom", "sys"], "required"),
        ({"fields": {"file": {"en-US": {"uploadFrom": {"sys": {}}}}}}, ["fields", "file", "en-US", "uploadFrom", "sys", "id"], "required"),
        ({"fields": {"file": {"en-US": {"details": {"size": 10**40}}}}}, ["fields", "file", "en-US", "details", "size"], "range"),
        ({"fields": {"file": {"en-US": {"details": {"size": "1"}}}}}, ["fields", "file", "en-US", "details", "size"], "type"),
        ({"fields": {}, "metadata": {"tags": ["a"]}}, ["metadata", "tags", "0"], "type"),
        ({"fields": {}, "metadata": 1}, ["metadata"], "type"),
        ({"fields": {}, "metadata": {"tags": [1] * 300_000}}, ["metadata", "tags"], "size"),
        ({"fields": {"file": dict.fromkeys(map(str, range(70_000)), 1)}}, ["fields", "file"], "size"),
        ({"fields": {"title": dict.fromkeys(map(str, range(1001)), "a")}}, ["fields", "title"], "size"),
    ],
)
def test_what_has_the_wrong_form(door, mine, sent, path, name):
    made = asset(door, mine)
    for method, where, headers in (("POST", f"{MASTER}/assets", {}), ("PUT", f"{MASTER}/assets/mine", {}), ("PUT", at(made), version(1))):
        answer = door.run(Row(method, where, mine | headers, sent, 422, shows=refusal("ValidationFailed", message="Validation error")))
        [error] = answer.get_json()["details"]["errors"]
        assert (error["path"], error["name"]) == (path, name)
        assert error["details"]
    assert fetched(door, mine, made) == made


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"a"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"fields": NaN}', 400),
        (b'{"fields": {"title": {"en": "\\ud800"}}}', 400),
        (b'{"fields": {"title": {"en": "' + b"a" * 1_100_000 + b'"}}}', 413),
    ],
)
def test_a_body_that_is_no_body(door, mine, content, status):
    for method, where in (("POST", f"{MASTER}/assets"), ("PUT", f"{MASTER}/assets/new")):
        door.run(Row(method, where, mine, content, status, {"Content-Type": JSON}, {"sys": has(type="Error")}))


def test_unknown_properties_do_no_harm(door, mine):
    sent = {"fields": {"title": {"en-US": None, "de": "x\u0000y"}, "price": {"en-US": 3}}, "sys": {"id": "forged", "version": 9}, "x": 1}
    made = asset(door, mine, sent)
    assert made["fields"] == {"title": {"en-US": None, "de": "x\u0000y"}}
    assert made["sys"]["id"] != "forged"


def test_the_most_that_one_field_has(door, mine):
    sent = {"fields": {"title": {f"x-{number}": "a" for number in range(1000)}}}
    assert asset(door, mine, sent)["fields"] == sent["fields"]


def test_tags_and_concepts_are_kept_until_others_are_sent(door, mine):
    tags = {"tags": [link("Tag", "red")], "concepts": [link("TaxonomyConcept", "cat")]}
    made = asset(door, mine, EMPTY | {"metadata": tags})
    assert made["metadata"] == tags
    same = door.run(Row("PUT", at(made), mine | version(1), EMPTY)).get_json()
    assert same["metadata"] == tags
    bare = door.run(Row("PUT", at(made), mine | version(2), EMPTY | {"metadata": {"tags": []}})).get_json()
    assert bare["metadata"] == {"tags": [], "concepts": []}


# ---------------------------------------------------------------- versions


def test_an_update_replaces_the_whole(door, mine):
    made = asset(door, mine, {"fields": {"title": {"en-US": "a"}, "description": {"en-US": "b"}}})
    after = door.run(Row("PUT", at(made), mine | version(1), {"fields": {"title": {"de": "c"}}})).get_json()
    assert after["fields"] == {"title": {"de": "c"}}
    assert after["sys"]["version"] == 2
    assert after["sys"]["createdAt"] == made["sys"]["createdAt"]


def test_who_changed_it_last(door, mine):
    made = asset(door, mine, EMPTY)
    after = door.run(Row("PUT", at(made), door.key() | version(1), EMPTY)).get_json()["sys"]
    assert after["createdBy"] == made["sys"]["createdBy"] != after["updatedBy"]


STEPS = [
    ("PUT", "", EMPTY),
    ("PUT", "/published", None),
    ("DELETE", "/published", None),
    ("PUT", "/archived", None),
    ("DELETE", "/archived", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "below", "sent"), STEPS)
@pytest.mark.parametrize(
    ("named", "status"), [("1", 409), ("3", 409), ("-1", 409), ("999999999999999999", 409), ("x", 400), ("1.5", 400), ("", 400)]
)
def test_another_version_than_the_current(door, mine, method, below, sent, named, status):
    made = processed(door, mine)
    assert made["sys"]["version"] == 2
    row = Row(method, at(made, below), mine | {"X-Contentful-Version": named}, sent, status, shows=MISMATCH if status == 409 else {})
    door.run(row)
    assert fetched(door, mine, made) == made


@pytest.mark.parametrize(("method", "below", "sent"), [STEPS[0], STEPS[1]])
def test_a_version_is_needed(door, mine, method, below, sent):
    made = processed(door, mine)
    door.run(Row(method, at(made, below), mine, sent, 409, shows=MISMATCH))


@pytest.mark.parametrize(("method", "below", "sent"), STEPS)
def test_an_asset_that_never_was(door, mine, method, below, sent):
    details = {"type": "Asset", "space": "acme", "environment": "master", "id": "none"}
    shows = refusal("NotFound", message="The resource could not be found.", details=details)
    door.run(Row(method, f"{MASTER}/assets/none{below}", mine | version(1), sent, 404, {"Content-Type": JSON}, shows))
    door.run(Row("GET", f"{SPACE}/assets/none", mine, status=404, shows=shows))
    if below or method == "DELETE":
        door.run(Row(method, f"{MASTER}/assets/none{below}", mine, sent, 404, shows=shows))


# ---------------------------------------------------------------- states


def test_from_draft_to_published_and_back(door, mine):
    made = processed(door, mine)
    one = put(door, mine, made, "published")
    assert one["sys"]["version"] == 3
    assert one["sys"] == made["sys"] | {
        "version": 3,
        "updatedAt": one["sys"]["publishedAt"],
        "publishedVersion": 2,
        "publishedCounter": 1,
        "publishedAt": one["sys"]["firstPublishedAt"],
        "firstPublishedAt": one["sys"]["publishedAt"],
        "publishedBy": made["sys"]["createdBy"],
    }
    door.pass_time(5)
    two = put(door, mine, one, "published")
    assert (two["sys"]["publishedCounter"], two["sys"]["publishedVersion"], two["sys"]["version"]) == (2, 3, 4)
    assert two["sys"]["firstPublishedAt"] == one["sys"]["publishedAt"] < two["sys"]["publishedAt"]
    three = put(door, mine, two, "published", method="DELETE")
    assert three["sys"]["version"] == 5
    assert not {"publishedAt", "publishedBy", "publishedVersion"} & set(three["sys"])
    assert (three["sys"]["publishedCounter"], three["sys"]["firstPublishedAt"]) == (2, one["sys"]["publishedAt"])
    assert three["fields"] == made["fields"]


def test_into_the_archive_and_out(door, mine):
    made = processed(door, mine)
    away = put(door, mine, made, "archived")
    assert away["sys"]["archivedVersion"] == 2
    assert away["sys"]["version"] == 3
    assert MOMENT.fullmatch(away["sys"]["archivedAt"])
    assert away["sys"]["archivedBy"]["sys"]["linkType"] == "User"
    back = put(door, mine, away, "archived", method="DELETE")
    assert back["sys"]["version"] == 4
    assert not {"archivedAt", "archivedBy", "archivedVersion"} & set(back["sys"])


@pytest.mark.parametrize("step", ["published", "archived"])
def test_a_client_that_names_no_version(door, mine, step):
    made = processed(door, mine)
    put(door, mine, made, step)
    door.run(Row("DELETE", at(made, f"/{step}"), mine, shows={"sys": has(version=4)}))
    if step == "archived":
        door.run(Row("PUT", at(made, "/archived"), mine, shows={"sys": has(version=5)}))
    door.run(Row("DELETE", at(made), mine, status=204))


@pytest.mark.parametrize(
    ("before", "method", "below", "sent", "message"),
    [
        ("published", "PUT", "/archived", None, "Cannot archive published"),
        ("published", "DELETE", "", None, "Cannot delete published"),
        (None, "DELETE", "/published", None, "Not published"),
        (None, "DELETE", "/archived", None, "Not archived"),
        ("archived", "PUT", "/published", None, "Cannot publish archived"),
        ("archived", "PUT", "/archived", None, "Already archived"),
        ("archived", "PUT", "", EMPTY, "Cannot edit archived"),
    ],
)
def test_what_cannot_be_done_in_a_state(door, mine, before, method, below, sent, message):
    made = processed(door, mine)
    if before:
        made = put(door, mine, made, before)
    shows = refusal("BadRequest", message=message, details=None)
    door.run(Row(method, at(made, below), mine | version(made["sys"]["version"]), sent, 400, {"Content-Type": JSON}, shows))
    assert fetched(door, mine, made) == made


def test_what_was_not_processed_cannot_be_published(door, mine):
    made = asset(door, mine, body({"en-US": file_from("x"), "de": file_from("y")}))
    row = Row("PUT", at(made, "/published"), mine | version(1), None, 422, shows=refusal("ValidationFailed", message="Validation error"))
    wanted = [
        {"name": "required", "path": ["fields", "file", locale, "url"], "details": 'The property "url" is required here'}
        for locale in ("en-US", "de")
    ]
    assert door.run(row).get_json()["details"] == {"errors": wanted}


@pytest.mark.parametrize("sent", [EMPTY, {"fields": {"title": {"en-US": "a"}}}, {"fields": {"file": {}}}])
def test_what_has_no_file_cannot_be_published(door, mine, sent):
    made = asset(door, mine, sent)
    answer = door.run(Row("PUT", at(made, "/published"), mine | version(1), None, 422, shows=refusal("ValidationFailed")))
    assert answer.get_json()["details"]["errors"][0]["details"] == "The asset has no files"


def test_a_file_that_was_processed_elsewhere_is_as_good(door, mine):
    known = {"contentType": "image/png", "fileName": "a.png", "url": "//images.ctfassets.net/s/a/t/a.png", "details": {"size": 3}}
    made = asset(door, mine, body({"en-US": known}))
    assert made["fields"]["file"]["en-US"] == known
    assert put(door, mine, made, "published")["fields"] == made["fields"]


@pytest.mark.parametrize("sent", [b"", b"{}", {"add": {"fields": {"*": ["en-US", "de"]}}}])
def test_bodies_of_a_publication(door, mine, sent):
    made = processed(door, mine)
    door.run(Row("PUT", at(made, "/published"), mine | version(2), sent, shows={"sys": has(publishedVersion=2, version=3)}))


@pytest.mark.parametrize("sent", [b"[]", b"{", b"null", b"3"])
def test_bodies_that_are_none(door, mine, sent):
    made = processed(door, mine)
    door.run(Row("PUT", at(made, "/published"), mine | version(2), sent, 400, shows=refusal("BadRequest", message=bool)))
    assert fetched(door, mine, made) == made


@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize(
    ("below", "path", "name"),
    [
        (3, [], "type"),
        (None, [], "type"),
        ({}, ["fields"], "required"),
        ({"fields": ["de"]}, ["fields"], "type"),
        ({"fields": {}}, ["fields", "*"], "required"),
        ({"fields": {"*": "de"}}, ["fields", "*"], "type"),
        ({"fields": {"*": []}}, ["fields", "*"], "size"),
        ({"fields": {"*": [3]}}, ["fields", "*", "0"], "type"),
        ({"fields": {"*": ["de"] * 100_000}}, ["fields", "*"], "size"),
        ({"fields": {"*": ["en-US", ""]}}, ["fields", "*", "1"], "unknown"),
        ({"fields": {"*": ["published/en-US"]}}, ["fields", "*", "0"], "unknown"),
    ],
)
@pytest.mark.parametrize("public", [False, True])
def test_bodies_of_no_publication(door, mine, verb, below, path, name, public):
    made = processed(door, mine)
    made = put(door, mine, made, "published") if public else made
    row = Row("PUT", at(made, "/published"), mine | version(made["sys"]["version"]), {verb: below}, 422, shows=refusal("ValidationFailed"))
    [error] = door.run(row).get_json()["details"]["errors"]
    assert (error["path"], error["name"]) == ([verb, *path], name)
    assert fetched(door, mine, made) == made


def test_a_publication_adds_or_removes(door, mine):
    made = processed(door, mine)
    sent = {verb: {"fields": {"*": ["en-US"]}} for verb in ("add", "remove")}
    answer = door.run(Row("PUT", at(made, "/published"), mine | version(2), sent, 422, shows=refusal("ValidationFailed")))
    assert [error["path"] for error in answer.get_json()["details"]["errors"]] == [["remove"]]


def test_locales_without_a_file_are_no_publication(door, mine):
    made = processed(door, mine)
    row = Row("PUT", at(made, "/published"), mine | version(2), {"add": {"fields": {"*": ["de"]}}}, 422, shows=refusal("ValidationFailed"))
    assert door.run(row).get_json()["details"]["errors"][0]["details"] == "The asset has no files"
    assert fetched(door, mine, made) == made


def test_locales_that_are_not_published_are_not_taken_back(door, mine):
    made = put(door, mine, processed(door, mine), "published")
    sent = {"remove": {"fields": {"*": ["de"]}}}
    door.run(Row("PUT", at(made, "/published"), mine | version(3), sent, 400, shows=refusal("BadRequest", message="Not published")))
    assert fetched(door, mine, made) == made


def test_a_title_alone_does_not_stay_published(door, mine):
    sent = body({"en-US": file_from(upload(door, mine))})
    sent["fields"]["title"]["de"] = "Katze"
    made = put(door, mine, processed(door, mine, sent), "published")
    row = Row("PUT", at(made, "/published"), mine | version(3), {"remove": {"fields": {"*": ["en-US"]}}}, shows={"sys": has(version=4)})
    assert "publishedVersion" not in door.run(row).get_json()["sys"]
    assert door.run(Row("GET", f"{MASTER}/public/assets", mine)).get_json()["items"] == []


def test_locales_are_taken_back_without_a_version_too(door, mine):
    """What one client does that was given no asset."""
    made = put(door, mine, processed(door, mine), "published")
    sent = {"remove": {"fields": {"*": ["en-US"]}}}
    door.run(Row("PUT", at(made, "/published"), mine | version(2), sent, 409, shows=MISMATCH))
    door.run(Row("PUT", at(made, "/published"), mine, sent, shows={"sys": has(version=4)}))
    door.run(Row("PUT", at(made, "/published"), mine, {"add": {"fields": {"*": ["en-US"]}}}, 409, shows=MISMATCH))


def test_some_locales_are_published_and_taken_back(door, mine):
    locales = {locale: file_from(upload(door, mine)) for locale in ("en-US", "de")}
    made = processed(door, mine, body(locales))

    def chosen(verb, *wanted):
        now = fetched(door, mine, made)["sys"]["version"]
        sent = {verb: {"fields": {"*": list(wanted)}}}
        door.run(Row("PUT", at(made, "/published"), mine | version(now), sent))
        return [sorted(item["fields"]["file"]) for item in door.run(Row("GET", f"{MASTER}/public/assets", mine)).get_json()["items"]]

    assert chosen("add", "de") == [["de"]]
    assert chosen("add", "en-US") == [["de", "en-US"]]
    assert chosen("remove", "de") == [["en-US"]]
    assert chosen("remove", "en-US") == []
    assert fetched(door, mine, made)["fields"] == made["fields"]
    assert "publishedAt" not in fetched(door, mine, made)["sys"]


def test_deleted_is_unknown_and_its_file_is_gone(door, mine):
    made = processed(door, mine)
    url = made["fields"]["file"]["en-US"]["url"].removeprefix("//slipway.test")
    door.run(Row("GET", url))
    door.run(Row("DELETE", at(made), mine, status=204))
    door.run(Row("GET", url, status=404))
    door.run(Row("GET", at(made), mine, status=404))
    door.run(Row("DELETE", at(made), mine, status=404))

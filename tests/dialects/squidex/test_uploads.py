"""Files that come in: the form and its checks, the AssetDto that goes out, duplicates, ids, folders, new contents."""

from __future__ import annotations

import io
import re

import pytest

from app.core.policy import MIB
from tests.dialects.house import CHUNKED, Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import (
    ASSETS,
    BOUNDARY,
    FORM,
    ROOT,
    asset,
    file,
    folder,
    form,
    part,
    refusal,
    squidex_hash,
    upload,
)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PNG = ("a.png", "image/png")
ONE = "Can only upload one file."
NO_TYPE = "File content-type is not defined."
NO_NAME = "File name is not defined."
FORMAT = "Request body has an invalid format."


def test_a_new_asset_is_told_exactly(door, mine):
    content = picture("PNG", 600, 600)
    answer = upload(door, mine, file(content, "Logo Squared.png"))
    told = answer.get_json()
    mount, me = "/squidex/api/apps/acme/assets", told["id"]
    assert UUID.fullmatch(me)
    assert MOMENT.fullmatch(told["created"])
    assert told == {
        "id": me,
        "parentId": ROOT,
        "fileName": "Logo Squared.png",
        "fileHash": squidex_hash(content, "Logo Squared.png"),
        "isProtected": False,
        "slug": "logo-squared.png",
        "mimeType": "image/png",
        "fileType": "png",
        "metadataText": told["metadataText"],
        "editToken": None,
        "metadata": {"description": "PNG File", "pixelWidth": 600, "pixelHeight": 600},
        "tags": ["type/png", "image", "image/medium"],
        "fileSize": len(content),
        "fileVersion": 0,
        "type": "Image",
        "createdBy": "client:acme:default",
        "lastModifiedBy": "client:acme:default",
        "created": told["created"],
        "lastModified": told["created"],
        "version": 0,
        "isImage": True,
        "pixelWidth": 600,
        "pixelHeight": 600,
        "_links": {
            "self": {"href": f"{mount}/{me}", "method": "GET"},
            "update": {"href": f"{mount}/{me}", "method": "PUT"},
            "move": {"href": f"{mount}/{me}/parent", "method": "PUT"},
            "upload": {"href": f"{mount}/{me}/content", "method": "PUT"},
            "delete": {"href": f"{mount}/{me}", "method": "DELETE"},
            "content": {"href": f"/squidex/api/assets/acme/{me}/logo-squared.png", "method": "GET"},
            "content/slug": {"href": "/squidex/api/assets/acme/logo-squared.png", "method": "GET"},
        },
    }
    assert re.fullmatch(r"600x600px, [\d.]+ (bytes|kB|MB)", told["metadataText"])
    assert answer.headers["Location"] == f"http://slipway.test{mount}/{me}"
    assert answer.headers["ETag"] == '"0"'
    assert door.run(Row("GET", f"{ASSETS}/{me}/", mine, sends={"ETag": '"0"'})).get_json() == told


@pytest.mark.parametrize(
    ("kind", "content", "mime", "type_"),
    [
        ("text/plain; charset=utf-8", b"text", "text/plain; charset=utf-8", "Unknown"),
        ("image/png", b"no image at all", "image/png", "Unknown"),
        ("application/x-whatever", None, "application/x-whatever", "Image"),
        ("image/jpg", None, "image/jpg", "Image"),
    ],
)
def test_the_declared_type_is_kept_and_never_sniffed(door, mine, kind, content, mime, type_):
    told = asset(door, mine, content, "a.png", kind)
    assert (told["mimeType"], told["type"], told["isImage"]) == (mime, type_, type_ == "Image")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param((), ONE, id="an empty form"),
        pytest.param((part("parentId", "x"),), ONE, id="no file"),
        pytest.param((part("file", b"x"),), ONE, id="a field called file"),
        pytest.param((part("url", "http://example.org/a.png"),), ONE, id="an address without a name"),
        pytest.param((part("name", "a.png"), part("url", " ")), ONE, id="a name without an address"),
        pytest.param((file(), file()), ONE, id="two files"),
        pytest.param((file(), file(), file()), ONE, id="three files"),
        pytest.param((part("a", b"x", "a.png"), part("b", b"y", "b.png")), ONE, id="two files without types: the number comes first"),
        pytest.param((part("a", b"x", ""), file()), ONE, id="two files, one without a name: the number comes first"),
        pytest.param((part("file", b"x", "a.png"),), NO_TYPE, id="no type"),
        pytest.param((part("file", b"x", "a.png", " "),), NO_TYPE, id="a blank type"),
        pytest.param((part("file", b"x", ""),), NO_TYPE, id="neither type nor name: the type comes first"),
        pytest.param((part("file", b"x", "", "image/png"),), NO_NAME, id="no name"),
        pytest.param((part("file", b"x", "  ", "image/png"),), NO_NAME, id="a blank name"),
        pytest.param((part("file", b"x", "a.png"), part("after", b"y" * 100_000)), NO_TYPE, id="fields behind it are read"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ASSETS), ("POST", f"{ASSETS}/chosen"), ("PUT", "{content}")])
def test_the_checks_of_the_form_in_their_order_and_words(door, mine, method, path, parts, said):
    at = path.format(content=f"{ASSETS}/{asset(door, mine)['id']}/content") if "{" in path else path
    door.run(Row(method, at, mine | {"Content-Type": FORM}, form(*parts), 400, shows=refusal(400, said)))
    assert door.house.library.uploads(door.principal(), "squidex") == [] or "{" in path  # nothing is left behind of what was refused


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"no form", id="no form"),
        pytest.param(form(file())[:-30], id="cut off"),
        pytest.param(b"\x00" * 100_000, id="zeros"),
        pytest.param(f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--".encode(), id="a part without a name"),
    ],
)
def test_a_form_that_cannot_be_read_has_an_invalid_format(door, mine, sent):
    door.run(Row("POST", ASSETS, mine | {"Content-Type": FORM}, sent, 400, shows=refusal(400, FORMAT)))


def test_a_form_without_a_body_has_an_invalid_format(door, mine):
    nothing = {"CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
    door.run(Row("POST", ASSETS, mine | {"Content-Type": FORM}, None, 400, shows=refusal(400, FORMAT), environ=nothing))


@pytest.mark.parametrize("field", ["file", "upload", "", "anything at all"])
def test_any_field_may_bring_the_file(door, mine, field):
    upload(door, mine, part(field, picture(), *PNG))


def test_an_empty_file_is_refused(door, mine):
    upload(door, mine, file(b""), status=400, shows=refusal(400, "The body is empty; an upload needs at least one byte."))


# ---------------------------------------------------------------- the limit, of the whole body


def body_of(size):
    """A form of exactly so many bytes."""
    rest = len(form(file(b"", "a.bin", "application/octet-stream")))
    return form(file(b"\0" * (size - rest), "a.bin", "application/octet-stream"))


@pytest.mark.parametrize("environ", [{}, CHUNKED])
@pytest.mark.parametrize(("size", "status"), [(5 * MIB, 201), (5 * MIB + 1, 413)])
def test_the_limit_is_of_the_whole_body(door, mine, size, status, environ):
    said = "Request body too large. The max request body size is 5242880 bytes."
    shows = refusal(413, message=said, details=None, errorCode=None) if status == 413 else {}
    door.run(Row("POST", ASSETS, mine | {"Content-Type": FORM}, body_of(size), status, shows=shows, environ=environ))


def test_the_limit_is_configured(open_door):
    from tests.dialects.squidex.speak import token

    door = open_door(SLIPWAY_SQUIDEX_MAX_BYTES="1000")
    who = token(door) | {"Content-Type": FORM}
    said = "Request body too large. The max request body size is 1000 bytes."
    door.run(Row("POST", ASSETS, who, body_of(1001), 413, shows=refusal(413, message=said)))
    door.run(Row("POST", ASSETS, who, body_of(1000), 201))


def test_another_type_is_refused_before_the_length(door, mine):
    door.run(Row("POST", ASSETS, mine | {"Content-Type": "image/png"}, b"x", 415, environ={"CONTENT_LENGTH": str(10**9)}))


# ---------------------------------------------------------------- duplicates


def test_the_same_content_under_the_same_name_is_the_same_asset(door, mine):
    first = asset(door, mine)
    again = upload(door, mine, sends={"Location": lambda v: v.endswith(first["id"])}).get_json()
    assert again == first | {"_meta": {"isDuplicate": "true"}}
    assert door.run(Row("GET", ASSETS, mine)).get_json()["total"] == 1


@pytest.mark.parametrize(
    ("query", "name", "content"),
    [("?duplicate=true", "logo.png", None), ("?Duplicate=TRUE", "logo.png", None), ("", "other.png", None), ("", "logo.png", b"other")],
)
def test_another_one_is_made_when_wanted_or_when_it_is_another(door, mine, query, name, content):
    first = asset(door, mine)
    again = asset(door, mine, content, name, query=query)
    assert again["id"] != first["id"]
    assert "_meta" not in again


def test_a_renamed_or_deleted_asset_is_no_duplicate(door, mine):
    first = asset(door, mine)
    door.run(Row("PUT", f"{ASSETS}/{first['id']}", mine, {"fileName": "renamed.png"}))
    second = asset(door, mine)
    assert second["id"] != first["id"]
    door.run(Row("DELETE", f"{ASSETS}/{second['id']}", mine, status=204))
    assert asset(door, mine)["id"] not in {first["id"], second["id"]}


def test_another_apps_asset_is_no_duplicate(door, mine):
    from tests.dialects.squidex.speak import token

    asset(door, mine)
    told = upload(door, token(door, "other"), path="/squidex/api/apps/other/assets").get_json()
    assert "_meta" not in told


# ---------------------------------------------------------------- ids


def test_a_client_chooses_the_id_once(door, mine):
    assert asset(door, mine, query="?id=my-id")["id"] == "my-id"
    said = refusal(409, message="Entity (my-id) already exists.", errorCode="OBJECT_CONFLICT")
    upload(door, mine, file(b"other"), path=f"{ASSETS}?ID=my-id", status=409, shows=said)


@pytest.mark.parametrize("permanent", ["", "?permanent=true"])
def test_the_id_of_a_deleted_asset_is_not_given_again(door, mine, permanent):
    asset(door, mine, query="?id=my-id")
    door.run(Row("DELETE", f"{ASSETS}/my-id{permanent}", mine, status=204))
    taken = 409 if not permanent else 410
    code = "OBJECT_CONFLICT" if not permanent else "OBJECT_DELETED"
    upload(door, mine, path=f"{ASSETS}?id=my-id", status=taken, shows=refusal(taken, errorCode=code))
    upload(door, mine, path=f"{ASSETS}/my-id", status=410, shows=refusal(410, errorCode="OBJECT_DELETED"))


@pytest.mark.parametrize("wanted", ["tags", "Folders", "tus", "../up", "a/b", "a%00b", "a b", ".hidden", "x" * 129, "ü", "%F0%9F%98%80"])
def test_an_id_that_could_be_no_path_is_refused(door, mine, wanted):
    upload(door, mine, path=f"{ASSETS}?id={wanted}", status=400, shows={"details": lambda v: v[0].startswith("Id: ")})


@pytest.mark.parametrize("wanted", ["", ROOT])
def test_an_empty_id_leaves_the_choice_to_us(door, mine, wanted):
    assert UUID.fullmatch(asset(door, mine, query=f"?id={wanted}")["id"])


@pytest.mark.parametrize("query", ["?duplicate=perhaps", "?duplicate=1"])
def test_a_switch_that_is_none_is_refused(door, mine, query):
    upload(door, mine, path=ASSETS + query, status=400, shows={"message": "Validation error"})


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize("query", ["parentId", "ParentId", "PARENTID", "parentid"])
def test_the_folder_is_named_in_the_query_in_any_case(door, mine, query):
    pictures = folder(door, mine)
    assert asset(door, mine, query=f"?{query}={pictures['id']}")["parentId"] == pictures["id"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_field_before_or_behind_the_file_names_the_folder_too(door, mine, order):
    pictures = folder(door, mine)
    parts = [part("ParentId", pictures["id"]), file()][::order]
    assert upload(door, mine, *parts).get_json()["parentId"] == pictures["id"]


@pytest.mark.parametrize("order", [1, -1])
def test_the_query_wins_over_the_field(door, mine, order):
    first, second = folder(door, mine, "1"), folder(door, mine, "2")
    parts = [part("parentId", first["id"]), file()][::order]
    assert upload(door, mine, *parts, path=f"{ASSETS}?parentId={second['id']}").get_json()["parentId"] == second["id"]


@pytest.mark.parametrize("wanted", ["39b46dab-60ee-4bef-ae51-64591d3f5d7f", "nothing", "x" * 500, "%00"])
@pytest.mark.parametrize("by", ["query", "field"])
def test_a_folder_that_is_not_there_is_refused_and_nothing_is_made(door, mine, wanted, by):
    path = f"{ASSETS}?parentId={wanted}" if by == "query" else ASSETS
    parts = (file(), part("parentId", wanted)) if by == "field" else (file(),)
    upload(door, mine, *parts, path=path, status=400, shows=refusal(400, "ParentId: Asset folder does not exist."))
    assert door.run(Row("GET", ASSETS, mine)).get_json()["total"] == 0


def test_two_files_are_said_before_the_folder(door, mine):
    upload(door, mine, file(), file(), path=f"{ASSETS}?parentId=none", status=400, shows=refusal(400, ONE))


def test_the_root_may_be_named(door, mine):
    assert asset(door, mine, query=f"?parentId={ROOT}")["parentId"] == ROOT


def test_the_folder_of_another_dialect_is_none(door, mine):
    theirs = door.house.folders.create(door.principal(), "nomad", "theirs")
    upload(door, mine, path=f"{ASSETS}?parentId={theirs.id}", status=400)


# ---------------------------------------------------------------- new contents


def test_a_new_content_keeps_name_slug_and_tags(door, mine):
    first = asset(door, mine, picture("PNG", 600, 600), "logo-squared.png")
    text = b"now a text"
    second = upload(door, mine, file(text, "other.txt", "text/plain"), path=f"{ASSETS}/{first['id']}/content/", method="PUT", status=200)
    kept = {name: first[name] for name in ("id", "parentId", "fileName", "slug", "fileType", "tags", "created", "createdBy")}
    changed = {
        "fileHash": squidex_hash(text, "other.txt"),
        "mimeType": "text/plain",
        "fileSize": len(text),
        "fileVersion": 1,
        "version": 1,
        "type": "Unknown",
        "metadata": {},
        "metadataText": "10 bytes",
        "pixelWidth": None,
    }
    told = second.get_json()
    assert {name: told[name] for name in kept | changed} == kept | changed
    assert second.headers["ETag"] == '"1"'
    assert "Location" not in second.headers


def test_a_new_content_does_not_undo_what_was_set(door, mine):
    made = asset(door, mine)
    set_ = {"isProtected": True, "slug": "mine", "tags": ["mine"], "metadata": {"a": 1}, "fileName": "mine.png"}
    door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, set_))
    told = upload(door, mine, file(b"new"), path=f"{ASSETS}/{made['id']}/content", method="PUT", status=200).get_json()
    assert {name: told[name] for name in set_} == set_ | {"metadata": {}}


def test_what_is_set_while_a_content_comes_in_is_not_undone(door, mine):
    made = asset(door, mine)
    door.jobs.hold = True
    path = f"{ASSETS}/{made['id']}"
    upload(door, mine, file(b"new"), path=f"{path}/content", method="PUT", status=202, headers={"Prefer": "respond-async"})
    door.run(Row("PUT", path, mine, {"isProtected": True}))
    door.jobs.run()
    door.run(Row("GET", path, mine, shows={"isProtected": True, "fileVersion": 1, "version": 2}))


@pytest.mark.parametrize(
    ("of", "status", "code"), [("none", 404, None), ("trashed", 410, "OBJECT_DELETED"), ("gone", 410, "OBJECT_DELETED")]
)
def test_a_content_for_an_asset_that_is_not_there(door, mine, of, status, code):
    for name in ("trashed", "gone"):
        asset(door, mine, query=f"?id={name}&duplicate=true")
    door.run(Row("DELETE", f"{ASSETS}/trashed", mine, status=204))
    door.run(Row("DELETE", f"{ASSETS}/gone?permanent=true", mine, status=204))
    upload(door, mine, path=f"{ASSETS}/{of}/content", method="PUT", status=status, shows=refusal(status, errorCode=code))


def test_upsert_makes_an_asset_then_gives_it_a_new_content(door, mine):
    made = upload(door, mine, file(b"one", "1.txt", "text/plain"), path=f"{ASSETS}/chosen", status=200).get_json()
    assert (made["id"], made["version"], made["fileName"], made["slug"]) == ("chosen", 0, "1.txt", "1.txt")
    again = upload(door, mine, file(b"two", "2.md", "text/markdown"), path=f"{ASSETS}/chosen", status=200).get_json()
    assert (again["version"], again["fileVersion"], again["fileName"], again["mimeType"]) == (1, 1, "1.txt", "text/markdown")


def test_upsert_puts_a_new_asset_into_a_folder_and_moves_an_old_one(door, mine):
    first, second = folder(door, mine, "1"), folder(door, mine, "2")
    made = upload(door, mine, path=f"{ASSETS}/chosen?parentId={first['id']}", status=200).get_json()
    assert (made["parentId"], made["version"]) == (first["id"], 0)
    moved = upload(door, mine, file(b"new"), path=f"{ASSETS}/chosen?parentId={second['id']}", status=200).get_json()
    assert (moved["parentId"], moved["version"], moved["fileVersion"]) == (second["id"], 2, 1)


def test_upsert_of_what_is_there_already_under_that_name_is_a_duplicate(door, mine):
    first = asset(door, mine)
    told = upload(door, mine, path=f"{ASSETS}/chosen", status=200).get_json()
    assert (told["id"], told["_meta"]) == (first["id"], {"isDuplicate": "true"})
    assert upload(door, mine, path=f"{ASSETS}/chosen?duplicate=true", status=200).get_json()["id"] == "chosen"


@pytest.mark.parametrize("path", ["tags", "folders", "tus"])
def test_a_word_of_the_api_is_no_id_to_upsert(door, mine, path):
    answer = door.send("POST", f"{ASSETS}/{path}", mine | {"Content-Type": FORM}, form(file()))
    assert answer.status_code in {400, 404, 405}
    assert door.run(Row("GET", ASSETS, mine)).get_json()["total"] == 0


@pytest.mark.parametrize(("sent", "status"), [('"0"', 200), ("0", 200), ('W/"0"', 200), ('"1"', 412), ('"7"', 412), ('"x"', 200)])
@pytest.mark.parametrize("way", ["content", "upsert"])
def test_if_match_guards_the_content(door, mine, sent, status, way):
    asset(door, mine, query="?id=chosen")
    path, method = (f"{ASSETS}/chosen/content", "PUT") if way == "content" else (f"{ASSETS}/chosen", "POST")
    number = sent.strip('W/"')
    said = {"message": f"Entity (chosen) requested version {number}, but found 0.", "errorCode": "OBJECT_VERSION_CONFLICT"}
    shows = refusal(412, **said) if status == 412 else {"version": 1}
    upload(door, mine, file(b"new"), path=path, method=method, status=status, headers={"If-Match": sent}, shows=shows)


def test_if_match_lets_one_of_two_contents_in(door, mine):
    made = asset(door, mine)
    door.jobs.hold = True
    ask = {
        "path": f"{ASSETS}/{made['id']}/content",
        "method": "PUT",
        "status": 202,
        "headers": {"Prefer": "respond-async", "If-Match": '"0"'},
    }
    places = [upload(door, mine, file(content), **ask).headers["Location"] for content in (b"one", b"two")]
    door.jobs.run()
    said = {"message": f"Entity ({made['id']}) requested version 0, but found 1.", "errorCode": "OBJECT_VERSION_CONFLICT"}
    door.run(Row("GET", places[0], mine, shows={"version": 1, "fileSize": 3}))
    door.run(Row("GET", places[1], mine, status=412, shows=refusal(412, **said)))


def test_if_match_names_a_version_of_what_is_not_there(door, mine):
    said = {"message": "Entity (chosen) requested version 0, but found -1.", "errorCode": "OBJECT_VERSION_CONFLICT"}
    upload(door, mine, path=f"{ASSETS}/chosen", status=412, headers={"If-Match": '"0"'}, shows=refusal(412, **said))
    door.run(Row("GET", f"{ASSETS}/chosen", mine, status=404))


def test_an_asset_moves_when_its_content_comes(door, mine):
    there, made = folder(door, mine), asset(door, mine)
    door.jobs.hold = True
    path = f"{ASSETS}/{made['id']}"
    ask = {"path": f"{path}?parentId={there['id']}", "status": 202, "headers": {"Prefer": "respond-async"}}
    upload(door, mine, file(b"new"), **ask)
    door.run(Row("GET", path, mine, shows={"parentId": ROOT, "version": 0}))
    door.jobs.run()
    door.run(Row("GET", path, mine, shows={"parentId": there["id"], "version": 2, "fileVersion": 1}))


def test_a_folder_that_goes_before_the_content_comes(door, mine):
    there, made = folder(door, mine), asset(door, mine)
    door.jobs.hold = True
    ask = {"status": 202, "headers": {"Prefer": "respond-async"}}
    paths = [f"{ASSETS}/{made['id']}?parentId={there['id']}", f"{ASSETS}?parentId={there['id']}"]
    places = [upload(door, mine, file(b"new"), path=path, **ask).headers["Location"] for path in paths]
    door.run(Row("DELETE", f"{ASSETS}/folders/{there['id']}", mine, status=204))
    door.jobs.run()
    for place in places:
        door.run(Row("GET", place, mine, status=400, shows=refusal(400, "ParentId: Asset folder does not exist.")))
    door.run(Row("GET", f"{ASSETS}/{made['id']}", mine, shows={"parentId": ROOT, "version": 0}))


# ---------------------------------------------------------------- names


def test_hash_slug_and_tags_follow_from_the_name_that_is_kept(door, mine):
    content = b"root:x:0:0"
    told = asset(door, mine, content, "../../etc/passwd", "text/plain")
    shown = {"fileHash": squidex_hash(content, "passwd"), "slug": "passwd", "fileType": "blob", "tags": ["type/blob"]}
    assert {name: told[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("sent", "kept"), [("C:\\\\fakepath\\\\a.png", "a.png"), ("../../etc/passwd", "passwd"), ("naïve 😀.png", "naïve 😀.png")]
)
def test_a_name_is_made_safe(door, mine, sent, kept):
    assert asset(door, mine, name=sent)["fileName"] == kept


@pytest.mark.parametrize("sent", ["x" * 256 + ".png", "a\0b.png", "..", "/"])
def test_a_name_that_cannot_be_kept_is_refused(door, mine, sent):
    upload(door, mine, file(name=sent), status=400, shows={"message": "Validation error", "details": lambda v: len(v) == 1})

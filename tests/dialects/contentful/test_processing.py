"""The Contentful door: processing, the files that come of it, and what becomes of those."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.dialects.contentful.speak import (
    MASTER,
    SPACE,
    asset,
    at,
    body,
    fetched,
    file_from,
    link_to,
    paths_of,
    process,
    processed,
    put,
    refusal,
    upload,
    url_of,
    version,
)
from tests.dialects.house import Row, has
from tests.dialects.pictures import picture

URL = re.compile(r"//slipway\.test/contentful/acme/[^/]+/[0-9a-f]{32}/[^/]+")
ASYNC = {"Prefer": "respond-async"}


@pytest.mark.parametrize(
    ("content", "details"),
    [
        (picture(), {"size": len(picture()), "image": {"width": 8, "height": 6}}),
        (picture("JPEG", 5, 7), {"size": len(picture("JPEG", 5, 7)), "image": {"width": 5, "height": 7}}),
        (b"any bytes", {"size": 9}),
        (picture()[:-20], {"size": len(picture()) - 20}),
        (b"%PDF-1.4 and so on", {"size": 18}),
    ],
)
def test_an_upload_becomes_a_file(door, mine, content, details):
    made = asset(door, mine, body({"en-US": file_from(upload(door, mine, content), "my cat.png")}))
    assert process(door, mine, made).get_data() == b""
    after = fetched(door, mine, made)
    file = after["fields"]["file"]["en-US"]
    assert set(file) == {"contentType", "fileName", "details", "url"}
    assert (file["contentType"], file["fileName"], file["details"]) == ("image/png", "my cat.png", details)
    assert URL.fullmatch(file["url"])
    assert file["url"].endswith("/my%20cat.png")
    assert after["sys"]["version"] == 2
    assert after["fields"]["title"] == made["fields"]["title"]
    assert door.run(Row("GET", url_of(after))).get_data() == content


def test_an_image_with_too_many_pixels_to_decode_is_a_file_like_any_other(open_door):
    door = open_door(SLIPWAY_CONTENTFUL_MAX_PIXELS="47")
    after = processed(door, door.key())
    assert after["fields"]["file"]["en-US"]["details"] == {"size": len(picture())}
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


def test_until_a_worker_comes_the_source_stands_there(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    process(door, mine, made)
    assert fetched(door, mine, made) == made
    door.jobs.run()
    assert "url" in fetched(door, mine, made)["fields"]["file"]["en-US"]


@pytest.mark.parametrize("hold", [False, True])
def test_one_upload_for_several_locales_and_assets(door, mine, hold):
    """All at the version that was seen first, as the clients do it."""
    door.jobs.hold = hold
    up = upload(door, mine)
    locales = ["en-US", "de", "zh-Hant-TW"]
    made = [asset(door, mine, body({locale: file_from(up, f"{locale}.png") for locale in locales})) for _ in range(2)]
    for each in made:
        for locale in locales:
            process(door, mine, each, locale)
    door.jobs.run()
    for each in made:
        after = fetched(door, mine, each)
        assert after["sys"]["version"] == 1 + len(locales)
        for locale in locales:
            assert url_of(after, locale).endswith(f"/{locale}.png")
            assert door.run(Row("GET", url_of(after, locale))).get_data() == picture()


@pytest.mark.parametrize("headers", [{}, version(1), version(0), version(-1)])
@pytest.mark.parametrize("sent", [b"", b"{}", b"not looked at"])
def test_a_version_need_not_be_named(door, mine, headers, sent):
    made = asset(door, mine)
    door.run(Row("PUT", at(made, "/files/en-US/process"), mine | headers, sent, 204))


@pytest.mark.parametrize(("named", "status"), [("2", 409), ("999999999999", 409), ("x", 400)])
def test_a_version_that_is_still_to_come(door, mine, named, status):
    made = asset(door, mine)
    door.run(Row("PUT", at(made, "/files/en-US/process"), mine | {"X-Contentful-Version": named}, status=status))
    assert fetched(door, mine, made) == made


def test_asking_twice_is_asking_once(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    process(door, mine, made)
    process(door, mine, made)
    assert door.jobs.backlog() == 2  # the upload's measuring, and one processing
    door.jobs.run()
    assert fetched(door, mine, made)["sys"]["version"] == 2


# ---------------------------------------------------------------- refused


def unprocessable(door, mine, file, locale="en-US"):
    made = asset(door, mine, body({"en-US": file}))
    answer = process(door, mine, made, locale, 422)
    assert (answer.get_json()["sys"]["id"], answer.get_json()["message"]) == ("ValidationFailed", "Validation error")
    assert fetched(door, mine, made) == made
    return [(error["name"], error["path"][-1]) for error in answer.get_json()["details"]["errors"]]


FROM = file_from("3pF6ACckKKcB3P60zeszce")


@pytest.mark.parametrize(
    ("file", "errors"),
    [
        ({"contentType": "image/png", "fileName": "a.png"}, [("required", "upload"), ("required", "uploadFrom")]),
        ({}, [("required", "upload"), ("required", "uploadFrom")]),
        ({"upload": "", "contentType": "image/png", "fileName": "a.png"}, [("required", "upload"), ("required", "uploadFrom")]),
        (FROM, [("invalid", "uploadFrom")]),
        (file_from("x" * 500), [("invalid", "uploadFrom")]),
        (file_from("\u0000ä/.."), [("invalid", "uploadFrom")]),
        ({"uploadFrom": link_to("x")}, [("required", "contentType"), ("required", "fileName")]),
        (FROM | {"fileName": ""}, [("required", "fileName")]),
        (FROM | {"contentType": "text/html"}, [("invalid", "contentType")]),
        (FROM | {"contentType": "Text/JavaScript; charset=utf-8"}, [("invalid", "contentType")]),
        ({"upload": "ftp://a/b", "contentType": "image/png", "fileName": "a"}, [("invalid", "upload")]),
        ({"upload": "a/b.png", "contentType": "image/png", "fileName": "a"}, [("invalid", "upload")]),
        ({"upload": "//a/b.png", "contentType": "image/png", "fileName": "a"}, [("invalid", "upload")]),
        ({"upload": "http://[", "contentType": "image/png", "fileName": "a"}, [("invalid", "upload")]),
        ({"upload": "file:///etc/passwd", "contentType": "image/png", "fileName": "a"}, [("invalid", "upload")]),
    ],
)
def test_what_cannot_be_processed(door, mine, file, errors):
    assert unprocessable(door, mine, file) == errors


def test_a_locale_without_a_file(door, mine):
    made = asset(door, mine, {"fields": {"title": {"zzz-AC": "only a title"}}})
    [error] = process(door, mine, made, "zzz-AC", 422).get_json()["details"]["errors"]
    assert error == {"name": "required", "path": ["fields", "file", "zzz-AC"], "details": "No file specified for locale: zzz-AC"}


@pytest.mark.parametrize("locale", ["a.b", "%00", "%ff", "x" * 300, "published%2Fen-US"])
def test_a_locale_that_is_none(door, mine, locale):
    made = processed(door, mine)
    assert door.send("PUT", at(made, f"/files/{locale}/process"), mine).status_code in {404, 422}


@pytest.mark.parametrize("name", ["a\u0000b", "..", "\u202e", "/"])
def test_names_that_no_file_can_have(door, mine, name):
    assert unprocessable(door, mine, file_from(upload(door, mine), name)) == [("invalid", "fileName")]


@pytest.mark.parametrize(
    ("name", "kept"), [("a/b.png", "b.png"), ("ka\u0308tze?.png", "ka%CC%88tze%3F.png"), ("100%.png", "100%25.png"), (" a ", "a")]
)
def test_names_in_urls(door, mine, name, kept):
    after = processed(door, mine, body({"en-US": file_from(upload(door, mine), name)}))
    assert after["fields"]["file"]["en-US"]["fileName"] == name
    assert url_of(after).endswith(f"/{kept}")
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


def test_the_longest_name(door, mine):
    after = processed(door, mine, body({"en-US": file_from(upload(door, mine), "n" * 256)}))
    assert after["fields"]["file"]["en-US"]["fileName"] == "n" * 256
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


def test_an_upload_of_another_space_is_unknown(door, mine):
    up = upload(door, door.key("other"), prefix="/contentful/spaces/other")
    assert unprocessable(door, mine, file_from(up)) == [("invalid", "uploadFrom")]


def test_a_file_is_processed_once(door, mine):
    made = processed(door, mine)
    assert paths_of(process(door, mine, made, status=422)) == [["fields", "file", "en-US", name] for name in ("upload", "uploadFrom")]
    assert fetched(door, mine, made) == made


def test_what_is_archived_is_not_processed(door, mine):
    made = asset(door, mine)
    put(door, mine, made, "archived")
    row = Row("PUT", at(made, "/files/en-US/process"), mine, status=400, shows=refusal("BadRequest", message="Cannot process archived"))
    door.run(row)


# ---------------------------------------------------------------- from a URL

PLACE = "https://pictures.example/cat.png?size=1"


def remote(url=PLACE, **more):
    return body({"en-US": {"contentType": "image/png", "fileName": "cat.png", "upload": url, **more}})


def test_a_worker_fetches_what_lies_elsewhere(door, mine):
    door.fetcher.files[PLACE] = picture()
    made = asset(door, mine, remote())
    assert made["fields"]["file"]["en-US"]["upload"] == PLACE
    process(door, mine, made)
    after = fetched(door, mine, made)
    assert after["sys"]["version"] == 2
    assert set(after["fields"]["file"]["en-US"]) == {"contentType", "fileName", "details", "url"}
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


def test_what_cannot_be_fetched_is_told_to_who_follows_and_can_be_tried_again(door, mine):
    made = asset(door, mine, remote())
    where = at(made, "/files/en-US/process")
    location = door.run(Row("PUT", where, mine | ASYNC, status=202)).headers["Location"]
    answer = door.run(Row("GET", location, mine, status=422, shows=refusal("ValidationFailed")))
    assert answer.get_json()["details"]["errors"][0]["name"] == "fetch_failed"
    assert fetched(door, mine, made) == made
    door.fetcher.files[PLACE] = b"there now"
    process(door, mine, made)
    assert door.run(Row("GET", url_of(fetched(door, mine, made)))).get_data() == b"there now"


def followed(door, mine, made, status):
    """What who follows the processing is told at its end."""
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202)).headers["Location"]
    door.jobs.run()
    return door.run(Row("GET", location, mine, status=status)).get_json(silent=True)


@pytest.mark.parametrize(
    ("content", "name", "details"),
    [
        (None, "fetch_failed", "The file could not be fetched: the server answered 404"),
        (b"", "empty_body", "There is nothing in the file"),
        (b"x" * 1001, "too_large", "The file is larger than the limit of 1000 bytes."),
    ],
)
def test_what_is_wrong_with_a_fetched_file_is_said_of_its_url(open_door, content, name, details):
    door = open_door(SLIPWAY_CONTENTFUL_MAX_BYTES="1000")
    mine = door.key()
    door.fetcher.files |= {PLACE: content} if content is not None else {}
    made = asset(door, mine, remote())
    told = followed(door, mine, made, 422)
    assert (told["sys"]["id"], told["message"]) == ("ValidationFailed", "Validation error")
    assert told["details"] == {"errors": [{"name": name, "path": ["fields", "file", "en-US", "upload"], "details": details}]}
    assert fetched(door, mine, made) == made


def test_an_upload_whose_bytes_are_gone_is_said_of_its_link(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202)).headers["Location"]
    [up] = door.house.library.uploads(door.principal(), "contentful")
    door.house.reception.cancel(door.house.records.get(up.operation_ref))
    door.jobs.run()
    [error] = door.run(Row("GET", location, mine, status=422)).get_json()["details"]["errors"]
    assert (error["name"], error["path"]) == ("gone", ["fields", "file", "en-US", "uploadFrom"])
    assert fetched(door, mine, made) == made


def test_an_asset_that_was_deleted_meanwhile_is_the_one_that_is_missed(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202)).headers["Location"]
    door.run(Row("DELETE", at(made), mine, status=204))
    door.jobs.run()
    details = {"type": "Asset", "space": "acme", "environment": "master", "id": made["sys"]["id"]}
    door.run(Row("GET", location, mine, status=404, shows=refusal("NotFound", details=details)))


def test_a_processing_that_an_update_overtook_is_a_conflict(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202)).headers["Location"]
    update(door, mine, made, {"en-US": file_from(upload(door, mine))})
    door.jobs.run()
    door.run(Row("GET", location, mine, status=409, shows=refusal("VersionMismatch", message=None, details=None)))


def test_a_processing_that_was_cancelled_made_nothing(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202)).headers["Location"]
    op = door.house.library.operation(door.principal(), location.rpartition("/")[2])
    door.house.reception.cancel(op)
    door.run(Row("GET", location, mine, status=404, shows=refusal("NotFound")))
    process(door, mine, made)
    door.jobs.run()
    assert url_of(fetched(door, mine, made))


def test_what_is_fetched_has_the_same_limit(open_door):
    door = open_door(SLIPWAY_CONTENTFUL_MAX_BYTES="1000")
    mine = door.key()
    door.fetcher.files[PLACE] = b"x" * 1001
    made = asset(door, mine, remote())
    process(door, mine, made)
    assert fetched(door, mine, made) == made


def test_the_fetched_is_no_upload_of_anybodys(door, mine):
    door.fetcher.files[PLACE] = picture()
    processed(door, mine, remote())
    [hidden] = door.house.library.uploads(door.principal(), "contentful")
    door.run(Row("GET", f"{SPACE}/uploads/{hidden.id}", mine, status=404))


# ---------------------------------------------------------------- followed


def test_who_prefers_to_follow(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    sends = {"Retry-After": lambda v: int(v) > 0, "Preference-Applied": "respond-async"}
    location = door.run(Row("PUT", at(made, "/files/en-US/process"), mine | ASYNC, status=202, sends=sends)).headers["Location"]
    door.run(Row("GET", location, mine, status=202, sends={"Location": location, "Retry-After": bool}))
    door.run(Row("GET", location, door.key("other"), status=404))
    door.jobs.run()
    door.run(Row("GET", location, mine, status=204))
    assert url_of(fetched(door, mine, made))


@pytest.mark.parametrize("id", ["none", "x" * 300, "%00"])
def test_nothing_to_follow(door, mine, id):
    door.run(Row("GET", f"{SPACE}/operations/{id}", mine, status=404, shows={"sys": has(id="NotFound")}))


# ---------------------------------------------------------------- files


def test_a_file_goes_out_as_it_came_and_may_be_kept_for_ever(door, mine):
    url = url_of(processed(door, mine))
    digest = hashlib.sha256(picture()).hexdigest()
    sends = {"Content-Type": "image/png", "ETag": f'"{digest}"', "Cache-Control": lambda v: "immutable" in v and "public" in v}
    sends |= {"X-Content-Type-Options": "nosniff", "Content-Disposition": lambda v: v.startswith("inline")}
    assert door.run(Row("GET", url, sends=sends)).get_data() == picture()
    assert door.run(Row("HEAD", url, sends=sends)).get_data() == b""
    assert door.run(Row("GET", url, {"Range": "bytes=1-3"}, status=206)).get_data() == picture()[1:4]
    door.run(Row("GET", url, {"If-None-Match": f'"{digest}"'}, status=304))


def test_nobody_can_make_a_url(door, mine):
    _, mount, space, own, token, name = url_of(processed(door, mine)).split("/")
    other = processed(door, mine)
    for path in (
        [space, own, token[::-1], name],
        [space, own, "0" * 32, name],
        [space, own, "%ff", name],
        [space, own, token, "other.png"],
        [space, other["sys"]["id"], token, name],
        ["other", own, token, name],
        [space, "none", token, name],
        [space, "x" * 300, token, name],
    ):
        door.run(Row("GET", "/".join(["", mount, *path]), status=404, shows={"sys": has(id="NotFound")}))


def update(door, mine, of, files, status=200):
    sent = {"fields": of["fields"] | {"file": files}}
    return door.run(Row("PUT", at(of), mine | version(of["sys"]["version"]), sent, status)).get_json()


def test_a_file_that_is_sent_back_stays(door, mine):
    made = processed(door, mine, body({locale: file_from(upload(door, mine)) for locale in ("en-US", "de")}))
    again = door.run(Row("PUT", at(made), mine | version(3), {"fields": made["fields"] | {"title": {"en-US": "another"}}})).get_json()
    assert again["fields"]["file"] == made["fields"]["file"]
    assert again["fields"]["title"] == {"en-US": "another"}
    renamed = made["fields"]["file"]["en-US"] | {"fileName": "renamed.png"}
    after = update(door, mine, again, made["fields"]["file"] | {"en-US": renamed})
    assert after["fields"]["file"]["en-US"] == renamed
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


@pytest.mark.parametrize("equal", [False, True])
def test_the_url_of_a_replaced_file_ends(door, mine, equal):
    made = processed(door, mine)
    new = picture() if equal else picture(shade=9)
    changed = update(door, mine, made, {"en-US": file_from(upload(door, mine, new), "new.png")})
    assert "url" not in changed["fields"]["file"]["en-US"]
    process(door, mine, changed)
    after = fetched(door, mine, made)
    assert (after["sys"]["version"], url_of(after) == url_of(made)) == (4, False)
    assert door.run(Row("GET", url_of(after))).get_data() == new
    door.run(Row("GET", url_of(made), status=404))


def test_a_file_that_is_left_out_is_gone_and_its_bytes_too(door, mine):
    made = processed(
        door, mine, body({locale: file_from(upload(door, mine, picture(shade=n))) for n, locale in enumerate(("en-US", "de"))})
    )
    after = update(door, mine, made, {"de": made["fields"]["file"]["de"]})
    assert set(after["fields"]["file"]) == {"de"}
    door.run(Row("GET", url_of(made, "en-US"), status=404))
    assert door.run(Row("GET", url_of(made, "de"))).get_data() == picture(shade=1)
    door.run(Row("DELETE", at(made), mine, status=204))
    door.pass_time(3 * 86400)
    door.sweep()
    door.pass_time(3600)
    door.sweep()
    assert door.house.library.assets(door.principal(), "contentful").total == 0


def test_another_source_while_the_first_is_being_processed(door, mine):
    door.jobs.hold = True
    made = asset(door, mine, body({"en-US": file_from(upload(door, mine))}))
    process(door, mine, made)
    later = update(door, mine, made, {"en-US": file_from(upload(door, mine, b"later"))})
    door.jobs.run()
    assert fetched(door, mine, made) == later
    process(door, mine, later)
    door.jobs.run()
    assert door.run(Row("GET", url_of(fetched(door, mine, made)))).get_data() == b"later"


def test_the_same_source_again_while_it_is_being_processed(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    process(door, mine, made)
    update(door, mine, made, made["fields"]["file"])
    door.jobs.run()
    assert fetched(door, mine, made)["sys"]["version"] == 3


def test_an_asset_that_is_deleted_while_it_is_being_processed(door, mine):
    door.jobs.hold = True
    made = asset(door, mine)
    process(door, mine, made)
    door.run(Row("DELETE", at(made), mine, status=204))
    door.jobs.run()
    door.run(Row("GET", at(made), mine, status=404))
    assert door.house.library.assets(door.principal(), "contentful").total == 0


# ---------------------------------------------------------------- published


def test_what_is_published_keeps_its_file_until_it_is_published_anew(door, mine):
    made = put(door, mine, processed(door, mine), "published")
    update(door, mine, made, {"en-US": file_from(upload(door, mine, b"draft"), "draft.txt", "text/plain")})
    process(door, mine, made)
    draft = fetched(door, mine, made)
    [shown] = door.run(Row("GET", f"{MASTER}/public/assets", mine)).get_json()["items"]
    assert shown["fields"]["file"] == made["fields"]["file"]
    assert door.run(Row("GET", url_of(made))).get_data() == picture()
    assert door.run(Row("GET", url_of(draft))).get_data() == b"draft"
    put(door, mine, draft, "published")
    door.run(Row("GET", url_of(made), status=404))
    assert door.run(Row("GET", url_of(draft))).get_data() == b"draft"


def test_an_editor_goes_back_to_what_is_published(door, mine):
    made = put(door, mine, processed(door, mine), "published")
    changed = update(door, mine, made, {"en-US": file_from(upload(door, mine, b"draft"))})
    back = update(door, mine, changed, made["fields"]["file"])
    assert back["fields"] == made["fields"]
    after = put(door, mine, put(door, mine, back, "published"), "published", method="DELETE")
    assert door.run(Row("GET", url_of(after))).get_data() == picture()


def test_a_file_that_was_only_published_ends_with_the_publication(door, mine):
    made = put(door, mine, processed(door, mine), "published")
    bare = update(door, mine, made, {})
    door.run(Row("GET", url_of(made)))
    put(door, mine, bare, "published", method="DELETE")
    door.run(Row("GET", url_of(made), status=404))


def test_a_locale_that_is_taken_back_keeps_no_published_file(door, mine):
    made = processed(door, mine, body({locale: file_from(upload(door, mine, locale.encode())) for locale in ("en-US", "de")}))
    made = put(door, mine, made, "published")
    row = Row("PUT", at(made, "/published"), mine | version(made["sys"]["version"]), {"remove": {"fields": {"*": ["de"]}}})
    update(door, mine, door.run(row).get_json(), {})
    door.run(Row("GET", url_of(made, "de"), status=404))
    assert door.run(Row("GET", url_of(made, "en-US"))).get_data() == b"en-US"

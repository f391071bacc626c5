"""The Contentful door: uploads, row by row of the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from app.dialects.contentful import links
from tests.dialects.contentful.speak import (
    JSON,
    PREFIXES,
    RAW,
    SPACE,
    asset,
    body,
    fetched,
    file_from,
    process,
    processed,
    refusal,
    upload,
    url_of,
)
from tests.dialects.house import CHUNKED, Row, has
from tests.dialects.pictures import picture

BASE62 = re.compile(r"[0-9A-Za-z]{22}")
BEYOND = re.compile(r"\d{4}-\d\d-\d\dT00:00:00\.000Z")
DAY = 86400.0
NO_UPLOAD = refusal("NotFound", message="The resource could not be found.", details="The resource could not be found.")
BOTH = pytest.mark.parametrize("prefix", PREFIXES)


@BOTH
@pytest.mark.parametrize("environ", [{}, CHUNKED])
@pytest.mark.parametrize("content", [picture(), b"no image at all", b"\x00"])
def test_an_upload_is_kept(door, mine, prefix, environ, content):
    sends = {"Content-Type": JSON, "X-Contentful-Request-Id": lambda v: re.fullmatch(r"[0-9a-f]{32}", v), "Contentful-Api": "upload_api"}
    row = Row("POST", f"{prefix}/uploads", mine | RAW, content, 201, sends, environ=environ)
    told = door.run(row).get_json()["sys"]
    assert BASE62.fullmatch(told["id"])
    assert told["type"] == "Upload"
    assert told["space"] == {"sys": {"type": "Link", "linkType": "Space", "id": "acme"}}
    assert told["createdBy"]["sys"]["linkType"] == "User"
    created, expires = (datetime.fromisoformat(told[name]) for name in ("createdAt", "expiresAt"))
    assert told["createdAt"].endswith(".000Z")
    assert BEYOND.fullmatch(told["expiresAt"])
    assert DAY <= (expires - created).total_seconds() + 1 < 2 * DAY + 1
    assert door.run(Row("GET", f"{prefix}/uploads/{told['id']}", mine)).get_json() == {"sys": told}


@pytest.mark.parametrize(
    ("arrived", "expires"),
    [
        ("2017-02-21T07:49:25", "2017-02-23T00:00:00"),  # the page
        ("2017-03-10T21:16:17", "2017-03-12T00:00:00"),  # recorded
        ("2017-03-10T00:00:00", "2017-03-11T00:00:00"),
        ("2017-03-10T00:00:01", "2017-03-12T00:00:00"),
        ("2016-12-30T23:59:59", "2017-01-01T00:00:00"),
    ],
)
def test_the_first_midnight_that_is_a_day_later(arrived, expires):
    seconds = [datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() for moment in (arrived, expires)]
    assert links.midnight_after(seconds[0]) == seconds[1]


@pytest.mark.parametrize(
    ("accept", "raw"),
    [
        (None, False),
        ("*/*", False),
        ("application/json, text/plain, */*", False),
        ("application/vnd.contentful.management.v1+json", False),
        ("image/*", True),
        ("image/png", True),
        ("application/octet-stream", True),
        ("application/json;q=0.5, application/octet-stream", True),
        ("application/json, image/*;q=0.9", False),
        (f"{JSON}, application/octet-stream", False),
        (f"{JSON};q=0.1, application/octet-stream;q=0.2", True),
        ("image/*;q=0", False),
        ("image/*;q=x, ;;,=", False),
        ("image/avif,image/webp,image/*,*/*;q=0.8", True),
    ],
)
@pytest.mark.parametrize("content", [picture("JPEG"), b"%PDF-1.4 any file"])
def test_the_accept_chooses_between_the_resource_and_its_bytes(door, mine, accept, raw, content):
    headers = mine | ({"Accept": accept} if accept else {})
    answer = door.run(Row("GET", f"{SPACE}/uploads/{upload(door, mine, content)}", headers))
    assert (answer.get_data() == content) is raw
    assert (answer.content_type == JSON) is not raw


def test_bytes_that_no_worker_has_seen_yet_are_promised(open_door):
    door = open_door(SLIPWAY_CONTENTFUL_PATIENCE="0")
    mine = door.key()
    door.jobs.hold = True
    up = upload(door, mine, b"seen late")
    row = Row("GET", f"{SPACE}/uploads/{up}", mine | {"Accept": "image/*"}, status=202, sends={"Retry-After": lambda v: int(v) > 0})
    location = door.run(row).headers["Location"]
    door.run(Row("GET", location, mine, status=202, sends={"Location": location}))
    door.jobs.run()
    assert door.run(Row("GET", location, mine | {"Accept": "image/*"})).get_data() == b"seen late"
    door.run(Row("GET", location, mine, shows={"sys": has(id=up, type="Upload")}))


def test_bytes_that_went_in_this_moment_are_those_of_an_upload(door, mine):
    up = upload(door, mine)
    [kept] = door.house.library.uploads(door.principal(), "contentful")
    door.house.store.remove(kept.blob)
    door.run(Row("GET", f"{SPACE}/uploads/{up}", mine | {"Accept": "image/*"}, status=404, shows=NO_UPLOAD))


def test_a_range_of_an_upload(door, mine):
    where = f"{SPACE}/uploads/{upload(door, mine, b'0123456789')}"
    raw = mine | {"Accept": "image/*"}
    assert door.run(Row("GET", where, raw | {"Range": "bytes=2-4"}, status=206)).get_data() == b"234"
    sends = {"Content-Range": "bytes */10", "Content-Type": JSON}
    door.run(Row("GET", where, raw | {"Range": "bytes=10-"}, status=416, sends=sends, shows=refusal("RangeNotSatisfiable")))


@BOTH
def test_deleted_is_unknown(door, mine, prefix):
    where = f"{prefix}/uploads/{upload(door, mine)}"
    assert door.run(Row("DELETE", where, mine, status=204)).get_data() == b""
    for method in ("GET", "DELETE"):
        door.run(Row(method, where, mine, status=404, shows=NO_UPLOAD))


def test_a_client_that_takes_the_upload_for_the_environment(door, mine):
    up = upload(door, mine)
    door.run(Row("DELETE", f"{SPACE}/environments/{up}/uploads/{up}", mine, status=204))
    door.run(Row("GET", f"{SPACE}/uploads/{up}", mine, status=404))


def test_an_upload_ends_at_its_midnight_and_what_was_made_of_it_stays(door, mine):
    up = upload(door, mine)
    where = f"{SPACE}/uploads/{up}"
    url = url_of(processed(door, mine, body({"en-US": file_from(up)})))
    waiting = asset(door, mine, body({"en-US": file_from(up)}))
    expires = datetime.fromisoformat(door.run(Row("GET", where, mine)).get_json()["sys"]["expiresAt"]).timestamp()
    door.pass_time(expires - door.room.records.now() - 60)
    door.sweep()
    door.run(Row("GET", where, mine))
    door.pass_time(61)
    for sweep in (lambda: None, door.sweep, lambda: door.pass_time(2 * DAY), door.sweep):
        sweep()
        door.run(Row("GET", where, mine, status=404, shows=NO_UPLOAD))
        door.run(Row("DELETE", where, mine, status=404, shows=NO_UPLOAD))
    refused = process(door, mine, waiting, status=422)
    assert refused.get_json()["details"]["errors"][0]["path"] == ["fields", "file", "en-US", "uploadFrom"]
    assert door.run(Row("GET", url)).get_data() == picture()


def test_an_upload_waits_for_a_processing_that_was_asked_for_in_time(door, mine):
    up = upload(door, mine)
    made = asset(door, mine, body({"en-US": file_from(up)}))
    door.jobs.hold = True
    process(door, mine, made)
    door.pass_time(3 * DAY)
    door.sweep()
    door.jobs.run()
    door.sweep()
    assert door.run(Row("GET", url_of(fetched(door, mine, made)))).get_data() == picture()
    door.run(Row("GET", f"{SPACE}/uploads/{up}", mine, status=404))


def test_a_deleted_upload_waits_for_a_processing_too(door, mine):
    up = upload(door, mine)
    made = asset(door, mine, body({"en-US": file_from(up)}))
    door.jobs.hold = True
    process(door, mine, made)
    door.run(Row("DELETE", f"{SPACE}/uploads/{up}", mine, status=204))
    door.run(Row("GET", f"{SPACE}/uploads/{up}", mine, status=404))
    door.sweep()
    door.jobs.run()
    assert door.run(Row("GET", url_of(fetched(door, mine, made)))).get_data() == picture()


# ---------------------------------------------------------------- refused


def left_behind(door):
    """What the store and the records still have."""
    return door.house.library.uploads(door.principal(), "contentful")


@BOTH
@pytest.mark.parametrize(
    ("environ", "headers", "content", "status", "shows"),
    [
        ({}, RAW, b"", 400, refusal("BadRequest", message='The "Content-Length" header must be greater than 0')),
        (CHUNKED, RAW, b"", 400, refusal("BadRequest", message='The "Content-Length" header must be greater than 0')),
        ({}, {"Content-Type": "image/png"}, b"x", 415, refusal("UnsupportedMediaType")),
        ({}, {"Content-Type": JSON}, b"{}", 415, refusal("UnsupportedMediaType")),
        ({}, {"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415, refusal("UnsupportedMediaType")),
        ({}, {}, b"x", 415, refusal("UnsupportedMediaType")),
        ({"CONTENT_LENGTH": "1000000001"}, RAW, b"x", 408, refusal("RequestTimeout")),
        ({"CONTENT_LENGTH": "99999999999999999999999"}, RAW, b"x", 400, refusal("BadRequest")),
        ({"CONTENT_LENGTH": "-1"}, RAW, b"x", 400, refusal("BadRequest")),
        ({"CONTENT_LENGTH": "10"}, RAW, b"cut", 408, refusal("RequestTimeout")),
    ],
)
def test_an_upload_refused_leaves_nothing_behind(door, mine, prefix, environ, headers, content, status, shows):
    door.run(Row("POST", f"{prefix}/uploads", mine | headers, content, status, {"Content-Type": JSON}, shows, environ))
    assert left_behind(door) == []
    assert list(door.house.store.staged_before(-1)) == []


@pytest.mark.parametrize("environ", [{}, CHUNKED])
@pytest.mark.parametrize(("size", "status"), [(1000, 201), (1001, 408)])
def test_the_limit_is_inclusive_and_counts_what_comes_without_a_length(open_door, environ, size, status):
    door = open_door(SLIPWAY_CONTENTFUL_MAX_BYTES="1000")
    shows = refusal("RequestTimeout", message=lambda m: "1000" in m) if status == 408 else {}
    door.run(Row("POST", f"{SPACE}/uploads", door.key() | RAW, b"x" * size, status, shows=shows, environ=environ))
    assert len(left_behind(door)) == (status == 201)


def test_a_thousand_megabytes_are_the_limit(door):
    assert door.app.extensions["slipway"].policies["contentful"].max_bytes == 1_000_000_000


@pytest.mark.parametrize("id", ["3pF6ACckKKcB3P60zeszce", "x", "x" * 300, "%00", "%ff", "..", "sk%20"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_upload_that_never_was(door, mine, method, id):
    door.run(Row(method, f"{SPACE}/uploads/{id}", mine, status=404, shows={"sys": has(id="NotFound")}))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_upload_of_another_space(door, mine, method):
    up = upload(door, mine)
    other = door.key("other")
    door.run(Row(method, f"/contentful/spaces/other/uploads/{up}", other, status=404, shows=NO_UPLOAD))
    door.run(Row(method, f"{SPACE}/uploads/{up}", other, status=404, shows={"sys": has(id="NotFound"), "details": has(type="Space")}))
    door.run(Row("GET", f"{SPACE}/uploads/{up}", mine))


def test_an_upload_of_another_door_is_none(door, mine):
    door.run(Row("POST", "/v1/uploads", mine | {"Content-Type": "image/png"}, picture(), 202))
    [elsewhere] = door.house.library.uploads(door.principal(), "v1")
    door.run(Row("GET", f"{SPACE}/uploads/{elsewhere.id}", mine, status=404, shows=NO_UPLOAD))

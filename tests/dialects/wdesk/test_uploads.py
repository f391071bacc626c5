"""The Wdesk door: initiate, PUT, poll, results, image, row by row of what is published."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from tests.dialects.house import BASE, CHUNKED, Row, has, says
from tests.dialects.pictures import picture
from tests.dialects.wdesk.speak import FAMILIES, image_of, initiate, refusal, token, uploaded

HEX32 = re.compile(r"[0-9a-f]{32}")


@FAMILIES
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (None, None),
        (None, "application/json"),
        (b'{"fileName": "a.png"}', "application/json"),
        (b'{"fileName": "a.png"}', "application/x-www-form-urlencoded"),
        (b'{"fileName": "a.png", "later": {"more": 1}}', "application/json"),
    ],
)
def test_initiate(door, mine, family, body, content_type):
    headers = mine | ({"Content-Type": content_type} if content_type else {})
    shown = door.run(
        Row(
            "POST",
            f"{family}/content/images/upload",
            headers,
            body,
            202,
            sends={"Content-Type": "application/json", "Retry-After": lambda v: 1 <= int(v) <= 60},
        )
    )
    promise = shown.get_json()
    assert set(promise) == {"uploadUrl", "operationId", "operationLocation"}
    assert shown.headers["Location"] == promise["operationLocation"] == f"{BASE}{family}/operations/{promise['operationId']}"
    url = urlsplit(promise["uploadUrl"])
    assert url.path.startswith("/wdesk/s/blob-storage/api/v1/blobs/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["action"] == "upload"
    assert int(query["expire"]) == pytest.approx(door.room.records.now() + 600, abs=5)
    assert query["sig"]


def test_initiate_with_a_chunked_body_of_an_empty_object(door, mine):
    """An object without its field is refused as one that is announced; only no body at all is none."""
    row = Row("POST", "/wdesk/content/images/upload", mine, b"{}", 400, shows=refusal(400, "fileName"), environ=CHUNKED)
    door.run(row)


def test_initiate_with_a_chunked_body_of_nothing(door, mine):
    door.run(Row("POST", "/wdesk/content/images/upload", mine, b"", 202, environ=CHUNKED))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", ["JSON"]),
        (b"fileName=a.png", ["JSON"]),
        (b"[]", ["object"]),
        (b"{}", ["fileName"]),
        (b'{"fileName": ""}', ["fileName"]),
        (b'{"fileName": null}', ["fileName"]),
        (b'{"fileName": 7}', ["fileName"]),
        (b'{"fileName": "a\\u0000.png"}', ["NUL"]),
        (b'{"fileName": "' + b"a" * 256 + b'"}', ["255"]),
        (b'{"fileName": "' + b"a" * 1_100_000 + b'"}', ["1048576"]),
    ],
)
def test_initiate_refused(door, mine, body, words):
    headers = mine | {"Content-Type": "application/json"}
    door.run(Row("POST", "/wdesk/content/images/upload", headers, body, 400, {"Content-Type": "application/json"}, refusal(400, *words)))


@pytest.mark.parametrize(
    ("path", "deprecated"),
    [
        ("/wdesk/prototype/platform/content/images/upload", True),
        ("/wdesk/content/images/upload", False),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_deprecation_is_announced_on_the_old_family_whatever_the_answer(door, mine, path, deprecated, known):
    answer = door.send("POST", path, mine if known else None)
    assert answer.status_code == (202 if known else 401)
    assert answer.headers.get("Deprecation") == ("@1770854400" if deprecated else None)
    assert answer.headers.get("Sunset") == ("Sun, 31 Jan 2027 00:00:00 GMT" if deprecated else None)
    links = answer.headers.get("Link", "")
    assert ('rel="deprecation"' in links) is deprecated
    assert (f'<{BASE}/wdesk/content/images/upload>; rel="successor-version"' in links) is deprecated


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/no/such/thing", 404), ("GET", "/content/images/upload/more", 404), ("DELETE", "/content/images/upload", 405)],
)
def test_deprecation_is_announced_on_the_old_family_where_nothing_is_routed(door, mine, method, path, status):
    old = door.run(
        Row(method, f"/wdesk/prototype/platform{path}", mine, status=status, sends={"Deprecation": "@1770854400", "Sunset": bool})
    )
    assert f'<{BASE}/wdesk{path}>; rel="successor-version"' in old.headers["Link"]
    door.run(Row(method, f"/wdesk{path}", mine, status=status, sends={"Deprecation": None, "Sunset": None, "Link": None}))


@FAMILIES
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_all_the_way(door, mine, family, kind):
    promise = initiate(door, mine, family, {"fileName": "my picture.bin"})
    waiting = door.run(Row("GET", promise["operationLocation"], mine, sends={"Retry-After": lambda v: 1 <= int(v) <= 60})).get_json()
    assert waiting["status"] == "acknowledged"
    assert "resourceUrl" not in waiting
    assert "details" not in waiting

    assert door.run(Row("PUT", promise["uploadUrl"], mine, picture(kind))).get_data() == b""

    done = door.run(
        Row("GET", promise["operationLocation"], mine, sends={"Retry-After": None, "Content-Type": "application/json"})
    ).get_json()
    assert set(done) == {"id", "status", "created", "updated", "originalRequest", "resourceUrl"}
    assert (done["id"], done["status"]) == (promise["operationId"], "completed")
    assert done["resourceUrl"] == f"{promise['operationLocation']}/imageUploadResults"
    assert done["created"]["user"] == {"id": "acme:default"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", done[x]["dateTime"]) for x in ("created", "updated"))
    assert datetime.fromisoformat(done["created"]["dateTime"]) <= datetime.fromisoformat(done["updated"]["dateTime"])
    UUID(done["originalRequest"])

    results = door.run(Row("GET", done["resourceUrl"], mine)).get_json()
    assert set(results) == {"data"}
    [result] = results["data"]
    assert result["type"] == "image"
    assert HEX32.fullmatch(result["image"])

    shown = door.run(Row("GET", f"{family}/content/images/{result['image']}", mine)).get_json()
    assert set(shown) == {"id", "fileName", "mimeType", "downloadUrl"}
    assert (shown["id"], shown["fileName"], shown["mimeType"]) == (result["image"], "my picture.bin", f"image/{kind.lower()}")
    assert urlsplit(shown["downloadUrl"]).path.startswith("/wdesk/")
    got = door.run(
        Row("GET", shown["downloadUrl"], mine, sends={"Content-Type": f"image/{kind.lower()}", "X-Content-Type-Options": "nosniff"})
    )
    assert got.get_data() == picture(kind)


@pytest.mark.parametrize(
    "declared", [None, "application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain", "no type"]
)
def test_the_put_takes_raw_bytes_of_any_declared_type(door, mine, declared):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine | ({"Content-Type": declared} if declared else {}), picture()))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_the_put_takes_a_chunked_body(door, mine):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine, picture(), environ=CHUNKED))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_a_file_without_a_name_is_called_after_what_it_is(door, mine):
    image = image_of(door, mine, uploaded(door, mine, picture("JPEG")))
    door.run(Row("GET", f"/wdesk/content/images/{image}", mine, shows={"fileName": "image.jpg", "mimeType": "image/jpeg"}))


@pytest.mark.parametrize(
    ("query", "status", "images"),
    [
        ("", 200, 1),
        ("?$maxpagesize=1", 200, 1),
        ("?$maxpagesize=1000", 200, 1),
        ("?$next=0", 200, 1),
        ("?$next=1", 200, 0),
        ("?other=1", 200, 1),
    ]
    + [
        (f"?${name}={value}", 400, 0)
        for name, value in (("maxpagesize", 0), ("maxpagesize", 1001), ("maxpagesize", "x"), ("next", "x"), ("next", -1))
    ],
)
@FAMILIES
def test_pages_of_results(door, mine, family, query, status, images):
    where = f"{family}/operations/{uploaded(door, mine)['operationId']}/imageUploadResults{query}"
    answer = door.run(Row("GET", where, mine, status=status))
    assert len(answer.get_json().get("data", [])) == images


def test_there_are_no_results_before_the_end(door, mine):
    promise = initiate(door, mine)
    door.run(Row("GET", f"{promise['operationLocation']}/imageUploadResults", mine, status=404, shows=refusal(404)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no image at all", "NotAnImage"),
        (picture()[:-20], "Truncated"),
        (b"%PDF-1.4 and so on", "TypeNotAllowed"),
        (picture("TIFF"), "TypeNotAllowed"),
    ],
)
def test_what_is_wrong_with_the_image_is_told_by_the_operation(door, mine, content, code):
    promise = uploaded(door, mine, content)
    failed = {
        "status": "failed",
        "resourceUrl": None,
        "details": lambda d: d[0]["code"] == code and d[0]["message"] and d[0]["target"],
    }
    door.run(Row("GET", promise["operationLocation"], mine, sends={"Retry-After": None}, shows=failed))


def test_fifty_megapixels_are_the_limit(open_door):
    door = open_door(SLIPWAY_WDESK_MAX_PIXELS="48")
    who = token(door)
    door.run(Row("GET", uploaded(door, who, picture(width=8, height=6))["operationLocation"], who, shows={"status": "completed"}))
    over = uploaded(door, who, picture(width=7, height=7))
    door.run(Row("GET", over["operationLocation"], who, shows={"status": "failed", "details": says("TooManyPixels", "49", "48")}))


@pytest.mark.parametrize("status", ["acknowledged", "queued", "cancelled"])
def test_the_states_between(door, mine, status):
    door.jobs.hold = True
    promise = initiate(door, mine)
    if status != "acknowledged":
        door.run(Row("PUT", promise["uploadUrl"], mine, picture()))
    if status == "cancelled":
        who = door.access.bearer(mine["Authorization"])
        door.house.reception.cancel(door.house.library.operation(who, promise["operationId"]))
    final = status == "cancelled"
    door.run(
        Row(
            "GET",
            promise["operationLocation"],
            mine,
            sends={"Retry-After": None if final else bool},
            shows={"status": status, "details": None},
        )
    )


def test_the_created_user_is_the_owner(door):
    who = token(door, name="somebody")
    door.run(Row("GET", initiate(door, who)["operationLocation"], who, shows={"created": has(user={"id": "acme:somebody"})}))

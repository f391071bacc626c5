"""The native door, what comes of an upload: the operation, the asset, its bytes."""

from __future__ import annotations

import hashlib
import threading
from urllib.parse import unquote

import pytest

from app.core.errors import RecordsDown, StoreDown
from tests.dialects.house import BASE, Row, bearer, digest_field
from tests.dialects.pictures import picture

UPLOADS = "/v1/uploads"
PNG = {"Content-Type": "image/png"}
PROBLEM = {"Content-Type": "application/problem+json"}
SHA = hashlib.sha256(picture()).hexdigest()


@pytest.fixture
def op(door, mine):
    """A completed operation."""
    where = door.run(Row("POST", UPLOADS, mine | PNG, picture(), 202)).headers["Location"]
    return door.run(Row("GET", where, mine, shows={"status": "completed"})).get_json()


@pytest.fixture
def queued(door, mine):
    """The path of an operation that waits for a worker."""
    door.jobs.hold = True
    return door.run(Row("POST", UPLOADS, mine | PNG, picture(), 202)).headers["Location"]


@pytest.fixture
def content(op):
    return op["resourceUrl"] + "/content"


# ---------------------------------------------------------------- operations


def test_the_monitor(door, mine, op):
    assert set(op) == {"id", "kind", "status", "progress", "uploadId", "resourceUrl", "createdAt", "updatedAt", "expiresAt"}
    assert op["progress"] == {"stage": "completed", "bytes": len(picture()), "total": len(picture())}
    assert op["resourceUrl"].startswith(f"{BASE}/v1/assets/")
    door.run(Row("GET", f"/v1/operations/{op['id']}", mine, sends={"Retry-After": None, "ETag": bool}))


def test_an_operation_that_waits(door, mine, queued):
    sends = {"Retry-After": lambda v: int(v) > 0, "Preference-Applied": None}
    door.run(Row("GET", queued, mine, sends=sends, shows={"status": "queued", "resourceUrl": None}))


def test_unchanged_is_304_and_changed_is_not(door, mine, queued):
    etag = door.run(Row("GET", queued, mine)).headers["ETag"]
    assert not etag.startswith("W/")
    unchanged = door.run(Row("GET", queued, mine | {"If-None-Match": f'"other", {etag}'}, status=304, sends={"ETag": etag}))
    assert unchanged.get_data() == b""
    door.jobs.run()
    door.run(Row("GET", queued, mine | {"If-None-Match": etag}, shows={"status": "completed"}))


@pytest.mark.parametrize(("prefer", "applied"), [("wait=0", "wait=0"), ("wait=1", "wait=1"), ("respond-async, wait=1", "wait=1")])
def test_waiting_in_vain(door, mine, queued, prefer, applied):
    sends = {"Preference-Applied": applied, "Retry-After": bool, "Vary": lambda v: "Prefer" in v}
    door.run(Row("GET", queued, mine | {"Prefer": prefer}, sends=sends, shows={"status": "queued"}))


@pytest.mark.parametrize("prefer", ["wait=x", "wait", "wait=-1", "respond-async", "nonsense;;=,"])
def test_a_preference_that_says_nothing_is_ignored(door, mine, queued, prefer):
    door.run(Row("GET", queued, mine | {"Prefer": prefer}, sends={"Preference-Applied": None}, shows={"status": "queued"}))


@pytest.mark.timeout(20)
def test_waiting_ends_with_the_work(door, mine, queued):
    worker = threading.Timer(0.3, door.jobs.run)
    worker.start()
    door.run(Row("GET", queued, mine | {"Prefer": "wait=30"}, sends={"Preference-Applied": "wait=30"}, shows={"status": "completed"}))
    worker.join()


@pytest.mark.timeout(20)
def test_waiting_for_what_is_final_takes_no_time(door, mine, op):
    door.run(Row("GET", f"/v1/operations/{op['id']}", mine | {"Prefer": "wait=1000"}, sends={"Preference-Applied": "wait=30"}))


@pytest.mark.parametrize(("method", "below"), [("POST", "/cancel"), ("DELETE", "")])
def test_cancel(door, mine, queued, method, below):
    door.run(Row(method, queued + below, mine, shows={"status": "cancelled"}, sends={"Retry-After": None}))
    door.run(Row(method, queued + below, mine, status=409, sends=PROBLEM, shows={"code": "operation_final"}))
    door.jobs.run()
    door.run(Row("GET", queued, mine, shows={"status": "cancelled", "resourceUrl": None}))
    assert not list(door.house.store.staged_before(-1.0))


def test_cancel_what_is_completed(door, mine, op):
    door.run(
        Row("POST", f"/v1/operations/{op['id']}/cancel", mine, status=409, sends=PROBLEM, shows={"code": "operation_final", "status": 409})
    )


def test_unknown_and_another_tenants(door, mine, op):
    stranger = door.key("other", "admin")
    for path in (f"/v1/operations/{op['id']}", "/v1/operations/none", "/v1/operations/" + "x" * 500):
        for method, below in (("GET", ""), ("POST", "/cancel"), ("DELETE", "")):
            door.run(Row(method, path + below, stranger, status=404, sends=PROBLEM, shows={"code": "not_found"}))


def test_operations_are_kept_seven_days_and_then_gone(door, mine, op):
    where = f"/v1/operations/{op['id']}"
    door.pass_time(7 * 86400 - 60)
    door.sweep()
    door.run(Row("GET", where, mine))
    door.pass_time(120)
    door.sweep()
    door.run(Row("GET", where, mine, status=410, sends=PROBLEM, shows={"code": "gone"}))
    door.run(Row("GET", f"/v1/uploads/{op['uploadId']}", mine, status=410))
    door.run(Row("GET", where, door.key("other"), status=404))


# ---------------------------------------------------------------- assets


def test_the_asset(door, mine, op):
    asset = door.run(Row("GET", op["resourceUrl"], mine)).get_json()
    assert asset == {
        "id": op["resourceUrl"].rpartition("/")[2],
        "filename": "image.png",
        "state": "ready",
        "digest": f"sha256:{SHA}",
        "size": len(picture()),
        "storedBytes": len(picture()),
        "mediaType": "image/png",
        "width": 8,
        "height": 6,
        "frames": 1,
        "orientation": 1,
        "trailingBytes": 0,
        "kept": False,
        "usage": None,
        "uploadId": op["uploadId"],
        "contentUrl": f"{op['resourceUrl']}/content",
        "createdAt": asset["createdAt"],
        "updatedAt": asset["updatedAt"],
        "expiresAt": asset["expiresAt"],
    }
    etag = door.run(Row("GET", op["resourceUrl"], mine)).headers["ETag"]
    door.run(Row("GET", op["resourceUrl"], mine | {"If-None-Match": etag}, status=304))


@pytest.mark.parametrize(
    ("body", "status", "shows"),
    [
        ({"keep": True}, 200, {"kept": True, "usage": None, "expiresAt": None}),
        ({"usage": "page 3"}, 200, {"kept": True, "usage": "page 3"}),
        ({"keep": True, "usage": "page 3"}, 200, {"usage": "page 3"}),
        ({"keep": False}, 422, {"code": "invalid"}),
        ({"usage": ""}, 422, {"code": "invalid"}),
        ({"usage": 5}, 422, {"code": "invalid"}),
        ({}, 422, {"code": "invalid"}),
        ({"keep": True, "for": "ever"}, 422, {"code": "invalid"}),
        (b"{", 400, {"code": "bad_request"}),
        (b"", 400, {"code": "bad_request"}),
    ],
)
def test_keep(door, mine, op, body, status, shows):
    door.run(Row("PATCH", op["resourceUrl"], mine, body, status, shows=shows))
    door.pass_time(25 * 3600)
    door.sweep()
    door.run(Row("GET", op["resourceUrl"], mine, status=200 if status == 200 else 410))


def test_one_usage_only(door, mine, op):
    for _ in range(2):
        door.run(Row("PATCH", op["resourceUrl"], mine, {"usage": "page 3"}))
    door.run(Row("PATCH", op["resourceUrl"], mine, {"keep": True}, shows={"usage": "page 3"}))
    door.run(Row("PATCH", op["resourceUrl"], mine, {"usage": "page 4"}, 409, PROBLEM, {"code": "already_in_use"}))


def test_delete(door, mine, op, content):
    door.run(Row("DELETE", op["resourceUrl"], mine, status=204))
    for _ in range(2):
        for method, path in (("GET", op["resourceUrl"]), ("GET", content), ("DELETE", op["resourceUrl"])):
            door.run(Row(method, path, mine, status=410, sends=PROBLEM, shows={"code": "gone"}))
        door.sweep()
    door.run(Row("PATCH", op["resourceUrl"], mine, {"keep": True}, 410))


def test_an_asset_that_nobody_kept_is_gone_after_24_hours(door, mine, op, content):
    door.pass_time(86400 + 1)
    for _ in range(2):
        door.run(Row("GET", op["resourceUrl"], mine, status=410, sends=PROBLEM, shows={"code": "gone"}))
        door.run(Row("GET", content, mine, status=410))
        door.sweep()
    door.run(Row("GET", op["resourceUrl"], door.key("other"), status=404))


def test_another_tenants_asset_is_unknown(door, mine, op, content):
    stranger = door.key("other", "admin")
    rows = [
        ("GET", op["resourceUrl"], None),
        ("GET", content, None),
        ("PATCH", op["resourceUrl"], {"keep": True}),
        ("DELETE", op["resourceUrl"], None),
    ]
    for method, path, body in rows:
        door.run(Row(method, path, stranger, body, 404, PROBLEM, {"code": "not_found"}))


# ---------------------------------------------------------------- bytes out


WHOLE = len(picture())
ETAG = f'"{SHA}"'


@pytest.mark.parametrize(
    ("headers", "status", "span", "sends"),
    [
        ({}, 200, (0, WHOLE), {"Accept-Ranges": "bytes", "Content-Range": None}),
        ({"Range": "bytes=0-9"}, 206, (0, 10), {"Content-Range": f"bytes 0-9/{WHOLE}", "Content-Length": "10"}),
        ({"Range": "bytes=10-"}, 206, (10, WHOLE), {"Content-Range": f"bytes 10-{WHOLE - 1}/{WHOLE}"}),
        ({"Range": "bytes=-5"}, 206, (WHOLE - 5, WHOLE), {"Content-Length": "5"}),
        ({"Range": "bytes=-99999"}, 206, (0, WHOLE), {}),
        ({"Range": "bytes=5-99999"}, 206, (5, WHOLE), {}),
        ({"Range": "bytes=0-1,4-5"}, 200, (0, WHOLE), {}),
        ({"Range": "lines=0-1"}, 200, (0, WHOLE), {}),
        ({"Range": "bytes=x"}, 200, (0, WHOLE), {}),
        ({"Range": "bytes=0-9", "If-Range": ETAG}, 206, (0, 10), {}),
        ({"Range": "bytes=0-9", "If-Range": '"other"'}, 200, (0, WHOLE), {}),
        ({"Range": "bytes=0-9", "If-Range": "Sun, 31 Jan 2027 00:00:00 GMT"}, 200, (0, WHOLE), {}),
        ({"If-None-Match": ETAG}, 304, (0, 0), {"ETag": ETAG}),
        ({"If-None-Match": f'"other", W/{ETAG}'}, 304, (0, 0), {}),
        ({"If-None-Match": "*"}, 304, (0, 0), {}),
        ({"If-None-Match": '"other"'}, 200, (0, WHOLE), {}),
        ({"If-None-Match": ETAG, "Range": "bytes=0-9"}, 304, (0, 0), {}),
    ],
)
def test_bytes_out(door, mine, content, headers, status, span, sends):
    answer = door.run(Row("GET", content, mine | headers, status=status, sends={"ETag": ETAG} | sends))
    assert answer.get_data() == picture()[span[0] : span[1]]


@pytest.mark.parametrize("wanted", [f"bytes={WHOLE}-", "bytes=99999-100000"])
def test_a_range_outside(door, mine, content, wanted):
    sends = PROBLEM | {"Content-Range": f"bytes */{WHOLE}"}
    door.run(Row("GET", content, mine | {"Range": wanted}, status=416, sends=sends, shows={"code": "range_not_satisfiable", "size": WHOLE}))


def test_head(door, mine, content):
    answer = door.run(Row("HEAD", content, mine, sends={"Content-Length": str(WHOLE), "ETag": ETAG, "Content-Type": "image/png"}))
    assert answer.get_data() == b""


def test_never_executable_in_a_browser(door, mine, content):
    sends = {
        "Content-Type": "image/png",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": lambda v: "default-src 'none'" in v and "sandbox" in v,
        "Content-Disposition": 'attachment; filename="image.png"',
        "Repr-Digest": digest_field(picture()),
    }
    door.run(Row("GET", content, mine, sends=sends))


def test_a_file_that_may_carry_a_script_is_only_bytes(open_door):
    door = open_door(SLIPWAY_V1_MEDIA_TYPES="*/*", SLIPWAY_V1_JUDGE="off")
    who = door.key()
    where = door.run(Row("POST", UPLOADS, who | {"Content-Type": "text/html"}, b"<script>alert(1)</script>", 202)).headers["Location"]
    asset = door.run(Row("GET", where, who, shows={"status": "completed"})).get_json()["resourceUrl"]
    door.run(Row("GET", asset + "/content", who, sends={"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"}))


@pytest.mark.parametrize("name", ["ф.png", 'a"b.png', "a b.png", "100%.png"])
def test_the_name_of_a_download(door, mine, name):
    up = door.run(Row("POST", UPLOADS, mine, {"filename": name}, 202)).get_json()
    door.run(Row("PUT", up["upload"]["uploadUrl"], {}, picture(), 202))
    asset = door.run(Row("GET", f"/v1/operations/{up['id']}", mine)).get_json()["resourceUrl"]
    header = door.run(Row("GET", asset + "/content", mine)).headers["Content-Disposition"]
    assert header.isascii()
    assert header.startswith("attachment")
    told = unquote(header.partition("filename*=UTF-8''")[2]) or header.partition('filename="')[2].rstrip('"')
    assert told == name


# ---------------------------------------------------------------- ours


@pytest.mark.parametrize(
    ("part", "call", "fault"), [("records", "commit", RecordsDown), ("records", "get", RecordsDown), ("store", "write", StoreDown)]
)
def test_503_says_when_to_come_back(door, mine, monkeypatch, part, call, fault):
    def down(*_, **__):
        raise fault("away")

    sends = PROBLEM | {"Retry-After": lambda v: int(v) > 0}
    with monkeypatch.context() as patch:
        patch.setattr(type(getattr(door.house, part)), call, down)
        door.run(Row("POST", UPLOADS, mine | PNG, picture(), 503, sends, {"code": "unavailable"}))
    door.run(Row("POST", UPLOADS, mine | PNG, picture(), 202))


def test_500_has_an_id_and_no_trace(door, mine, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(door.room.records), "commit", broken)
    answer = door.run(Row("POST", UPLOADS, mine | PNG, picture(), 500, PROBLEM, {"code": "internal", "errorId": bool}))
    assert b"secret" not in answer.get_data()
    assert b"Zero" not in answer.get_data()


@pytest.mark.parametrize(("method", "path"), [("PUT", UPLOADS), ("GET", UPLOADS), ("POST", "/v1/assets/x"), ("PATCH", "/v1/operations/x")])
def test_405(door, mine, method, path):
    door.run(Row(method, path, mine, status=405, sends=PROBLEM | {"Allow": bool}, shows={"code": "method_not_allowed"}))


def test_the_public_base_is_in_every_url(open_door):
    door = open_door(SLIPWAY_PUBLIC_URL="https://up.example/base")
    who = door.key()
    answer = door.run(Row("POST", UPLOADS, who, {"filename": "a.png"}, 202))
    up = answer.get_json()["upload"]
    for url in (answer.headers["Location"], up["url"], up["uploadUrl"], up["completeUrl"]):
        assert url.startswith("https://up.example/base/")
    door.run(Row("PUT", up["uploadUrl"].removeprefix("https://up.example/base"), {}, picture(), 202))


def test_a_token_of_a_client_speaks_here_too(door):
    client_id, secret = door.client_of()
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
    given = door.client.post("/wdesk/oauth2/token", data=form).get_json()["access_token"]
    door.run(Row("POST", UPLOADS, bearer(given) | PNG, picture(), 202))


@pytest.mark.parametrize("host", ["a b", "bad/host", "x@y", "", "[::1", "host:99999", "under_score:99999", "a,b", "münchen"])
def test_a_host_that_is_none_is_refused_before_anything_is_made(door, host):
    answer = door.client.post("/v1/uploads", headers={**door.key(), "Host": host}, json={"filename": "a.png"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")
    assert door.house.library.uploads(door.principal(), "v1") == []


@pytest.mark.parametrize("host", ["slipway.test", "[::1]:8080", "my_web:8080"])
def test_a_place_is_told_as_the_client_came(door, host):
    answer = door.client.post("/v1/uploads", headers={**door.key(), "Host": host}, json={"filename": "a.png"})
    assert answer.headers["Location"].startswith(f"http://{host}/v1/operations/")


@pytest.mark.parametrize(
    ("said", "kept"), [("Image/PNG", "image/png"), ("image/png; q=1", "image/png"), ('image/png;a="b c"', "image/png")]
)
def test_a_media_type_is_read_as_http_has_it(door, said, kept):
    answer = door.client.post("/v1/uploads", headers=door.key(), json={"filename": "a.png", "mediaType": said})
    assert answer.get_json()["upload"]["mediaType"] == kept


def test_a_whole_windows_path_loses_its_drive(door):
    answer = door.client.post("/v1/uploads", headers=door.key(), json={"filename": "C:\\dir\\x.png"})
    assert answer.get_json()["upload"]["filename"] == "x.png"


def test_a_method_that_is_not_allowed_says_nothing_else(door):
    answer = door.client.put("/v1/uploads", headers=door.key())
    assert (answer.status_code, "what" in answer.get_json()) == (405, False)


# ---------------------------------------------------------------- bytes behind an image's end

BEHIND = b"a film, as phones put it behind a picture"
TRAILING = {
    # the policy's word -> the end, the warnings, the problem
    None: ("completed", None, None),
    "warn": ("completed", "trailing_bytes", None),
    "refuse": ("failed", None, "trailing_bytes"),
}


@pytest.mark.parametrize("word", TRAILING)
def test_bytes_behind_an_image(open_door, word):
    door = open_door(**({"SLIPWAY_V1_TRAILING": word} if word else {}))
    me = door.key()
    status, warned, refused = TRAILING[word]
    where = door.run(Row("POST", UPLOADS, me | PNG, picture() + BEHIND, 202)).headers["Location"]
    told = door.run(Row("GET", where, me, shows={"status": status})).get_json()
    assert [warning["code"] for warning in told.get("warnings", [])] == ([warned] if warned else [])
    assert told.get("problem", {}).get("code") == refused
    numbers = [each["trailing"] for each in [*told.get("warnings", []), told.get("problem")] if each]
    assert set(numbers) <= {len(BEHIND)}
    if not refused:
        door.run(Row("GET", told["resourceUrl"], me, shows={"trailingBytes": len(BEHIND), "width": bool}))

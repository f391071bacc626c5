"""The native door, announced uploads: JSON first, then one PUT or parts, then complete."""

from __future__ import annotations

import hashlib

import pytest

from tests.dialects.house import BASE, CHUNKED, Row, bearer, digest_field, has, says
from tests.dialects.pictures import picture

UPLOADS = "/v1/uploads"
MIB = 1024 * 1024
PART = 5 * MIB
PROBLEM = {"Content-Type": "application/problem+json"}
BIG = picture() + bytes(2 * PART)  # three parts; that no decoder would like it does not matter here


def announce(door, who, **wanted):
    return door.run(Row("POST", UPLOADS, who, {"filename": "a.png"} | wanted, 202)).get_json()["upload"]


def planned(door, who, **wanted):
    return announce(door, who, **({"size": len(BIG), "partSize": PART} | wanted))


def part_of(number: int) -> bytes:
    return BIG[(number - 1) * PART : number * PART]


def put(door, up, number, content=None, status=200, headers=None, environ=None, **shows):
    url = next(p["url"] for p in up["parts"] if p["number"] == number)
    content = part_of(number) if content is None else content
    return door.run(Row("PUT", url, headers or {}, content, status, shows=shows, environ=environ or {}))


# ---------------------------------------------------------------- announcing


@pytest.mark.parametrize(
    ("body", "status", "shows"),
    [
        (b"", 400, {"code": "bad_request"}),
        (b"{", 400, {"code": "bad_request"}),
        (b"[]", 400, {"code": "bad_request"}),
        (b"null", 400, {"code": "bad_request"}),
        (b'{"filename": "\\ud800"}', 400, {"code": "bad_request"}),
        (b"{}", 422, {"code": "invalid", "errors": says("filename")}),
        (b'{"filename": ""}', 422, {"errors": says("filename")}),
        (b'{"filename": 3, "size": "x", "more": 1}', 422, {"errors": says("filename", "size", "more")}),
        (b'{"filename": "a", "size": 0}', 422, {"errors": says("size")}),
        (b'{"filename": "a", "size": -1}', 422, {"errors": says("size")}),
        (b'{"filename": "a", "size": 1.5}', 422, {"errors": says("size")}),
        (b'{"filename": "a", "size": 75000001}', 413, {"code": "too_large"}),
        (b'{"filename": "a", "mediaType": "png"}', 422, {"errors": says("mediaType")}),
        (b'{"filename": "a", "mediaType": "text/html"}', 415, {"code": "unsupported_media_type"}),
        (b'{"filename": "a", "digest": "sha256:0"}', 422, {"errors": says("digest")}),
        (b'{"filename": "a", "digest": "sha256:' + b"0" * 64 + b'x"}', 422, {"errors": says("digest")}),
        (b'{"filename": "a", "mediaType": "image/png; x"}', 422, {"errors": says("mediaType")}),
        (b'{"filename": "a", "parts": 0}', 422, {"errors": says("parts")}),
        (b'{"filename": "a", "parts": "many"}', 422, {"errors": says("parts")}),
        (b'{"filename": "a", "partSize": 1}', 422, {"code": "invalid"}),
        (b'{"filename": "a", "partSize": 5368709121}', 422, {"code": "invalid"}),
    ],
)
def test_an_announcement_refused(door, mine, body, status, shows):
    door.run(Row("POST", UPLOADS, mine | {"Content-Type": "application/json"}, body, status, PROBLEM, shows))


@pytest.mark.parametrize(
    ("wanted", "numbers", "part_size"),
    [
        ({"size": 20 * MIB, "partSize": PART}, [1, 2, 3, 4], PART),
        ({"size": 20 * MIB, "parts": True}, [1, 2, 3], 8 * MIB),
        ({"size": 20 * MIB, "parts": 2}, [1, 2], 10 * MIB),
        ({"size": 20 * MIB, "parts": 100}, [1, 2, 3, 4], PART),
        ({"size": 1, "parts": True}, [1], 8 * MIB),
        ({"parts": True}, [], 8 * MIB),
    ],
)
def test_a_plan(door, mine, wanted, numbers, part_size):
    up = announce(door, mine, **wanted)
    assert [p["number"] for p in up["parts"]] == numbers
    assert up["partSize"] == part_size
    assert [p["offset"] for p in up["parts"]] == [(n - 1) * part_size for n in numbers]
    assert sum(p["size"] for p in up["parts"]) == (wanted.get("size", 0) if numbers else 0)


def test_an_announcement_names_its_urls(door, mine):
    answer = door.run(Row("POST", UPLOADS, mine, {"filename": "a.png"}, 202)).get_json()
    up = answer["upload"]
    assert answer["id"] == up["operationId"]
    assert answer["status"] == "acknowledged"
    assert (up["url"], up["completeUrl"]) == (f"{BASE}/v1/uploads/{up['id']}", f"{BASE}/v1/uploads/{up['id']}/complete")
    assert up["uploadUrl"].startswith(f"{BASE}/transfers/acme/{up['id']}?")


# ---------------------------------------------------------------- one PUT


def test_one_put_all_the_way(door, mine):
    up = announce(door, mine, size=len(picture()), mediaType="image/png", digest="sha256:" + hashlib.sha256(picture()).hexdigest())
    answer = door.run(Row("PUT", up["uploadUrl"], {}, picture(), 202))
    assert answer.headers["Location"] == f"{BASE}/v1/operations/{up['operationId']}"
    door.run(Row("GET", answer.headers["Location"], mine, shows={"status": "completed"}))
    door.run(Row("PUT", up["uploadUrl"], {}, picture(), 409, PROBLEM, {"code": "upload_finished"}))


def test_the_digest_that_was_announced_is_compared_by_the_worker(door, mine):
    up = announce(door, mine, digest="sha256:" + "0" * 64)
    door.run(Row("PUT", up["uploadUrl"], {}, picture(), 202))
    door.run(Row("GET", f"/v1/operations/{up['operationId']}", mine, shows={"status": "failed", "problem": has(code="digest_mismatch")}))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda url: url.replace("signature=", "signature=0"), 403, "link_invalid"),
        (lambda url: url.partition("?")[0], 403, "link_invalid"),
        (lambda url: url.replace("expires=", "expires=9"), 403, "link_invalid"),
        (lambda url: url.replace("/acme/", "/other/"), 403, "link_invalid"),
    ],
)
def test_a_link_that_we_did_not_make(door, mine, change, status, code):
    up = announce(door, mine)
    door.run(Row("PUT", change(up["uploadUrl"]), {}, picture(), status, PROBLEM, {"code": code}))


def test_a_link_past_its_deadline(door, mine):
    up = announce(door, mine)
    door.pass_time(602)
    door.run(Row("PUT", up["uploadUrl"], {}, picture(), 403, PROBLEM, {"code": "link_invalid"}))
    door.run(Row("GET", up["url"], mine, status=410, sends=PROBLEM, shows={"code": "upload_expired"}))
    door.sweep()
    door.run(Row("GET", up["url"], mine, status=410, sends=PROBLEM, shows={"code": "upload_expired"}))
    failed = {"status": "failed", "problem": has(code="upload_expired")}
    door.run(Row("GET", f"/v1/operations/{up['operationId']}", mine, shows=failed))


@pytest.mark.parametrize(
    ("size", "body", "environ", "status", "code"),
    [
        (None, b"", {}, 400, "empty_body"),
        (None, b"x", {"CONTENT_LENGTH": "75000001"}, 413, "too_large"),
        (10, bytes(11), {}, 413, "too_large"),
        (10, bytes(11), CHUNKED, 413, "too_large"),
        (10, bytes(9), {}, 409, "offset_mismatch"),
    ],
)
def test_a_put_refused_may_be_sent_again(door, mine, size, body, environ, status, code):
    up = announce(door, mine, **({"size": size} if size else {}))
    door.run(Row("PUT", up["uploadUrl"], {}, body, status, PROBLEM, {"code": code}, environ))
    door.run(Row("PUT", up["uploadUrl"], {}, bytes(size or 5), 202))


def test_the_next_bytes_with_content_range(door, mine):
    whole = picture()
    up = announce(door, mine, size=len(whole))
    door.run(Row("PUT", up["uploadUrl"], {"Content-Range": f"bytes 0-9/{len(whole)}"}, whole[:10], 204, {"Upload-Offset": "10"}))
    door.run(Row("GET", up["url"], mine, shows={"offset": 10, "state": "open"}))
    gap = {"Content-Range": f"bytes 20-29/{len(whole)}"}
    door.run(Row("PUT", up["uploadUrl"], gap, whole[20:30], 409, PROBLEM, {"code": "offset_mismatch", "offset": 10}))
    door.run(Row("PUT", up["uploadUrl"], {"Content-Range": "bytes x"}, whole[10:20], 400, PROBLEM, {"code": "bad_request"}))
    door.run(Row("PUT", up["uploadUrl"], {"Content-Range": "bytes 10-19/7777"}, whole[10:20], 400, PROBLEM, {"code": "bad_request"}))
    wrong = {"Content-Range": f"bytes 10-19/{len(whole)}", "Content-Digest": digest_field(b"other")}
    door.run(Row("PUT", up["uploadUrl"], wrong, whole[10:20], 400, PROBLEM, {"code": "digest_mismatch"}))
    door.run(Row("GET", up["url"], mine, shows={"offset": 10}))
    rest = {"Content-Range": f"bytes 10-{len(whole) - 1}/{len(whole)}"}
    done = door.run(Row("PUT", up["uploadUrl"], rest, whole[10:], 202))
    door.run(Row("GET", done.headers["Location"], mine, shows={"status": "completed"}))


def test_a_content_range_must_fit_its_body(door, mine):
    up = announce(door, mine, size=20)
    door.run(Row("PUT", up["uploadUrl"], {"Content-Range": "bytes 0-9/20"}, bytes(12), 400, PROBLEM, {"code": "bad_request"}))
    door.run(Row("GET", up["url"], mine, shows={"offset": 0}))


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_parts_all_the_way(door, mine, order):
    up = planned(door, mine)
    for number in order:
        assert put(door, up, number).headers["ETag"]
    held = door.run(Row("GET", up["url"], mine, sends={"Cache-Control": "no-store"})).get_json()["parts"]
    assert [(p["number"], p["offset"], p["size"]) for p in held] == [(n, (n - 1) * PART, len(part_of(n))) for n in (1, 2, 3)]
    door.run(Row("POST", up["completeUrl"], mine, {"parts": [{"number": p["number"], "etag": p["etag"]} for p in held]}, 202))
    door.run(Row("GET", f"/v1/operations/{up['operationId']}", mine, shows={"progress": has(total=len(BIG))}))


def test_a_picture_in_parts(door, mine):
    up = announce(door, mine, size=len(picture()), parts=True)
    put(door, up, 1, picture())
    where = door.run(Row("POST", up["completeUrl"], mine, status=202)).headers["Location"]
    asset = door.run(Row("GET", where, mine)).get_json()["resourceUrl"]
    assert door.run(Row("GET", f"{asset}/content", mine)).get_data() == picture()


@pytest.mark.parametrize(
    ("number", "content", "environ", "status", "code"),
    [
        (1, bytes(PART - 1), {}, 422, "part_size"),
        (1, bytes(PART + 1), {}, 422, "part_size"),
        (1, bytes(PART - 1), CHUNKED, 422, "part_size"),
        (1, bytes(PART + 1), CHUNKED, 422, "part_size"),
        (3, b"", {}, 422, "part_size"),
        (3, part_of(3) + b"x", {}, 422, "part_size"),
        (3, part_of(3), {"CONTENT_LENGTH": str(len(part_of(3)) + 1)}, 422, "part_size"),
        (3, part_of(3)[:-1], {"CONTENT_LENGTH": str(len(part_of(3)))}, 408, "timeout"),
    ],
)
def test_a_part_refused(door, mine, number, content, environ, status, code):
    up = planned(door, mine)
    put(door, up, number, content, status, environ=environ, code=code)
    door.run(Row("GET", up["url"], mine, shows={"parts": []}))


def test_a_part_outside_of_the_plan(door, mine):
    up = planned(door, mine)
    for number in (0, 4):
        path = f"/transfers/acme/{up['id']}/parts/{number}"
        url = door.house.signer.sign("PUT", path, door.room.records.now() + 60)
        door.run(Row("PUT", url, {}, b"x", 404, PROBLEM, {"code": "part_unknown"}))
    door.run(Row("POST", f"{up['url']}/parts", mine, {"numbers": [4]}, 404, PROBLEM, {"code": "part_unknown"}))


def test_a_part_again(door, mine):
    up = planned(door, mine)
    put(door, up, 3)
    put(door, up, 3)
    other = put(door, up, 3, bytes(len(part_of(3))))
    assert len(door.run(Row("GET", up["url"], mine)).get_json()["parts"]) == 1
    [held] = door.run(Row("GET", up["url"], mine)).get_json()["parts"]
    assert f'"{held["etag"]}"' == other.headers["ETag"]


@pytest.mark.parametrize(
    ("digest", "status"),
    [(digest_field(part_of(3)), 200), (digest_field(b"other"), 400), ("sha-256=nonsense", 400)],
)
def test_the_digest_of_a_part(door, mine, digest, status):
    up = planned(door, mine)
    put(door, up, 3, status=status, headers={"Content-Digest": digest})
    held = door.run(Row("GET", up["url"], mine)).get_json()["parts"]
    assert len(held) == (1 if status == 200 else 0)


def test_complete_lists_what_is_missing(door, mine):
    up = planned(door, mine)
    missing = {"code": "parts_missing", "missing": [1, 2, 3]}
    door.run(Row("POST", up["completeUrl"], mine, status=409, sends=PROBLEM, shows=missing))
    put(door, up, 2)
    door.run(Row("POST", up["completeUrl"], mine, status=409, shows=missing | {"missing": [1, 3]}))
    door.run(Row("GET", up["url"], mine, shows={"state": "open"}))


@pytest.mark.parametrize(
    ("body", "status", "shows"),
    [
        (b"{", 400, {"code": "bad_request"}),
        (b'{"parts": [{"number": 1}]}', 422, {"errors": says("parts.0.etag")}),
        (b'{"parts": [{"number": 0, "etag": "x"}]}', 422, {"errors": says("parts.0.number")}),
        (b'{"others": 1}', 422, {"errors": says("others")}),
        (b'{"parts": [{"number": 1, "etag": "other"}]}', 409, {"code": "parts_missing", "missing": [1]}),
    ],
)
def test_complete_refused(door, mine, body, status, shows):
    up = announce(door, mine, size=len(picture()), parts=True)
    put(door, up, 1, picture())
    door.run(Row("POST", up["completeUrl"], mine | {"Content-Type": "application/json"}, body, status, PROBLEM, shows))


def test_complete_twice_is_one_operation(door, mine):
    door.jobs.hold = True
    up = announce(door, mine, size=len(picture()), parts=True)
    put(door, up, 1, picture())
    for status in ("queued", "queued"):
        answer = door.run(Row("POST", up["completeUrl"], mine, status=202, shows={"id": up["operationId"], "status": status}))
        assert answer.headers["Location"].endswith(up["operationId"])
    put(door, up, 1, picture(), status=409, code="upload_finished")
    door.run(Row("POST", f"{up['url']}/parts", mine, {"numbers": [1]}, 409, PROBLEM, {"code": "upload_finished"}))
    door.jobs.run(times=2)
    door.run(Row("POST", up["completeUrl"], mine, status=202, shows={"id": up["operationId"], "status": "completed"}))


def test_complete_of_nothing(door, mine):
    up = announce(door, mine)
    door.run(Row("POST", up["completeUrl"], mine, status=400, sends=PROBLEM, shows={"code": "empty_body"}))


def test_parts_of_a_file_whose_size_is_told_by_its_parts(door, mine):
    up = announce(door, mine, parts=True, partSize=PART)
    urls = door.run(Row("POST", f"{up['url']}/parts", mine, {"numbers": [1, 2]})).get_json()["parts"]
    assert [(p["number"], p["offset"]) for p in urls] == [(1, 0), (2, PART)]
    door.run(Row("PUT", urls[1]["url"], {}, b"the last and short"))
    door.run(Row("POST", up["completeUrl"], mine, status=409, shows={"code": "parts_missing", "missing": [1]}))
    door.run(Row("PUT", urls[0]["url"], {}, bytes(PART)))
    door.run(Row("POST", up["completeUrl"], mine, status=202, shows={"progress": bool}))


def test_fresh_urls_for_what_is_missing(door, mine):
    up = planned(door, mine)
    put(door, up, 1)
    fresh = door.run(Row("POST", up["partsUrl"], mine)).get_json()["parts"]
    assert [p["number"] for p in fresh] == [2, 3]
    door.run(Row("PUT", fresh[1]["url"], {}, part_of(3)))


# ---------------------------------------------------------------- giving up


def test_delete_an_upload(door, mine):
    up = planned(door, mine)
    put(door, up, 1)
    door.run(Row("DELETE", up["url"], mine, status=204))
    door.run(Row("GET", up["url"], mine, status=410, sends=PROBLEM, shows={"code": "upload_cancelled"}))
    door.run(Row("DELETE", up["url"], mine, status=410))
    put(door, up, 2, status=410, code="upload_cancelled")
    door.run(Row("GET", f"/v1/operations/{up['operationId']}", mine, shows={"status": "cancelled"}))
    assert not list(door.house.store.staged_before(-1.0))


def test_delete_an_upload_that_is_done(door, mine):
    up = announce(door, mine)
    door.run(Row("PUT", up["uploadUrl"], {}, picture(), 202))
    door.run(Row("DELETE", up["url"], mine, status=409, sends=PROBLEM, shows={"code": "operation_final"}))


@pytest.mark.parametrize(
    ("method", "below"),
    [("GET", ""), ("DELETE", ""), ("POST", "/parts"), ("POST", "/complete")],
)
def test_another_tenants_upload_is_unknown(door, mine, method, below):
    up = planned(door, mine)
    stranger = bearer(door.access.add_key("other", "admin")[0])
    for path in (f"/v1/uploads/{up['id']}{below}", f"/v1/uploads/none{below}"):
        door.run(Row(method, path, stranger, status=404, sends=PROBLEM, shows={"code": "not_found"}))

"""Runs of a file by Content-Range, deadlines before the sweep, and conditions in their order."""

import pytest

from tests.services.pictures import photo

PICTURE = photo()
TOTAL = len(PICTURE)


@pytest.fixture
def key(door):
    return door.key()


def announced(door, key):
    return door.send("POST", "/v1/uploads", key, {"filename": "a.jpg"}).get_json()["upload"]


def run(door, upload, first, last, total):
    return door.send("PUT", upload["uploadUrl"], {"Content-Range": f"bytes {first}-{last}/{total}"}, PICTURE[first : last + 1])


def test_a_total_over_the_limit_is_refused_with_the_first_run(door, key):
    upload = announced(door, key)
    assert run(door, upload, 0, 99, 99_999_999_999).status_code == 413
    assert door.send("GET", upload["url"], key).get_json()["offset"] == 0


def test_a_total_is_kept_to(door, key):
    upload = announced(door, key)
    assert run(door, upload, 0, 99, TOTAL).status_code == 204
    assert door.send("POST", upload["completeUrl"], key).status_code == 409
    assert run(door, upload, 100, 199, 200).status_code == 400
    assert run(door, upload, 100, TOTAL - 1, TOTAL).status_code == 202


def test_a_deadline_counts_before_the_sweep(door, key):
    upload = announced(door, key)
    door.pass_time(601)
    for method, path in (("GET", upload["url"]), ("POST", upload["completeUrl"]), ("DELETE", upload["url"])):
        answer = door.send(method, path, key)
        assert (answer.status_code, answer.get_json()["code"]) == (410, "upload_expired")


@pytest.mark.parametrize("keep", ["yes", 1, False, None])
def test_keep_is_true_or_nothing(door, key, keep):
    done = door.send("GET", door.send("POST", "/v1/uploads", key, PICTURE).headers["Location"], key).get_json()
    answer = door.send("PATCH", done["resourceUrl"], key, {"keep": keep})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
    assert not door.send("GET", done["resourceUrl"], key).get_json()["kept"]


def test_what_the_client_has_is_304_whatever_range_it_asks_for(door, key):
    done = door.send("GET", door.send("POST", "/v1/uploads", key, PICTURE).headers["Location"], key).get_json()
    etag = door.send("GET", done["resourceUrl"] + "/content", key).headers["ETag"]
    assert door.send("GET", done["resourceUrl"] + "/content", {**key, "If-None-Match": etag, "Range": "bytes=999999-"}).status_code == 304

"""Files that nginx sends itself: which answers say where, and which stay ours. What nginx makes of them is seen in tests/live/test_nginx.py."""

from __future__ import annotations

import pytest

from tests.dialects.house import BASE, Row
from tests.dialects.pictures import picture

PLACE = "X-Accel-Redirect"


@pytest.fixture
def accelerated(open_door, tmp_path):
    """A door over a folder, with an asset: the door, who has the asset, where its bytes are."""
    door = open_door(SLIPWAY_STORE=f"file://{tmp_path}/store", SLIPWAY_ACCEL="/_store")
    who = door.key()
    return door, who, bytes_of(door, who)


def bytes_of(door, who):
    op = door.run(Row("POST", "/v1/uploads", who | {"Content-Type": "image/png"}, picture(), 202)).get_json()
    done = door.run(Row("GET", f"/v1/operations/{op['id']}", who, shows={"status": "completed"})).get_json()
    return f"{done['resourceUrl'].removeprefix(BASE)}/content"


def test_the_place_is_that_of_the_bytes_and_the_headers_are_those_of_the_whole(accelerated, tmp_path):
    door, who, where = accelerated
    got = door.run(Row("GET", where, who))
    head = door.run(Row("HEAD", where, who, sends={PLACE: None, "Content-Length": str(len(picture()))}))
    place = got.headers[PLACE]
    assert got.get_data() == b""
    assert place.startswith("/_store/blobs/acme/")
    assert (tmp_path / "store" / place.removeprefix("/_store/")).read_bytes() == picture()
    other = {"Content-Length", "Accept-Ranges", "RateLimit", PLACE}
    assert {name: v for name, v in got.headers if name not in other} == {name: v for name, v in head.headers if name not in other}


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=1-", "bytes=-3", "bytes=0-999999999999999999"])
def test_one_plain_range_is_nginx_s(accelerated, value):
    door, who, where = accelerated
    got = door.run(Row("GET", where, who | {"Range": value}, sends={"Content-Range": None}))
    assert PLACE in got.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=0-1,3-4"}, 200),
        ({"Range": "bytes=x"}, 200),
        ({"Range": "bytes=5-2"}, 200),
        ({"Range": "bytes=0-99999999999999999999"}, 206),
        ({"Range": "bytes =0-1"}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"another"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": "Sat, 29 Oct 1994 19:43:31 GMT"}, 200),
        ({"If-Match": '"anything"'}, 412),
        ({"If-Unmodified-Since": "Sat, 29 Oct 1994 19:43:31 GMT"}, 200),
        ({"If-None-Match": "*"}, 304),
        ({"Range": "bytes=999999-"}, 416),
    ],
)
def test_what_nginx_would_judge_otherwise_stays_ours(accelerated, headers, status):
    door, who, where = accelerated
    got = door.run(Row("GET", where, who | headers, status=status, sends={PLACE: None}))
    if status == 200:
        assert got.get_data() == picture()


def test_nobody_is_told_the_place_who_may_not_have_the_bytes(accelerated):
    door, _, where = accelerated
    door.run(Row("GET", where, status=401, sends={PLACE: None}))
    door.run(Row("GET", where, door.key("other"), status=404, sends={PLACE: None}))


def test_what_is_gone_from_the_store_is_gone(accelerated, tmp_path):
    door, who, where = accelerated
    for file in (tmp_path / "store/blobs").rglob("*"):
        if file.is_file():
            file.unlink()
    door.run(Row("GET", where, who, status=410, sends={PLACE: None}))


def test_a_store_without_files_and_a_house_without_nginx_send_themselves(open_door, tmp_path):
    for wanted in ({"SLIPWAY_ACCEL": "/_store"}, {"SLIPWAY_STORE": f"file://{tmp_path}/store"}):
        door = open_door(**wanted)
        who = door.key()
        assert door.run(Row("GET", bytes_of(door, who), who, sends={PLACE: None})).get_data() == picture()

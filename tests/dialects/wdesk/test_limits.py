"""The Wdesk door: ten minutes, twenty-four hours, one use. The clock is moved, not the limits."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.dialects.house import Row, says
from tests.dialects.pictures import picture
from tests.dialects.wdesk.speak import FAMILIES, image_of, initiate, refusal, slowly, token, uploaded


def test_ten_minutes_and_not_a_second_more(door, mine):
    in_time, late = initiate(door, mine), initiate(door, mine)
    door.pass_time(590)
    door.run(Row("PUT", in_time["uploadUrl"], token(door), picture()))
    door.pass_time(11)
    door.run(Row("PUT", late["uploadUrl"], token(door), picture(), 409, shows=refusal(409, "deadline")))
    door.sweep()
    who = token(door)
    door.run(Row("GET", in_time["operationLocation"], who, shows={"status": "completed"}))
    failed = {"status": "failed", "resourceUrl": None, "details": says("UploadExpired", "deadline")}
    door.run(Row("GET", late["operationLocation"], who, sends={"Retry-After": None}, shows=failed))
    door.run(Row("PUT", late["uploadUrl"], who, picture(), 409, shows=refusal(409)))


def test_a_put_that_runs_past_the_ten_minutes_is_cut(door):
    who = token(door)
    promise = initiate(door, who)
    answer = slowly(door, promise, who, picture(), lambda: door.pass_time(601))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "409Conflict")
    door.sweep()
    door.run(Row("GET", promise["operationLocation"], token(door), shows={"status": "failed"}))


def test_the_image_is_gone_after_24_hours_from_completion(door, mine):
    image = image_of(door, mine, uploaded(door, mine))
    where = f"/wdesk/content/images/{image}"
    download = door.run(Row("GET", where, mine)).get_json()["downloadUrl"]
    door.pass_time(24 * 3600 - 5)
    door.run(Row("GET", where, token(door)))
    door.pass_time(10)
    for sweep in (lambda: None, door.sweep, lambda: door.pass_time(1000), door.sweep):
        sweep()
        who = token(door)
        door.run(Row("GET", where, who, status=404, shows=refusal(404)))
        door.run(Row("GET", download, who, status=404, shows=refusal(404)))
        door.run(Row("PATCH", where, who, {"usage": "late"}, 404))


@FAMILIES
def test_used_images_stay(door, mine, family):
    image = image_of(door, mine, uploaded(door, mine))
    where = f"{family}/content/images/{image}"
    shown = door.run(Row("PATCH", where, mine, {"usage": "document 7, figure 1"})).get_json()
    assert shown == door.run(Row("GET", where, mine)).get_json()
    door.run(Row("PATCH", where, mine, {"usage": "document 7, figure 1"}))
    door.run(Row("PATCH", where, mine, {"usage": "another place"}, 409, shows=refusal(409, "used")))
    door.pass_time(48 * 3600)
    door.sweep()
    door.run(Row("GET", where, token(door)))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"usage": ""}', b'{"usage": 1}', b'{"usage": "' + b"u" * 513 + b'"}'])
def test_a_use_that_names_none(door, mine, body):
    image = image_of(door, mine, uploaded(door, mine))
    door.run(Row("PATCH", f"/wdesk/content/images/{image}", mine, body, 400, shows=refusal(400)))


def test_the_native_door_keeps_the_image_too(door, mine):
    image = UUID(image_of(door, mine, uploaded(door, mine)))
    door.run(Row("PATCH", f"/v1/assets/{image}", mine, {"usage": "elsewhere"}, shows={"kept": True}))
    door.run(Row("PATCH", f"/wdesk/content/images/{image.hex}", mine, {"usage": "here"}, 409))


def test_equal_bytes_twice_are_two_images(door, mine):
    first, second = (image_of(door, mine, uploaded(door, mine)) for _ in range(2))
    assert first != second
    door.run(Row("PATCH", f"/wdesk/content/images/{first}", mine, {"usage": "kept"}))
    door.pass_time(25 * 3600)
    door.sweep()
    door.pass_time(1000)
    door.sweep()
    who = token(door)
    door.run(Row("GET", f"/wdesk/content/images/{second}", who, status=404))
    got = door.run(Row("GET", f"/wdesk/content/images/{first}", who)).get_json()["downloadUrl"]
    assert door.run(Row("GET", got, who)).get_data() == picture()

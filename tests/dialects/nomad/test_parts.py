"""Parts at their URLs, confirmed by their ETags; complete, cancel, and the lists of uploads."""

import uuid

import pytest

from app.core.errors import Code, problem
from app.core.policy import DAY
from app.records import keys
from tests.dialects.house import Row, has
from tests.dialects.nomad.speak import (
    API,
    CHUNK,
    MINE,
    SOME_ID,
    UPLOAD,
    asset,
    begin,
    complete,
    confirm,
    content_of,
    mine,
    put,
    send_parts,
    uploaded,
    user,
)
from tests.dialects.nomad.speak import problem as refused
from tests.dialects.pictures import picture

CONTENT = b"a" * CHUNK + b"b" * CHUNK + b"rest"


def state(door, who, begun):
    return [part["isCompleted"] for part in door.run(Row("GET", f"{MINE}/{begun['id']}", who)).get_json()]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0, 2, 1), (2, 0, 2, 1)])
def test_parts_come_in_any_order_and_again(door, anna, order):
    begun = begin(door, anna, len(CONTENT))
    for number in order:
        confirm(door, anna, begun["parts"][number], put(door, begun["parts"][number], CONTENT))
    complete(door, anna, begun, 200)
    assert content_of(door, anna, begun["assetId"]) == CONTENT


def test_a_part_that_is_sent_again_replaces_the_first(door, anna):
    begun = begin(door, anna, len(CONTENT))
    first = put(door, begun["parts"][0], b"c" * CHUNK)
    send_parts(door, anna, begun, CONTENT)
    confirm(door, anna, begun["parts"][0], first, 400)
    complete(door, anna, begun)
    assert content_of(door, anna, begun["assetId"]) == CONTENT


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK + 1])
def test_a_slice_of_another_length_is_refused_and_not_held(door, anna, length):
    begun = begin(door, anna, len(CONTENT))
    answer = door.send("PUT", begun["parts"][0]["url"], {}, b"x" * length)
    assert answer.status_code == 422
    assert "ETag" not in answer.headers
    assert state(door, anna, begun) == [False, False, False]


def test_the_last_part_is_as_long_as_the_rest(door, anna):
    begun = begin(door, anna, len(CONTENT))
    for length in (3, 5, CHUNK):
        assert door.send("PUT", begun["parts"][2]["url"], {}, b"x" * length).status_code == 422
    assert put(door, begun["parts"][2], CONTENT)


def test_a_part_url_is_good_for_its_own_part_and_until_the_upload_ends(door, anna):
    begun = begin(door, anna, len(CONTENT))
    one, two = begun["parts"][:2]
    assert door.send("PUT", one["url"].replace("/parts/1", "/parts/2"), {}, b"x" * CHUNK).status_code == 403
    assert door.send("GET", one["url"]).status_code == 405
    door.pass_time(DAY - 60)
    put(door, two, CONTENT)
    door.pass_time(120)
    assert door.send("PUT", one["url"], {}, b"x" * CHUNK).status_code in {403, 410}


def test_fresh_urls_are_as_good_as_the_first(door, anna):
    begun = begin(door, anna, 4)
    door.pass_time(10)
    fresh = door.run(Row("GET", f"{MINE}/{begun['id']}", anna)).get_json()
    put(door, fresh[0], b"rest")
    assert state(door, anna, begun) == [True]


# ---------------------------------------------------------------- confirmed


def test_the_etag_is_taken_as_the_put_gave_it_as_often_as_one_likes(door, anna):
    begun = begin(door, anna, 4)
    part = begun["parts"][0]
    etag = put(door, part, b"rest")
    assert etag[0] == etag[-1] == '"'
    for told in (etag, etag, etag.strip('"')):
        assert confirm(door, anna, part, told).get_data() == b""
    complete(door, anna, begun)
    confirm(door, anna, part, etag)
    confirm(door, anna, part, '"another"', 400)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "etag"),
        ({"etag": None}, "etag"),
        ({"etag": ""}, "etag"),
        ({"etag": '"another"'}, "etag"),
        ({"etag": 'W/"x"'}, "etag"),
        ({"etag": 7}, "etag"),
        ({"etag": ["x"]}, "etag"),
        ({"etag": "x" * 5000}, "etag"),
        ({"etag": "a\0b"}, "etag"),
        ([], "JSON"),
        (b"", "JSON"),
    ],
)
def test_an_etag_that_is_missing_or_wrong_is_400(standing, body, word):
    door, anna = standing
    begun = begin(door, anna, 4, option="continue")
    put(door, begun["parts"][0], b"rest")
    door.run(Row("POST", f"{UPLOAD}/part/{begun['parts'][0]['id']}/complete", anna, body, 400, shows=refused(400, word)))


def test_to_confirm_a_part_the_others_are_not_read(door, anna):
    begun = begin(door, anna, len(CONTENT))
    etags = [put(door, part, CONTENT) for part in begun["parts"]]
    table = keys.record(door.house.library.upload(door.principal(), begun["id"]).parts_ref)
    door._redis().hset(table, 2, "what nobody can read")
    confirm(door, anna, begun["parts"][0], etags[0])
    confirm(door, anna, begun["parts"][1], etags[1], 503)


def test_a_part_that_never_came_is_not_confirmed(door, anna):
    begun = begin(door, anna, len(CONTENT))
    put(door, begun["parts"][0], CONTENT)
    door.run(
        Row(
            "POST", f"{UPLOAD}/part/{begun['parts'][1]['id']}/complete", anna, {"etag": '"x"'}, 400, shows={"errors": ["part 2 is missing"]}
        )
    )


def test_a_part_of_what_was_cancelled_or_is_too_late_is_not_confirmed(door, anna):
    begun = begin(door, anna, 4)
    etag = put(door, begun["parts"][0], b"rest")
    door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel", anna))
    confirm(door, anna, begun["parts"][0], etag, 400)


@pytest.mark.parametrize(
    "part_id", [SOME_ID, "nonsense", "00000000-0000-0000-0000-000000000000", "x" * 300, "0190d6e5-0000-7000-8000-00000001ffff"]
)
def test_an_unknown_part_is_404(standing, part_id):
    door, anna = standing
    door.run(Row("POST", f"{UPLOAD}/part/{part_id}/complete", anna, {"etag": "x"}, 404, shows=refused(404)))


@pytest.mark.parametrize("number", [4, 0xFFFF])
def test_a_part_beyond_the_end_is_404(door, anna, number):
    begun = begin(door, anna, len(CONTENT))
    beyond = {"id": str(uuid.UUID(int=uuid.UUID(begun["id"]).int + number))}
    door.run(Row("POST", f"{UPLOAD}/part/{beyond['id']}/complete", anna, {"etag": "x"}, 404, shows=refused(404, str(number))))


# ---------------------------------------------------------------- complete


def test_complete_names_the_parts_that_are_missing(door, anna):
    begun = begin(door, anna, len(CONTENT))
    put(door, begun["parts"][1], CONTENT)
    door.run(
        Row(
            "POST",
            f"{UPLOAD}/{begun['id']}/complete",
            anna,
            None,
            400,
            shows={"errors": ["part 1 is missing", "part 3 is missing"], "status": 400},
        )
    )
    put(door, begun["parts"][0], CONTENT)
    put(door, begun["parts"][2], CONTENT)
    complete(door, anna, begun)


def test_complete_is_the_same_as_often_as_it_is_asked(door, anna):
    begun = begin(door, anna, 4)
    send_parts(door, anna, begun, b"rest")
    first, second = (complete(door, anna, begun).get_json() for _ in range(2))
    assert first == second == {"items": [{"id": begun["assetId"]}], "totalItemCount": 1}
    assert door.send("PUT", begun["parts"][0]["url"], {}, b"late").status_code == 409
    assert content_of(door, anna, begun["assetId"]) == b"rest"


def test_a_slice_that_was_sent_twice_is_warned_of_and_refuses_nothing(door, anna, caplog):
    content = b"a" * CHUNK + b"b" * CHUNK + b"a" * CHUNK + b"c" * CHUNK + b"b" * CHUNK
    begun = begin(door, anna, len(content))
    send_parts(door, anna, begun, content)
    warned = ["parts 1, 3 have the same bytes", "parts 2, 5 have the same bytes"]
    answer = complete(door, anna, begun).get_json()
    assert (answer["warnings"], answer["items"]) == (warned, [{"id": begun["assetId"]}])
    assert "parts have the same bytes" in caplog.text
    up = door.house.library.upload(door.principal(), begun["id"])
    door.run(Row("GET", f"{API}/operations/{up.operation_id}", anna, shows={"warnings": warned}))
    assert content_of(door, anna, begun["assetId"]) == content


def test_what_takes_longer_is_promised_and_shown_meanwhile(open_door):
    door = open_door(SLIPWAY_NOMAD_PATIENCE="0.01")
    who = user(door)
    begun = begin(door, who, 4, displayName="Film")
    assert has(assetStatus="Uploading", displayName="Film", fullUrl=None, objectKey="incoming/a.bin")(asset(door, who, begun["assetId"]))
    door.jobs.hold = True
    send_parts(door, who, begun, b"rest")
    promise = complete(door, who, begun, 202)
    assert promise.get_json()["items"] == [{"id": begun["assetId"]}]
    location = promise.headers["Location"]
    door.run(Row("GET", location, who, status=202, sends={"Retry-After": bool, "Location": location}))
    assert has(assetStatus="Assembling", contentLength=4)(asset(door, who, begun["assetId"]))
    door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel", who))
    door.jobs.run()
    done = door.run(Row("GET", location, who, shows={"totalItemCount": 1})).get_json()
    assert done["items"] == [{"id": begun["assetId"]}]
    assert has(assetStatus="Available")(asset(door, who, begun["assetId"]))


def test_what_the_worker_refuses_is_said_at_complete_and_at_the_monitor(door, anna):
    begun = begin(door, anna, 4)
    send_parts(door, anna, begun, b"rest")
    up = door.house.library.upload(door.principal(), begun["id"])
    door.house.reception.cancel(door.house.library.operation(door.principal(), up.operation_id), None)
    complete(door, anna, begun, 400)
    why = problem(Code.STORE_FAULT)
    again = begin(door, anna, 4)
    up = door.house.library.upload(door.principal(), again["id"])
    door.house.reception.cancel(door.house.library.operation(door.principal(), up.operation_id), why)
    door.run(Row("GET", f"{API}/operations/{up.operation_id}", anna, status=503, shows=refused(503)))


def test_any_file_is_kept_and_a_picture_is_measured(door, anna):
    sound = uploaded(door, anna, picture(), path="a.png")
    broken = uploaded(door, anna, picture()[:-20], path="b.png")
    assert door.run(Row("GET", f"{API}/admin/asset/{sound}/detail", anna)).get_json()["properties"]["width"] == 8
    assert door.run(Row("GET", f"{API}/admin/asset/{broken}/detail", anna)).get_json()["properties"]["width"] is None


@pytest.mark.parametrize("call", ["complete", "cancel"])
@pytest.mark.parametrize("upload_id", [SOME_ID, "nonsense", "x" * 300])
def test_an_unknown_upload_is_404(standing, upload_id, call):
    door, anna = standing
    door.run(Row("POST", f"{UPLOAD}/{upload_id}/{call}", anna, status=404, shows=refused(404)))


def test_what_belongs_to_somebody_else_or_to_another_door_is_404(door, anna):
    ben, key = user(door, "ben"), door.key()
    begun = begin(door, anna, 4)
    put(door, begun["parts"][0], b"rest")
    v1 = door.send("POST", "/v1/uploads", key, {"filename": "a.png", "parts": True, "size": 10}).get_json()["upload"]["id"]
    for who in (ben, user(door, "olga", "other"), {"Authorization": key["Authorization"].replace("Bearer", "ApiKey")}):
        for number in (begun["id"], v1):
            complete(door, who, {"id": number}, 404)
            door.run(Row("POST", f"{UPLOAD}/{number}/cancel", who, status=404))
            door.run(Row("GET", f"{MINE}/{number}", who, status=404))
        assert mine(door, who, "True") == []
    complete(door, anna, begun)


def test_an_operation_of_another_door_is_not_shown_here(door, anna):
    op = door.send("POST", "/v1/uploads", door.key() | {"Content-Type": "image/png"}, picture()).get_json()["id"]
    for number in (op, SOME_ID):
        door.run(Row("GET", f"{API}/operations/{number}", anna, status=404, shows=refused(404)))


# ---------------------------------------------------------------- cancel


def test_cancel_frees_what_was_staged_and_is_harmless_afterwards(door, anna):
    begun = begin(door, anna, len(CONTENT))
    put(door, begun["parts"][0], CONTENT)
    for message in ("", "?message=wrong%20file", "?message=" + "x" * 3000):
        answer = door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel{message}", anna | {"Content-Type": "application/json"}))
        assert answer.get_data() == b""
    assert not door.house.store._staged
    assert door.send("PUT", begun["parts"][1]["url"], {}, b"x" * CHUNK).status_code == 410
    complete(door, anna, begun, 400)
    asset(door, anna, begun["assetId"], 404)
    assert door.run(Row("GET", f"{MINE}/{begun['id']}", anna)).get_json() == []


def test_cancel_after_complete_changes_nothing(door, anna):
    begun = begin(door, anna, 4)
    send_parts(door, anna, begun, b"rest")
    complete(door, anna, begun)
    door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel", anna))
    assert content_of(door, anna, begun["assetId"]) == b"rest"
    complete(door, anna, begun)


def test_what_is_never_completed_ends_after_a_day(door, anna):
    begun = begin(door, anna, 4)
    put(door, begun["parts"][0], b"rest")
    door.pass_time(DAY + 1)
    anna = user(door)
    complete(door, anna, begun, 400)
    asset(door, anna, begun["assetId"], 404)
    assert mine(door, anna, "True") == []
    door.sweep()
    assert not door.house.store._staged
    complete(door, anna, begun, 400)


# ---------------------------------------------------------------- lists


def test_the_callers_uploads_newest_first_and_on_demand_those_that_are_complete(door, anna):
    first, second, third, fourth = (begin(door, anna, 4, path=name) for name in "abcd")
    send_parts(door, anna, second, b"rest")
    complete(door, anna, second)
    door.run(Row("POST", f"{UPLOAD}/{third['id']}/cancel", anna))
    for said in ("False", "false", "0"):
        assert mine(door, anna, said) == [fourth["id"], first["id"]]
    for said in ("True", "true", "1"):
        assert mine(door, anna, said) == [fourth["id"], second["id"], first["id"]]
    assert mine(door, anna, "") == [fourth["id"], first["id"]]
    door.run(Row("GET", f"{MINE}?includecompleteduploads=maybe", anna, status=400, shows=refused(400, "includeCompletedUploads")))
    door.run(Row("GET", MINE, anna))
    done = door.run(Row("GET", f"{MINE}?INCLUDECOMPLETEDUPLOADS=True", anna)).get_json()[1]
    assert (done["assetId"], done["parts"][0]["isCompleted"], done["parts"][0]["url"]) == (second["assetId"], True, None)
    assert done["etag"].strip('"')
    assert door.run(Row("GET", MINE, anna)).get_json()[0]["etag"] is None


def test_the_parts_of_an_upload(door, anna):
    begun = begin(door, anna, len(CONTENT))
    put(door, begun["parts"][2], CONTENT)
    parts = door.run(Row("GET", f"{MINE}/{begun['id']}", anna)).get_json()
    assert [(p["id"], p["partNumber"], p["isCompleted"]) for p in parts] == [
        (begun["parts"][0]["id"], 1, False),
        (begun["parts"][1]["id"], 2, False),
        (begun["parts"][2]["id"], 3, True),
    ]
    assert uuid.UUID(parts[0]["id"]).int - uuid.UUID(begun["id"]).int == 1
    assert all(p["url"] for p in parts)

"""What holds for every door: late answers are the same answers, tenants see nothing of one another, an asset is an ordinary asset."""

from __future__ import annotations

import threading

import pytest

from app.web import draining
from app.web.dialect import EXTENSION
from tests.dialects.house import BASE, Row
from tests.dialects.pictures import picture
from tests.dialects.ways import SPEAK, WAYS, hurry, monitor, operations

NONE = b"no image at all"
SYNCHRONOUS = [way for way in WAYS if way.waits]
OF_THE_REQUEST = {  # what an answer says of the request that it answers
    *("Date", "Content-Length", "Cache-Control", "RateLimit", "RateLimit-Policy", "Contentful-Api", "X-Contentful-Request-Id"),
    *("X-Contentful-RateLimit-Reset", *(f"X-Contentful-RateLimit-{w}-{q}" for w in ("Second", "Hour") for q in ("Limit", "Remaining"))),
    *("instance", "traceId", "requestId"),
}


def every(ways):
    return pytest.mark.parametrize("way", ways, ids=str)


def said(answer):
    """What an answer says: status, headers, body."""
    shown = answer.get_json(force=True, silent=True)
    body = {name: value for name, value in shown.items() if name not in OF_THE_REQUEST} if shown else answer.get_data()
    return answer.status_code, {name: value for name, value in answer.headers if name not in OF_THE_REQUEST}, body


def strict(dialect):
    """What has a door refuse everything but sound PNGs."""
    return {f"SLIPWAY_{dialect.upper()}_JUDGE": "on", f"SLIPWAY_{dialect.upper()}_MEDIA_TYPES": "image/png"}


def shape(found):
    """What an answer is made of: names, and of what kind each value is."""
    if isinstance(found, dict):
        return {name: shape(value) for name, value in found.items()}
    return [shape(one) for one in found] if isinstance(found, list) else type(found)


# ---------------------------------------------------------------- late answers


@pytest.mark.parametrize("content", [picture(), NONE], ids=["sound", "refused"])
@every(SYNCHRONOUS)
def test_a_late_answer_is_the_one_that_would_have_been_given(open_door, way, content):
    door = open_door(**strict(way.dialect))
    who = SPEAK[way.dialect](door)
    last = way.last(door, who, content)
    before = set(operations(door))
    prompt = last()
    assert (prompt.status_code < 300) is (content is not NONE), prompt.get_data()
    op = (set(operations(door)) - before or before).pop()
    late = [door.send("GET", monitor(door, way.dialect, op), who | way.wants) for _ in range(2)]
    assert [said(answer) for answer in late] == [said(prompt)] * 2


def promised(door, way, answer):
    """The place of a promise, in the dialect's own mount."""
    place = answer.headers["Location"]
    mounts = door.app.extensions[EXTENSION].dialects[way.dialect].mounts
    assert answer.status_code == 202, answer.get_data()
    assert any(place.startswith(f"{BASE}{mount}/") for mount in mounts), place
    assert int(answer.headers["Retry-After"]) > 0
    return place


@pytest.mark.parametrize("content", [picture(), NONE], ids=["sound", "refused"])
@every(SYNCHRONOUS)
def test_patience_0_is_a_promise_that_is_kept(open_door, way, content):
    door, other = open_door(**strict(way.dialect)), open_door(**strict(way.dialect))
    who = SPEAK[way.dialect](door)
    hurry(door, way.dialect)
    place = promised(door, way, way.send(door, who, content))
    for _ in range(2):
        assert promised(door, way, door.send("GET", place, who | way.wants)) == place
    door.jobs.run()
    late = said(door.send("GET", place, who | way.wants))
    prompt = said(way.send(other, SPEAK[way.dialect](other), content))
    assert (late[0], late[1].keys(), shape(late[2])) == (prompt[0], prompt[1].keys(), shape(prompt[2]))
    assert content is not NONE or late == prompt


@every(WAYS)
def test_patience_0_comes_from_the_environment(open_door, way):
    door = open_door(**{f"SLIPWAY_{way.dialect.upper()}_PATIENCE": "0"})
    assert door.app.extensions[EXTENSION].policies[way.dialect].patience == 0


@every(SYNCHRONOUS)
def test_respond_async_is_a_promise_at_once(door, way):
    who = SPEAK[way.dialect](door)
    door.jobs.hold = True
    answer = way.send(door, who, picture(), Prefer="respond-async")
    place = promised(door, way, answer)
    assert answer.headers["Preference-Applied"] == "respond-async"
    door.jobs.run()
    assert door.send("GET", place, who | way.wants).status_code in {200, 201}


@every(SYNCHRONOUS)
def test_who_drains_waits_for_nobody(door, way, monkeypatch):
    who = SPEAK[way.dialect](door)
    door.jobs.hold = True
    monkeypatch.setattr(draining, "draining", threading.Event())
    draining.draining.set()
    promised(door, way, way.send(door, who, picture()))


@every(SYNCHRONOUS)
def test_what_was_cancelled_meanwhile_is_refused(door, way):
    who = SPEAK[way.dialect](door)
    hurry(door, way.dialect)
    place = promised(door, way, way.send(door, who, picture()))
    door.run(Row("POST", f"/v1/operations/{operations(door)[-1]}/cancel", door.key()))
    door.jobs.run()
    late = door.send("GET", place, who | way.wants)
    assert 400 <= late.status_code < 500, late.get_data()

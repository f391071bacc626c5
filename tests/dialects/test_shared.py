"""What holds for every door: late answers are the same answers, tenants see nothing of one another, an asset is an ordinary asset."""

from __future__ import annotations

import hashlib
import threading

import pytest

from app.web import draining
from app.web.dialect import EXTENSION
from tests.dialects.house import BASE, UNLIMITED, Door, Row
from tests.dialects.pictures import picture
from tests.dialects.walks import METHODS, Diary, addresses, dump, names_of, reading, visit
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
    prompt, op = sent(door, way, who, content)
    assert (prompt.status_code < 300) is (content is not NONE), prompt.get_data()
    late = [door.send("GET", monitor(door, way.dialect, op), who | way.wants) for _ in range(2)]
    assert [said(answer) for answer in late] == [said(prompt)] * 2


def sent(door, way, who, content, *name):
    """The answer, and the id of the operation that stands behind it: made by the request, or, where only one was there before, that one."""
    last = way.last(door, who, content, *name)
    before = set(operations(door))
    answer = last()
    [op] = set(operations(door)) - before or sorted(before)[-1:]
    return answer, op


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


# ---------------------------------------------------------------- an ordinary asset


MAKING = [way for way in WAYS if not way.wants]


@every(MAKING)
def test_what_came_through_a_door_is_an_ordinary_asset(door, way):
    answer, op = sent(door, way, SPEAK[way.dialect](door), picture(shade=7))
    assert answer.status_code < 300
    mine, theirs = door.key(), door.key("other")
    shown = door.run(Row("GET", f"/v1/operations/{op}", mine, shows={"status": "completed", "id": op})).get_json()
    asset = door.run(Row("GET", shown["resourceUrl"], mine, shows={"state": "ready", "mediaType": "image/png"})).get_json()
    content = door.run(Row("GET", asset["contentUrl"], mine))
    assert content.get_data() == picture(shade=7)
    assert (asset["size"], asset["width"], asset["height"]) == (len(picture(shade=7)), 8, 6)
    assert asset["filename"] == ("before.png" if way.name == "new content" else "photo.png")
    for url in (f"/v1/operations/{op}", shown["resourceUrl"], asset["contentUrl"]):
        door.run(Row("GET", url, theirs, status=404))


@every(MAKING)
@pytest.mark.parametrize("act", ["kept", "deleted", "purged"])
def test_what_v1_does_to_an_asset_is_no_trouble_at_its_own_door(door, way, act):
    """Every route of the door is walked with every name: before, and after."""
    mine, who = door.key(), SPEAK[way.dialect](door)
    _, op = sent(door, way, who, picture(shade=7))
    asset = door.run(Row("GET", f"/v1/operations/{op}", mine)).get_json()["resourceUrl"]
    names = names_of(door)
    before = reading(door, way.dialect, who, names)
    assert any(picture(shade=7) == content for content in before.values())
    held = act == "kept" or way.dialect == "contentful"  # a document goes with all its files, by its own door
    if act == "kept":
        door.run(Row("PATCH", asset, mine, {"usage": "a book"}))
    else:
        door.run(Row("DELETE", asset, mine, status=409 if held else 204))
    if act == "purged":
        door.sweep()
        door.pass_time(40 * 24 * 3600)
        door.sweep()
        who = SPEAK[way.dialect](door)
    after = reading(door, way.dialect, who, names)
    served = [path for path, content in after.items() if content == picture(shade=7)]
    assert bool(served) is held, served
    for method, path in addresses(door, way.dialect, names):
        if "/account/" not in path:
            assert visit(door, who, method, path).status_code < 500, f"{method} {path}"
    again, _ = sent(door, way, SPEAK[way.dialect](door), picture(shade=7), "another.png")
    assert again.status_code < 300 or way.name == "chosen id", again.get_data()  # an id that was used is not given again


# ---------------------------------------------------------------- two tenants


MATTER, DIGEST = "private-matter.png", hashlib.sha256(picture(shade=9)).hexdigest()
SEALED = ("/transfers/acme/", "/contentful/acme/", "/nomad/content/acme/")  # whoever was given such a URL may use it
PUBLIC = "/squidex/api/assets/acme/"  # the vendor shows what is not protected to everybody
OF_NOBODY = "/account/"  # logins and logouts are about who speaks


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A door, and what acme has after it sent a file in every way: by what names it goes, and under which URLs."""
    door = Door(tmp_path_factory.mktemp("town"), **UNLIMITED)
    diary = Diary(door)
    for way in WAYS:
        way.send(diary, SPEAK[way.dialect](door), picture(shade=9), MATTER)
    names = names_of(door)
    for dialect, speak in SPEAK.items():
        reading(diary, dialect, speak(door), names)
    yield door, names, diary.urls
    door.close()


@pytest.mark.parametrize("tenant", ["acme", "other"])
@pytest.mark.parametrize("dialect", SPEAK)
def test_nothing_of_a_tenant_is_there_for_another(town, dialect, tenant):
    """Every route with every name of acme's, in acme's space and in the stranger's own, and every URL that acme was given."""
    door, names, urls = town
    stranger, before = SPEAK[dialect](door, "other"), dump(door)
    asked = [*addresses(door, dialect, names, tenant), *((method, url) for url in sorted(urls) for method in sorted(METHODS))]
    for method, path in asked:
        if not (path in urls and path.startswith(SEALED)) and not path.startswith(PUBLIC) and OF_NOBODY not in path:
            answer = visit(door, stranger, method, path)
            assert answer.status_code < 500
            told = answer.get_data().decode(errors="replace")
            seen = [mark for mark in (MATTER, DIGEST, *urls) if mark in told and mark not in path]
            assert not seen, f"{method} {path}: {answer.status} {told[:300]}"
            assert answer.get_data() != picture(shade=9)
    assert dump(door) == before


def test_what_anybody_may_read_may_stand_in_other_sites(town):
    door, _, urls = town
    shown = {url: door.send("GET", url) for url in urls if url.startswith((*SEALED, PUBLIC))}
    found = {url: answer.headers.get("Cross-Origin-Resource-Policy") for url, answer in shown.items() if answer.status_code == 200}
    assert {url.split("/")[1] for url in found} == {"contentful", "nomad", "squidex"}
    assert set(found.values()) == {"cross-origin"}, found

"""Readiness: who asks often does not have the store asked as often, and nobody waits behind somebody else's look."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.errors import StoreDown
from app.core.recent import FRESH, Recent
from app.stores.memory import MemoryStore
from app.web.health import PROBE
from tests.dialects.house import Door, Row
from tests.services.up import eventually

GOOD, BAD = {"store": {"ok": True}}, {"store": {"ok": False}}


class Time:
    """A clock that stands still until it is moved."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def looks():
    """What was found, look by look."""
    return []


def test_a_second_look_within_a_second_is_not_taken(time, looks):
    recent = Recent(time)

    def look():
        looks.append(len(looks))
        return {"look": {"number": looks[-1]}}

    first = [recent.get(look) for _ in range(5)]
    time.now += FRESH
    second = [recent.get(look) for _ in range(5)]
    assert first == [{"look": {"number": 0}}] * 5
    assert second == [{"look": {"number": 1}}] * 5


def test_whoever_comes_first_looks_and_the_others_wait_for_it(time, looks):
    recent, here = Recent(time), []

    def look():
        looks.append(1)
        eventually(lambda: len(here) == 8, what="the arrival of everybody")
        return GOOD

    def come():
        here.append(1)
        return recent.get(look)

    with ThreadPoolExecutor(8) as pool:
        found = [future.result() for future in [pool.submit(come) for _ in range(8)]]
    assert found == [GOOD] * 8
    assert looks == [1]


def test_nobody_waits_long_for_a_look_that_takes_long(time):
    recent, looking, enough = Recent(time), threading.Event(), threading.Event()
    recent.get(lambda: GOOD)
    time.now += FRESH

    def slow():
        looking.set()
        assert enough.wait(20)
        return BAD

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(recent.get, slow)
        assert looking.wait(20)
        assert recent.get(lambda: pytest.fail("two looks at once")) == GOOD
        enough.set()
        assert late.result(20) == BAD
    assert recent.get(lambda: pytest.fail("not yet")) == BAD


def test_a_look_that_breaks_is_taken_again(time):
    recent = Recent(time)
    with pytest.raises(ZeroDivisionError):
        recent.get(lambda: 1 / 0)
    assert recent.get(lambda: GOOD) == GOOD


@pytest.fixture
def door(tmp_path):
    door = Door(tmp_path)
    yield door
    door.close()


def test_a_flood_of_questions_is_one_for_the_store(door, monkeypatch, looks):
    monkeypatch.setattr(MemoryStore, "ping", lambda *_: looks.append(1))
    monkeypatch.setattr(door.app.extensions[PROBE].recent, "_clock", Time())
    for path in ("/readyz", "/readyz?for=door", "/readyz?canary=1") * 10:
        assert door.send("GET", path).get_json()["parts"]["store"] == {"ok": True}
    assert looks == [1]


def test_a_store_that_is_down_is_named_as_soon_as_it_is_looked_at(door, monkeypatch):
    def down(*_):
        raise StoreDown("full")

    assert door.run(Row("GET", "/readyz?for=door", shows={"status": "ready"}))
    monkeypatch.setattr(MemoryStore, "ping", down)
    eventually(lambda: door.send("GET", "/readyz?for=door").status_code == 503, 10, "notice")
    door.run(Row("GET", "/readyz?for=door", status=503, shows={"status": "unready", "parts": lambda parts: not parts["store"]["ok"]}))


def test_the_parts_of_both_questions_do_not_mix(door):
    assert set(door.send("GET", "/readyz").get_json()["parts"]) == {"redis", "store", "broker", "worker", "keeper"}
    assert set(door.send("GET", "/readyz?for=door").get_json()["parts"]) == {"redis", "store", "broker"}

"""Redis or the store goes away in the middle of a request: 503 in the dialect's own form, nothing is half done, and the same request works again.

A fault is put before every single step of a request: every round trip to Redis, every call of the store.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager

import pytest
from redis.exceptions import ConnectionError as Away

from app.core.errors import BrokerDown, Code, StoreDown, problem
from app.core.ports import Store
from app.records.link import Wire
from app.web import mount
from app.web.dialect import EXTENSION
from tests.dialects.pictures import picture
from tests.dialects.walks import addresses, names_of, reading, visit
from tests.dialects.ways import SPEAK, WAYS, operations

ORDER = ("GET", "PATCH", "PUT", "POST", "DELETE")  # what destroys comes last
STEPS = 60  # more than any request takes
CALLS = [name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")]


class Outage:
    """Something answers so often, and then no more. `lost`: what it is told next it still does, and only the answer is lost."""

    def __init__(self, answers: int, *, lost: bool = False) -> None:
        self.left, self.lost, self.met = answers, lost, False

    def step(self, act, fault):
        self.left -= 1
        if self.left >= 0:
            return act()
        self.met = True
        if self.lost and self.left == -1:
            act()
        raise fault


def redis_away(patch, outage):
    real = Wire._exchange

    def exchange(wire, commands):
        try:
            return outage.step(lambda: real(wire, commands), Away("gone"))
        except Away:
            wire._unanswered = True
            raise

    patch.setattr(Wire, "_exchange", exchange)


def store_away(patch, outage):
    from app.stores.memory import MemoryStore

    def broken(real):
        return lambda *asked, **more: outage.step(lambda: real(*asked, **more), StoreDown("gone"))

    for name in CALLS:
        patch.setattr(MemoryStore, name, broken(getattr(MemoryStore, name)))


AWAY = {"redis": (redis_away, False), "redis, with the last answer": (redis_away, True), "store": (store_away, False)}


def refused_well(door, dialect, answer):
    """503 as the dialect says it, and when to come again."""
    with door.app.test_request_context(door.app.extensions[EXTENSION].dialects[dialect].mounts[0] + "/x"):
        wanted = door.app.extensions[EXTENSION].dialects[dialect].render(problem(Code.UNAVAILABLE))
    assert (answer.status_code, answer.content_type) == (503, wanted.content_type), answer.get_data()
    told, meant = (set(each.get_json(force=True)) - {"traceId"} for each in (answer, wanted))  # a request has a trace, a rendering none
    assert told == meant
    assert int(answer.headers["Retry-After"]) > 0


def settle(door):
    """A day goes by, with all that is done in it."""
    door.jobs.hold = False
    for _ in range(3):
        door.house.requeue.requeue_stalled()
        door.jobs.run()
        door.sweep()
        door.pass_time(9 * 3600)


every_way = pytest.mark.parametrize("way", WAYS, ids=str)


@pytest.mark.parametrize("what", AWAY)
@every_way
def test_an_upload_is_refused_well_and_works_again(open_door, monkeypatch, way, what):
    away, lost = AWAY[what]
    door = open_door(**{f"SLIPWAY_{way.dialect.upper()}_PATIENCE": "0.05"})
    who, refusals = SPEAK[way.dialect](door), 0
    for answers in range(STEPS):
        outage, last = Outage(answers, lost=lost), way.last(door, who, picture())
        with held(door), monkeypatch.context() as patch:
            away(patch, outage)
            answer = last()
        if not outage.met:
            break
        if answer.status_code >= 400:
            refused_well(door, way.dialect, answer)
            refusals += 1
            assert what != "store" or str(way) in GO_ON or not left_open(door)
        forget_locks(door)
        again = last()
        taken = answer.status_code < 400 or lost
        assert again.status_code < 300 or (taken and again.status_code == 409), again.get_data()
    assert refusals > 0 or (what == "store" and "process" in way.name)  # of which no call of the store is a part
    assert answers < STEPS - 1
    settle(door)
    shown = [door.house.library.operation(door.principal(), op) for op in operations(door)]
    assert all(op.final for op in shown)
    assert not list(door.house.store.staged_before(-1.0))


GO_ON = {"wdesk: image", "wdesk: file", "nomad: parts", "v1: announced", "v1: parts"}  # who knows his upload, and sends it again


def left_open(door):
    """The operations that wait for bytes."""
    shown = [door.house.library.operation(door.principal(), op) for op in operations(door)]
    return [op for op in shown if op.status == "acknowledged"]


@contextmanager
def held(door):
    """The workers are busy with others: what a request does is only what the door does."""
    door.jobs.hold = True
    yield
    door.jobs.hold = False


def forget_locks(door):
    """Those that could not be let go ran out."""
    redis = door._redis()
    for lock in redis.scan_iter("lock:*"):
        redis.delete(lock)


@pytest.mark.parametrize("what", ["redis", "store"])
@pytest.mark.parametrize("dialect", SPEAK)
def test_no_route_answers_500(open_door, monkeypatch, dialect, what):
    """Every route with every name, whatever comes of it."""
    away, lost = AWAY[what]
    door = open_door(**{f"SLIPWAY_{dialect.upper()}_PATIENCE": "0.05"})
    who, refusals = SPEAK[dialect](door), set()
    ways = [way for way in WAYS if way.dialect == dialect and not way.wants]
    for way in (ways[0], ways[-1]):
        way.send(door, who, picture(), "photo.png")
    names = names_of(door)
    readable = [("GET", path) for path in reading(door, dialect, who, names)]
    for method, path in [*readable, *sorted(addresses(door, dialect, names), key=lambda asked: ORDER.index(asked[0]))]:
        for answers in range(STEPS):
            outage = Outage(answers, lost=lost)
            with held(door), monkeypatch.context() as patch:
                away(patch, outage)
                answer = visit(door, who, method, path)
            if not outage.met:
                break
            if answer.status_code >= 500:
                refused_well(door, dialect, answer)
                refusals.add(answers)
        forget_locks(door)
    assert refusals


@pytest.mark.parametrize("dialect", SPEAK)
def test_whoever_is_told_503_is_told_when_to_come_again(door, dialect):
    for code in Code:
        with door.app.test_request_context(door.app.extensions[EXTENSION].dialects[dialect].mounts[0] + "/x"):
            answer = mount.refuse(problem(code))
        awaited = answer.status_code in {429, 503} or code is Code.IDEMPOTENCY_RUNNING
        assert awaited is ("Retry-After" in answer.headers), code
        assert answer.status_code == 503 or code not in {Code.UNAVAILABLE, Code.STORE_FAULT}


@every_way
def test_without_a_broker_the_promise_stands(open_door, monkeypatch, way):
    door = open_door(**{f"SLIPWAY_{way.dialect.upper()}_PATIENCE": "0"})
    who = SPEAK[way.dialect](door)
    last = way.last(door, who, picture())
    with monkeypatch.context() as patch:
        patch.setattr(type(door.jobs), "process", no_broker)
        answer = last()
    assert answer.status_code in {200, 202, 204}, answer.get_data()
    settle(door)
    assert {door.house.library.operation(door.principal(), op).status for op in operations(door)} == {"completed"}


def no_broker(*_):
    raise BrokerDown("gone")

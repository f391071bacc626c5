"""When the house takes no new work, and what goes on all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core import operation
from app.core.errors import Code, RecordsDown, StoreDown, UploadError
from app.core.operation import Status
from app.core.ports import Change
from app.core.pressure import LOOKED_AT, Bounds, Found, Pressure, pressing
from app.core.recent import FRESH, Recent
from app.core.reception import Opening
from app.core.renditions import Spec
from app.core.target import Target
from app.core.upload import ATTACHING_MOST, State
from tests.core.worlds import ACME, ANY_FILE, Bytes, World
from tests.dialects.house import Door
from tests.services.pictures import photo

BOUNDS = Bounds(wait=300, memory=0.9, reserve=1000)
PARTS = replace(ANY_FILE, part_size=10, max_bytes=1000)


@pytest.mark.parametrize(
    ("found", "bounds", "parts"),
    [
        (Found(), BOUNDS, ()),
        (Found(300, 0.89, 1000), BOUNDS, ()),
        (Found(300.1, 0.5, 5000), BOUNDS, ("queue",)),
        (Found(0, 0.9, 5000), BOUNDS, ("redis",)),
        (Found(0, 1.7, 5000), BOUNDS, ("redis",)),
        (Found(0, 0.5, 999), BOUNDS, ("disk",)),
        (Found(0, 0.5, 0), BOUNDS, ("disk",)),
        (Found(None, None, 0), BOUNDS, ("disk",)),
        (Found(301, 1.0, 0), BOUNDS, ("queue", "redis", "disk")),
        (Found(1e9, 9.0, 0), Bounds(), ()),
        (Found(1e9, 9.0, 0), Bounds(reserve=1), ("disk",)),
    ],
)
def test_the_rule(found, bounds, parts):
    assert pressing(found, bounds) == parts


# ---------------------------------------------------------------- the queue


@pytest.fixture
def world(tmp_path):
    """A house whose workers wait until `work`, and that bears a wait of 300 s."""
    door = Door(tmp_path, SLIPWAY_MAX_WAIT="300")
    door.jobs.hold = True
    yield World(door)
    door.close()


def later(world, seconds):
    """Both clocks go on: the house's, and the one that says how old a measure is."""
    world.door.pass_time(seconds)
    world.door.monotonic += max(seconds, FRESH)


def work(world):
    while world.door.jobs.waiting:
        ref = world.door.jobs.waiting.popleft()
        world.house.process(ref.tenant, ref.id)


def overloaded(ask, *args, **kwargs):
    with pytest.raises(UploadError) as refused:
        ask(*args, **kwargs)
    return refused.value.code is Code.OVERLOADED and refused.value.problem.facts["parts"] == ["queue"]


def test_a_backlog_keeps_new_work_out_and_lets_everything_else_go_on(world):
    picture = photo(8, 8, "PNG", seed=1)
    done = world.sent(picture)
    kept = world.kept(b"kept")
    work(world)
    world.house.rendering.request(world.asset_of(done), Spec(3))
    work(world)
    world.door.pass_time(100)
    stream, plan, given_up = (
        world.open(replace(ANY_FILE, upload_ttl=9e9)),
        world.open(replace(PARTS, upload_ttl=9e9), planned=True),
        world.open(),
    )
    waiting = world.upload(b"waits")
    later(world, 299)
    world.open()
    later(world, 2)

    assert overloaded(world.open)
    assert overloaded(world.reception.fetch, ACME, "v1", ANY_FILE, Opening("n", source="http://host/a"))
    assert overloaded(world.house.rendering.request, world.asset_of(done), Spec(4))
    assert world.house.rendering.request(world.asset_of(done), Spec(3)).facts.width == 3
    assert world.content(world.asset_of(done)) == picture
    assert world.reception.append(stream, Bytes(b"more"), 0).offset == 4
    assert world.reception.finish(world.fresh(stream)).status is Status.QUEUED
    world.reception.accept_part(plan, 1, Bytes(b"x" * 10))
    assert world.reception.finish(plan).status is Status.QUEUED
    assert world.reception.attach(ACME, kept, Target()).status is Status.QUEUED
    assert world.reception.cancel(world.records.get(given_up.operation_ref)).status is Status.CANCELLED
    world.library.delete(world.asset_of(done))
    assert world.fresh(waiting).status is Status.QUEUED

    work(world)
    assert overloaded(world.open)  # as it was measured a moment ago
    later(world, 1)
    assert world.open().state is State.OPEN


def test_what_waits_after_a_fault_waits_only_from_its_time_on(world):
    op = world.upload(b"waits")
    started = world.records.commit([op.ref], lambda found: Change(put=(operation.claim(found, world.records.now()),))).put[0]
    world.records.commit([op.ref], lambda found: Change(put=(operation.falter(found, world.records.now()),)))
    assert started.status is Status.STARTED
    later(world, 304)
    world.open()
    later(world, 2)
    assert overloaded(world.open)


def test_what_is_sent_again_has_not_waited_less(world):
    world.upload(b"waits")
    for _ in range(7):
        later(world, 45)
        world.house.requeue.requeue_stalled()
    assert overloaded(world.open)


def test_what_nobody_can_read_is_not_waited_for(world):
    for number in range(LOOKED_AT - 1):
        world.door._redis().zadd("ix:waiting", {f"op:acme:none{number}": 1})
    broken = world.upload(b"waits")
    world.door._redis().hset(f"op:acme:{broken.id}", "progress", "{")
    later(world, 1000)
    world.open()


# ---------------------------------------------------------------- measuring


class Told:
    """Records and a store that tell what they are told to, and count how often they are asked."""

    def __init__(self, memory=None, free=None):
        self.told, self.asked = {"memory": memory, "free": free}, 0

    def now(self):
        self.asked += 1
        return 0.0

    def due(self, *_):
        return []

    def many(self, _):
        return []

    def memory(self):
        return self._tell("memory")

    def free(self):
        return self._tell("free")

    def _tell(self, name):
        if isinstance(self.told[name], Exception):
            raise self.told[name]
        return self.told[name]


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        (Told(0.95, 10), ["redis", "disk"]),
        (Told(0.95, StoreDown("away")), ["redis"]),
        (Told(RecordsDown("away"), 10), ["disk"]),
        (Told(RecordsDown("away"), StoreDown("away")), []),
        (Told(), []),
    ],
)
def test_what_cannot_be_measured_does_not_press(told, parts):
    pressure = Pressure(told, told, BOUNDS)
    assert [part for part, shown in pressure.shown().items() if shown["pressing"]] == parts
    if parts:
        with pytest.raises(UploadError) as refused:
            pressure.require_calm()
        assert refused.value.problem.facts == {"parts": parts, "retry_after": 10}
    else:
        pressure.require_calm()


def test_it_is_measured_once_a_second_however_many_come(world):
    told, clock = Told(), [0.0]
    pressure = Pressure(told, told, BOUNDS, Recent(lambda: clock[0]))
    for _ in range(100):
        pressure.require_calm()
    assert told.asked == 1
    clock[0] = FRESH
    for _ in range(100):
        pressure.require_calm()
    assert told.asked == 2


# ---------------------------------------------------------------- other bounds


def test_so_many_operations_may_wait_for_one_upload(world):
    up = world.kept(b"bytes")
    many = tuple(f"op{number}" for number in range(ATTACHING_MOST - 1))
    world.records.commit([up.ref], lambda found: Change(put=(replace(found, attaching=many, version=found.version + 1),)))
    world.reception.attach(ACME, up, Target())
    with pytest.raises(UploadError) as refused:
        world.reception.attach(ACME, up, Target())
    assert refused.value.code is Code.UNAVAILABLE


def test_a_document_has_so_many_slots(world):
    up = world.kept(b"bytes")
    paper = world.documents.create(ACME, "v1", "d", {})
    many = {f"s{number}": "op" for number in range(999)}
    world.records.commit([paper.ref], lambda found: Change(put=(replace(found, pending=many, version=found.version + 1),)))
    for slot in ("s1", "one more", "one more"):
        world.reception.attach(ACME, up, Target(document="d", slot=slot))
    with pytest.raises(UploadError) as refused:
        world.reception.attach(ACME, up, Target(document="d", slot="one too many"))
    assert refused.value.code is Code.INVALID

"""What commits mean, read off a whole house: nothing but its ports is watched."""

from dataclasses import replace

import pytest

from app.core.errors import BrokerDown, RecordsDown, StoreDown
from app.core.lease import Lease
from app.core.processing import Processing
from app.core.requeue import Requeue
from app.imaging import PillowGauge
from app.metrics import told, watched
from tests.core.worlds import ANY_FILE, BetweenReadAndWrite, World
from tests.dialects.house import Door
from tests.services.pictures import photo


@pytest.fixture
def world(tmp_path, ledger, monkeypatch):
    """A world whose house is watched as the wiring watches it."""
    door = Door(tmp_path)
    plain = door.house
    door.room = replace(door.room, records=told(plain.records, ledger))
    monkeypatch.setattr("tests.dialects.house.open_store", lambda *_, **__: watched(plain.store, ledger))
    monkeypatch.setattr("tests.dialects.house.PillowGauge", lambda: watched(PillowGauge(), ledger))
    door.house = door._build()
    door.jobs.work = door.house.process
    yield World(door)
    door.close()


def test_a_promise_its_claim_and_its_end(world, exported):
    world.upload(photo(), world.house.settings.policy("v1", ANY_FILE))
    found = exported()
    assert found["operations_promised_total", "ingest", "v1"] == 1
    assert found["operations_settled_total", "completed", "ingest", "none", "v1"] == 1
    assert found["uploaded_bytes_total", "v1"] == len(photo())
    assert found["queue_wait_seconds_count", "ingest"] == found["work_seconds_count", "completed", "ingest"] == 1
    stages = {key[1] for key in found if key[0] == "stage_seconds_count"}
    assert stages - {"digest"} == {
        "land",
        "signature",
        "header",
        "decode",
        "assemble",
        "promote",
        "settle",
    }  # bytes in memory are hashed as they land


def test_a_refused_one_ends_with_its_code(world, exported):
    world.upload(b"no image", replace(ANY_FILE, judge=True, media_types=("image/jpeg",)))
    found = exported()
    assert found["operations_settled_total", "failed", "ingest", "not_an_image", "v1"] == 1
    assert found["stage_seconds_count", "signature"] == 1


def test_a_cancelled_one_was_never_at_work(world, exported):
    world.hold()
    op = world.upload(b"bytes")
    world.reception.cancel(op)
    found = exported()
    assert found["operations_settled_total", "cancelled", "ingest", "none", "v1"] == 1
    assert not [key for key in found if key[0] == "work_seconds_count"]


def test_a_queue_wait_counts_from_the_promise_whatever_was_sent_again(world, exported):
    world.hold()
    op = world.upload(b"bytes")
    for _ in range(2):
        world.door.pass_time(60)
        world.door.jobs.waiting.clear()  # the broker lost it
        Requeue(world.retention, world.door.jobs).requeue_stalled()
        world.door.pass_time(60)
    world.door.jobs.run()
    found = exported()
    assert found["messages_resent_total",] == world.fresh(op).sends - 1 == 2
    assert 240 <= found["queue_wait_seconds_sum", "ingest"] < 245
    assert found["queue_wait_seconds_count", "ingest"] == 1


def test_a_lost_worker_and_a_fault_are_told_apart(world, exported):
    world.hold()
    op = world.upload(b"bytes")
    world.house.processing._claim(op.ref)
    now = [0.0]
    requeue = Requeue(world.retention, world.door.jobs, lambda: now[0])
    world.door.pass_time(11)
    requeue.requeue_stalled()
    world.door.pass_time(16)
    now[0] = 6.0
    requeue.requeue_stalled()
    assert exported()["workers_lost_total", "ingest"] == 1
    processing: Processing = world.processing(store=_Down(world.store))
    processing.process(op.tenant, op.id)
    assert exported()["operations_faulted_total", "ingest"] == 1


class _Down:
    """A store that seals nothing."""

    def __init__(self, store):
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)

    def seal(self, *_):
        raise StoreDown("away")


def test_bytes_that_go_are_counted_when_their_record_goes(world, exported):
    asset = world.asset_of(world.upload(b"twelve bytes"))
    world.library.delete(asset)
    for _ in range(2):
        world.door.pass_time(40 * 86400.0)
        world.sweep_all()
    assert exported()["deleted_bytes_total",] == 12


@pytest.mark.parametrize(("fault", "part"), [(RecordsDown, "redis"), (StoreDown, "store"), (BrokerDown, "broker")])
def test_a_fault_is_counted_by_its_part_and_passes_through(ledger, exported, fault, part):
    class Port:
        def call(self):
            raise fault("away")

        def land(self):
            raise fault("away")

    port = watched(Port(), ledger)
    with pytest.raises(fault):
        port.call()
    with pytest.raises(fault), port.land():
        pass
    assert exported()["faults_total", part] == 2


def test_a_heartbeat_counts_for_nothing(world, exported):
    world.hold()
    work = world.house.processing._claim(world.upload(b"bytes").ref)
    before = exported()
    lease = Lease(world.records, work.op)
    lease.renew()
    assert exported() == before


def test_a_step_that_runs_twice_counts_once(world, exported):
    world.hold()
    op = world.upload(b"bytes")
    kinds = tuple(ref.kind for ref in (op.ref,))
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.retention.records.settle_index("ix:none", []))
    world.processing(records=raced).process(op.tenant, op.id)
    assert exported()["operations_settled_total", "completed", "ingest", "none", "v1"] == 1

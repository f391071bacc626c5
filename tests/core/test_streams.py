"""One stream, several who write it: what was acknowledged stays, whoever comes, wakes late or dies between a write and its commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import Code, Moved, RecordsDown, UploadError
from app.core.operation import Status
from app.core.retention import Retention
from tests.core.worlds import BetweenReadAndWrite, Bytes, Meanwhile, World
from tests.dialects.house import Door


@pytest.fixture
def world(tmp_path):
    """On a local disk, where a file may be longer than its record says."""
    door = Door(tmp_path, SLIPWAY_STORE=f"file://{tmp_path}/store")
    yield World(door)
    door.close()


class Deaf:
    """Records whose next commits are lost: the process dies, or Redis does, between a write and its commit."""

    def __init__(self, records, after: int = 0) -> None:
        self._records, self._left = records, after

    def __getattr__(self, name):
        return getattr(self._records, name)

    def commit(self, refs, step):
        if self._left == 0:
            raise RecordsDown("gone")
        self._left -= 1
        return self._records.commit(refs, step)


def deaf(world, after: int = 0):
    return replace(world.reception, records=Deaf(world.records, after))


def settled(world, up) -> bytes:
    op = world.records.get(up.operation_ref)
    assert op.status is Status.COMPLETED, op.problem
    return world.content(world.asset_of(op))


@pytest.mark.parametrize("length", [None, 15])
def test_finish_takes_the_offset_that_clients_are_told(world, length):
    up = world.open(length=length)
    world.reception.append(up, Bytes(b"0123456789"), 0)
    with pytest.raises(RecordsDown):
        deaf(world).append(world.fresh(up), Bytes(b"abcde"), 10)
    assert world.reception.streams.reach(world.fresh(up)) == 15
    world.reception.finish(world.fresh(up))
    assert settled(world, up) == b"0123456789abcde"


def test_beginning_again_is_recorded_before_the_old_bytes_go(world):
    up = world.open()
    world.reception.append(up, Bytes(b"0123456789"), 0)
    with pytest.raises(RecordsDown):
        deaf(world, after=1).append(world.fresh(up), Bytes(b"x" * 20), 0, lambda: None)
    assert world.reception.streams.reach(world.fresh(up)) == 0
    with pytest.raises(UploadError) as refused:
        world.reception.append(world.fresh(up), Bytes(b"tail"), 10)
    assert refused.value.code is Code.OFFSET_MISMATCH


def test_a_second_put_beside_the_first_is_refused_until_the_first_is_recorded(world):
    up = world.open()
    refusals = []

    def second():
        with pytest.raises(UploadError) as refused:
            world.reception.take(up, Bytes(b"second"))
        refusals.append(refused.value.code)

    raced = Meanwhile(world.records, "commit", second)
    replace(world.reception, records=raced).take(up, Bytes(b"first"))
    assert refusals == [Code.LOCKED]
    assert settled(world, up) == b"first"


def test_complete_beside_a_write_is_refused(world):
    up = world.open()
    world.reception.append(up, Bytes(b"0123456789"), 0)
    refusals = []

    def complete():
        with pytest.raises(UploadError) as refused:
            world.reception.finish(world.fresh(up))
        refusals.append(refused.value.code)

    raced = Meanwhile(world.store, "write", complete)
    replace(world.reception, store=raced).append(world.fresh(up), Bytes(b"again"), 0)
    assert refusals == [Code.LOCKED]
    world.reception.finish(world.fresh(up))
    assert settled(world, up) == b"again"


def test_what_was_read_before_the_lock_does_not_count(world):
    up = world.open()
    world.reception.append(up, Bytes(b"0123456789"), 0)
    stale = world.fresh(up)
    world.reception.append(stale, Bytes(b"abcde"), 10)
    with pytest.raises(UploadError) as refused:
        world.reception.append(stale, Bytes(b"xyz"), 10)
    assert refused.value.code is Code.OFFSET_MISMATCH
    world.reception.finish(stale)
    assert settled(world, up) == b"0123456789abcde"


def test_a_writer_that_lost_its_lock_changes_nothing(tmp_path):
    """On a store that locks nothing, as S3: the record alone decides."""
    door = Door(tmp_path)
    world = World(door)
    up = world.open()
    world.reception.append(up, Bytes(b"0123456789"), 0)

    def successor():
        door._redis().delete(*door._redis().keys("lock:*"))
        world.reception.append(world.fresh(up), Bytes(b"abcde"), 10)

    raced = Meanwhile(world.store, "write", successor)
    with pytest.raises(UploadError) as refused:
        replace(world.reception, store=raced).append(world.fresh(up), Bytes(b"ABCDE"), 10)
    assert refused.value.code in {Code.LOCKED, Code.OFFSET_MISMATCH}
    assert world.fresh(up).offset == 15
    door.close()


def test_a_part_beside_itself_is_refused_until_it_is_recorded(world):
    up = world.open(length=6, planned=True)
    refusals = []

    def again():
        with pytest.raises(UploadError) as refused:
            world.reception.accept_part(up, 1, Bytes(b"SECOND"))
        refusals.append(refused.value.code)

    raced = Meanwhile(world.records, "record_part", again)
    replace(world.reception, records=raced).accept_part(up, 1, Bytes(b"first!"))
    assert refusals == [Code.LOCKED]
    world.reception.finish(up)
    assert settled(world, up) == b"first!"


def test_faults_of_redis_burn_no_attempt(world):
    world.hold()
    op = world.upload(b"bytes")

    class Away:
        """Answers nothing for a while, once the work is claimed."""

        def __init__(self, records) -> None:
            self.records, self.left = records, 4

        def __getattr__(self, name):
            return getattr(self.records, name)

        def commit(self, refs, step):
            if world.fresh(op).status is Status.STARTED and self.left:
                self.left -= 1
                raise RecordsDown("away")
            return self.records.commit(refs, step)

    world.processing(records=Away(world.records), pause=0.0).process(op.tenant, op.id)
    again = world.fresh(op)
    assert (again.status, again.losses, again.faults) == (Status.QUEUED, 0, 1)


# ---------------------------------------------------------------- sweeps that meet an obstacle


def test_what_cannot_go_does_not_stand_before_what_can(world, monkeypatch):
    monkeypatch.setattr("app.core.retention.BATCH", 3)
    ups = [world.open() for _ in range(8)]
    stuck = {up.id for up in ups[:5]}

    class Sticky:
        def __getattr__(self, name):
            return getattr(world.records, name)

        def commit(self, refs, step):
            if refs[0].id in stuck:
                raise RecordsDown("this one")
            return world.records.commit(refs, step)

    world.door.pass_time(3600)
    Retention(Sticky(), world.store).expire_uploads()
    assert [world.fresh(up).state.value for up in ups] == ["open"] * 5 + ["expired"] * 3


def test_a_record_of_a_newer_version_does_not_stop_a_sweep(world):
    newer, plain = world.open(), world.open()
    world.door._redis().hset(f"up:acme:{newer.id}", "state", "teleported")
    world.door.pass_time(3600)
    world.retention.expire_uploads()
    assert world.fresh(plain).state.value == "expired"


def test_a_manifest_does_not_come_back_from_the_dead(world):
    asset = world.asset_of(world.upload(b"bytes"))

    def deleted_and_swept():
        world.library.delete(asset)
        world.retention.write_manifests()

    late = Meanwhile(world.store, "save", deleted_and_swept)
    Retention(world.records, late).write_manifests()
    assert late.done
    assert world.store.load(f"manifests/acme/{asset.id}.json") is None


def test_a_commit_that_reads_an_older_version_of_the_upload_is_refused(world):
    """The version that was read under the lock is the fence."""
    up = world.open()

    def other_writer():
        step = world.fresh(up)
        world.reception.streams._replace(step, offset=0)

    raced = BetweenReadAndWrite(world.records, (up.ref.kind, up.parts_ref.kind), other_writer)
    with pytest.raises(UploadError) as refused:
        replace(world.reception, records=raced).append(up, Bytes(b"bytes"), 0)
    assert raced.done
    assert refused.value.code is Code.LOCKED


@pytest.mark.parametrize("act", ["take", "append"])
def test_what_is_written_after_a_cancel_does_not_stay(world, act):
    up = world.open()
    op = world.records.get(up.operation_ref)
    late = replace(world.reception, store=Meanwhile(world.store, "write", lambda: world.reception.cancel(op)))
    with pytest.raises(Moved) as refused:
        late.take(up, Bytes(b"late")) if act == "take" else late.append(up, Bytes(b"late"), 0)
    assert refused.value.code is Code.UPLOAD_CANCELLED
    assert list(world.store.staged_before(-60)) == []

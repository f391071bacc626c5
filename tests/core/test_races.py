"""Each race has a guard in a commit; take the guard out, and its test fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core import timing
from app.core.asset import BlobState
from app.core.errors import ClientGone, Code, Moved, StoreDown
from app.core.library import Library
from app.core.operation import Status
from app.core.policy import Policy
from app.core.ports import Change
from app.core.refs import Index, Kind, Ref
from app.core.requeue import Requeue
from app.core.retention import Retention
from app.core.target import Target
from tests.core.worlds import ACME, ANY_FILE, BetweenReadAndWrite, Bytes, Meanwhile, World


@pytest.fixture
def world(door):
    return World(door)


def blob_of(world, op):
    return world.records.get(Ref(Kind.BLOB, op.tenant, f"blobs/{op.tenant}/{op.upload_id}"))


def test_a_photograph_goes_through_and_leaves_nothing_behind(world):
    op = world.upload(b"bytes")
    assert op.status is Status.COMPLETED
    assert world.content(world.asset_of(op)) == b"bytes"
    world.sweep_all()
    assert world.indexed() == {}
    assert list(world.store.staged_before(-1)) == []
    assert world.records.gone(op.ref)
    with pytest.raises(Exception, match="removed"), world.store.fetch(f"blobs/acme/{op.upload_id}", 0, 5):
        pass


def test_a_message_that_comes_twice_makes_one_asset(world):
    world.hold()
    op = world.upload(b"bytes")
    world.door.jobs.run(times=2)
    assert world.fresh(op).status is Status.COMPLETED
    assert world.fresh(op).attempt == 1
    assert world.records.count(Index.EXPIRY_ASSETS) == 1


def test_a_second_message_while_the_first_is_at_work_is_dropped(world):
    world.hold()
    op = world.upload(b"bytes")
    again = Meanwhile(world.store, "promote", lambda: world.house.processing.process(op.tenant, op.id))
    world.processing(store=again).process(op.tenant, op.id)
    assert again.done
    assert world.fresh(op).status is Status.COMPLETED
    assert world.fresh(op).attempt == 1


def test_a_cancel_while_started_wins_over_the_settlement(world):
    world.hold()
    op = world.upload(b"bytes")
    cancel = Meanwhile(world.store, "promote", lambda: world.reception.cancel(world.fresh(op)))
    world.processing(store=cancel).process(op.tenant, op.id)
    assert cancel.done
    assert world.fresh(op).status is Status.CANCELLED
    assert world.records.count(Index.EXPIRY_ASSETS) == 0
    assert blob_of(world, op).state is BlobState.DOOMED
    world.sweep_all()
    assert world.indexed() == {}


def test_a_cancel_between_the_settlements_read_and_write_wins(world):
    world.hold()
    op = world.upload(b"bytes")
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.reception.cancel(world.fresh(op)))
    world.processing(records=raced).process(op.tenant, op.id)
    assert raced.done
    assert world.fresh(op).status is Status.CANCELLED
    assert world.fresh(op).asset_ids == ()


def test_an_expiry_that_races_with_finish_never_takes_finished_bytes(world):
    world.hold()
    up = world.open()
    late = BetweenReadAndWrite(world.records, (Kind.UPLOAD, Kind.OPERATION), lambda: world.reception.take(up, Bytes(b"bytes")))
    world.door.pass_time(ANY_FILE.upload_ttl - 1)
    retention = Retention(late, world.store)
    step_forward = Meanwhile(late, "commit", lambda: world.door.pass_time(0))
    replace(retention, records=step_forward).expire_uploads()
    assert world.fresh(up).state.value == "open"
    world.door.pass_time(2)
    # The sweep has read an upload past its deadline; a finish that was in time by its own reading of the clock comes between.
    world.door.pass_time(-2)
    raced = BetweenReadAndWrite(world.records, (Kind.UPLOAD, Kind.OPERATION), lambda: _finish_in_time(world, up))
    world.door.pass_time(2)
    replace(retention, records=raced).expire_uploads()
    assert raced.done
    op = world.records.get(up.operation_ref)
    assert op.status is Status.QUEUED
    world.door.jobs.run()
    assert world.content(world.asset_of(op)) == b"bytes"


def _finish_in_time(world, up):
    world.door.pass_time(-2)
    world.reception.take(up, Bytes(b"bytes"))
    world.door.pass_time(2)


def test_a_finish_that_races_with_an_expiry_is_refused(world):
    world.hold()
    up = world.open()
    world.reception.append(up, Bytes(b"bytes"), 0)

    def expire():
        world.door.pass_time(ANY_FILE.upload_ttl + 1)
        world.retention.expire_uploads()
        world.door.pass_time(-ANY_FILE.upload_ttl - 1)

    raced = BetweenReadAndWrite(world.records, (Kind.UPLOAD, Kind.PARTS, Kind.OPERATION), expire)
    with pytest.raises(Moved) as refused:
        replace(world.reception, records=raced).finish(world.fresh(up))
    assert raced.done
    assert refused.value.code is Code.UPLOAD_EXPIRED
    assert world.records.get(up.operation_ref).status is Status.FAILED


def test_two_deletes_that_race_with_the_same_bytes_again(world):
    """The new asset finds the old blob live, both holders go before it settles: it must rest on its own bytes."""
    first, second = world.asset_of(world.upload(b"same")), world.asset_of(world.upload(b"same"))
    assert first.blob == second.blob
    world.hold()
    op = world.upload(b"same")

    def delete_both():
        world.library.delete(first)
        world.library.delete(second)

    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, delete_both)
    world.processing(records=raced).process(op.tenant, op.id)
    assert raced.done
    asset = world.asset_of(op)
    assert asset.blob != first.blob
    world.house.library.keep(asset)
    world.sweep_all()
    assert world.content(asset) == b"same"


def test_the_same_bytes_again_between_a_deletes_read_and_write(world):
    """The last holder lets go while a newcomer takes hold: the blob must stay."""
    only = world.asset_of(world.upload(b"same"))
    newcomers = []
    raced = BetweenReadAndWrite(world.records, (Kind.ASSET, Kind.BLOB, Kind.DIGEST), lambda: newcomers.append(world.upload(b"same")))
    Library(raced, world.store).delete(only)
    assert raced.done
    asset = world.asset_of(newcomers[0])
    assert asset.blob == only.blob
    world.library.keep(asset)
    world.sweep_all()
    assert world.content(asset) == b"same"


def test_two_deletes_at_once_doom_the_blob_once(world):
    first, second = world.asset_of(world.upload(b"same")), world.asset_of(world.upload(b"same"))
    raced = BetweenReadAndWrite(world.records, (Kind.ASSET, Kind.BLOB, Kind.DIGEST), lambda: world.library.delete(second))
    Library(raced, world.store).delete(first)
    assert raced.done
    assert world.records.get(Ref(Kind.BLOB, "acme", first.blob)).state is BlobState.DOOMED
    assert world.records.get(Ref(Kind.DIGEST, "acme", first.facts.digest)) is None


def test_a_keep_that_races_with_the_purge_wins(world):
    asset = world.asset_of(world.upload(b"bytes"))
    world.door.pass_time(ANY_FILE.asset_ttl + 1)

    def keep_in_time():
        world.door.pass_time(-10)
        world.library.keep(asset)
        world.door.pass_time(10)

    raced = BetweenReadAndWrite(world.records, (Kind.ASSET,), keep_in_time)
    Retention(raced, world.store).purge_assets()
    assert raced.done
    assert world.library.asset(ACME, asset.id).expires_at is None
    world.sweep_all()
    assert world.content(asset) == b"bytes"


def test_one_asset_deleted_twice_lets_go_once(world):
    first, second = world.asset_of(world.upload(b"same")), world.asset_of(world.upload(b"same"))
    world.library.keep(second)
    raced = BetweenReadAndWrite(world.records, (Kind.ASSET, Kind.BLOB, Kind.DIGEST), lambda: world.library.delete(first))
    with pytest.raises(Moved):
        Library(raced, world.store).delete(first)
    with pytest.raises(Moved):
        world.library.delete(first)
    world.sweep_all()
    assert world.content(second) == b"same"


def test_the_same_bytes_settled_at_once_are_stored_once(world):
    world.hold()
    one, other = world.upload(b"same"), world.upload(b"same")
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.house.processing.process(other.tenant, other.id))
    world.processing(records=raced).process(one.tenant, one.id)
    assert raced.done
    assert world.asset_of(one).blob == world.asset_of(other).blob


# ---------------------------------------------------------------- leases and fences


class Monotonic:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def monotonic():
    return Monotonic()


@pytest.fixture
def requeue(world, monotonic):
    return Requeue(world.retention, world.door.jobs, monotonic)


def lose(world, requeue, monotonic) -> None:
    """The lease passes, and two looks are far enough apart."""
    requeue.requeue_stalled()
    world.door.pass_time(16)
    monotonic.at += 6
    requeue.requeue_stalled()


def claim(world, op):
    """A worker that dies right after its claim."""
    world.house.processing._claim(op.ref)


def test_a_lost_workers_operation_is_taken_over_and_its_late_settlement_fenced_off(world, requeue, monotonic):
    world.hold()
    op = world.upload(b"bytes")

    def another_takes_over():
        world.door.pass_time(11)
        lose(world, requeue, monotonic)
        world.door.jobs.run()

    slow = Meanwhile(world.store, "promote", another_takes_over)
    world.processing(store=slow).process(op.tenant, op.id)
    done = world.fresh(op)
    assert (done.status, done.attempt, done.losses) == (Status.COMPLETED, 2, 1)
    assert world.records.count(Index.EXPIRY_ASSETS) == 1


def test_a_late_settlement_is_fenced_off_while_the_next_attempt_is_at_work(world, requeue, monotonic):
    world.hold()
    op = world.upload(b"bytes")

    def another_begins():
        world.door.pass_time(11)
        lose(world, requeue, monotonic)
        claim(world, op)

    slow = Meanwhile(world.store, "promote", another_begins)
    world.processing(store=slow).process(op.tenant, op.id)
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.STARTED, 2)
    assert world.records.count(Index.EXPIRY_ASSETS) == 0


def test_a_late_fault_of_a_lost_worker_takes_nothing_from_the_next(world, requeue, monotonic):
    world.hold()
    op = world.upload(b"bytes")

    def another_begins():
        world.door.pass_time(11)
        lose(world, requeue, monotonic)
        claim(world, op)

    slow = Meanwhile(Down(world.store), "seal", another_begins)
    world.processing(store=slow).process(op.tenant, op.id)
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.STARTED, 2)


def test_a_poison_file_ends_after_max_attempts(world, requeue, monotonic):
    world.hold()
    op = world.upload(b"poison")
    for _ in range(ANY_FILE.max_attempts):
        claim(world, op)
        world.door.jobs.waiting.clear()
        world.door.pass_time(11)
        lose(world, requeue, monotonic)
    dead = world.fresh(op)
    assert (dead.status, dead.problem.code) == (Status.FAILED, Code.WORKER_LOST)
    world.sweep_all()
    assert world.indexed() == {}


def test_a_step_of_the_wall_clock_takes_nothing_over(world, requeue):
    world.hold()
    op = world.upload(b"bytes")
    claim(world, op)
    for _ in range(3):
        world.door.pass_time(3600)
        requeue.requeue_stalled()
    assert world.fresh(op).status is Status.STARTED


def test_a_worker_that_still_beats_keeps_its_operation(world, requeue, monotonic):
    from app.core.lease import Lease

    world.hold()
    op = world.upload(b"bytes")
    claim(world, op)
    lease = Lease(world.records, world.fresh(op))
    for _ in range(4):
        lease.renew()
        world.door.pass_time(14)
        monotonic.at += 6
        requeue.requeue_stalled()
    assert (world.fresh(op).status, world.fresh(op).heartbeat) == (Status.STARTED, 4)


def test_a_lost_message_is_sent_again_after_its_time(world, requeue):
    world.hold()
    op = world.upload(b"bytes")
    world.door.jobs.waiting.clear()
    requeue.requeue_stalled()
    assert not world.door.jobs.waiting
    world.door.pass_time(46)
    requeue.requeue_stalled()
    assert list(world.door.jobs.waiting) == [op.ref]
    requeue.requeue_stalled()
    assert len(world.door.jobs.waiting) == 1
    world.door.jobs.run()
    assert world.fresh(op).status is Status.COMPLETED


def test_a_long_queue_is_not_made_longer(world, requeue):
    world.hold()
    world.upload(b"one")
    world.upload(b"two")
    world.door.pass_time(600)
    requeue.requeue_stalled()
    assert len(world.door.jobs.waiting) == 2


def test_what_waits_very_long_is_sent_again_whatever_else_is_in_the_queue(world, requeue):
    world.hold()
    op = world.upload(b"one")
    world.door.jobs.waiting.clear()
    world.door.jobs.waiting.extend([replace(op.ref, id="a canary")] * 5)
    world.door.pass_time(700)
    requeue.requeue_stalled()
    assert list(world.door.jobs.waiting).count(op.ref) == 1


def test_an_operation_whose_upload_is_lost_ends_and_takes_its_blob_along(world, requeue, monotonic):
    world.hold()
    op = world.upload(b"bytes")
    claim(world, op)
    world.door.pass_time(11)
    lose(world, requeue, monotonic)
    world.records.commit([Ref(Kind.UPLOAD, "acme", op.upload_id)], lambda up: Change(drop=(up.ref,)))
    world.door.jobs.run()
    assert (world.fresh(op).status, world.fresh(op).problem.code) == (Status.FAILED, Code.GONE)
    assert blob_of(world, op).state is BlobState.DOOMED
    world.sweep_all()
    assert world.indexed() == {}


class Down:
    """A store whose promote fails."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)

    def promote(self, *_):
        raise StoreDown("the store is away")


def test_a_fault_of_the_store_burns_time_and_no_attempt(world, requeue):
    world.hold()
    op = world.upload(b"bytes")
    down = world.processing(store=Down(world.store))
    for _ in range(6):
        down.process(op.tenant, op.id)
        world.door.pass_time(130)
        requeue.requeue_stalled()
    again = world.fresh(op)
    assert (again.status, again.losses, again.faults) == (Status.QUEUED, 0, 6)
    world.door.jobs.run()
    assert world.fresh(op).status is Status.COMPLETED


def test_a_fault_that_outlasts_the_budget_fails_and_frees(world):
    world.hold()
    op = world.upload(b"bytes")
    down = world.processing(store=Down(world.store))
    down.process(op.tenant, op.id)
    world.door.pass_time(3700)
    down.process(op.tenant, op.id)
    assert world.fresh(op).problem.code is Code.STORE_FAULT
    world.sweep_all()
    assert world.indexed() == {}


# ---------------------------------------------------------------- promises at the door


def test_a_refused_image_fails_and_leaves_nothing(world):
    op = world.upload(b"no image at all", Policy())
    assert (op.status, op.problem.code) == (Status.FAILED, Code.NOT_AN_IMAGE)
    assert list(world.store.staged_before(-1)) == []
    world.sweep_all()
    assert world.indexed() == {}


class Cut(Bytes):
    """A sender that leaves in the middle."""

    def chunks(self, limit):
        yield next(super().chunks(min(limit, 3)))
        raise ClientGone


def never() -> None:
    raise AssertionError("what was cut is not verified")


def test_a_cut_body_is_kept_unless_it_was_to_be_verified(world):
    up = world.open()
    with pytest.raises(ClientGone):
        world.reception.append(up, Cut(b"bytes"), 0)
    assert world.fresh(up).offset == 3
    with pytest.raises(ClientGone):
        world.reception.append(world.fresh(up), Cut(b"esand"), 3, never)
    assert (world.fresh(up).offset, world.fresh(up).verifying) == (3, False)
    with pytest.raises(ClientGone):
        world.reception.append(world.fresh(up), Cut(b"again"), 0, never)
    assert world.fresh(up).offset == 0
    op = world.reception.take(world.fresh(up), Bytes(b"whole"))
    assert world.content(world.asset_of(op)) == b"whole"


def test_finish_again_gives_the_same_operation(world):
    up = world.open()
    world.reception.append(up, Bytes(b"bytes"), 0)
    first = world.reception.finish(world.fresh(up))
    assert world.reception.finish(world.fresh(up)).id == first.id
    assert world.reception.finish(up).id == first.id


class Choosy:
    """A store that cannot keep one of the manifests, for a reason that nobody thought of."""

    def __init__(self, store, unlucky: str) -> None:
        self.store, self.unlucky = store, unlucky

    def __getattr__(self, name):
        return getattr(self.store, name)

    def save(self, key, content):
        if self.unlucky in key:
            raise ValueError(key)
        self.store.save(key, content)


@pytest.mark.parametrize("unlucky", range(3))
def test_a_record_that_brings_out_a_bug_stands_in_nobodys_way(world, caplog, unlucky):
    ids = [world.asset_of(world.upload(b"%d" % n)).id for n in range(3)]
    swept = replace(world.retention, store=Choosy(world.store, ids[unlucky])).write_manifests()
    assert swept.done == 2
    assert [ref.id for ref, _ in world.records.due(Index.MANIFEST, world.records.now(), 10)] == [ids[unlucky]]
    assert [record.ref for record in caplog.records if record.levelname == "ERROR"] == [ids[unlucky]]


def test_sweeps_at_once_do_no_harm(world):
    ops = [world.upload(b"%d" % n) for n in range(5)]
    world.door.pass_time(ANY_FILE.asset_ttl + 1)
    raced = BetweenReadAndWrite(world.records, (Kind.ASSET,), world.retention.purge_assets)
    Retention(raced, world.store).purge_assets()
    assert raced.done
    assert world.records.count(Index.EXPIRY_ASSETS) == 0
    assert {world.records.get(Ref(Kind.BLOB, "acme", f"blobs/acme/{op.upload_id}")).state for op in ops} == {BlobState.DOOMED}


def test_bytes_at_rest_wait_for_their_manifest(world):
    asset = world.asset_of(world.upload(b"bytes"))
    world.library.delete(asset)
    world.door.pass_time(3600)
    world.retention.delete_doomed()
    assert world.content(asset) == b"bytes"
    world.retention.write_manifests()
    world.retention.delete_doomed()
    with pytest.raises(Exception, match="removed"):
        world.content(asset)


def test_a_manifest_that_can_never_be_written_does_not_keep_bytes_for_ever(world):
    asset, stuck = (world.asset_of(world.upload(content)) for content in (b"bytes", b"other"))
    world.retention.write_manifests()
    world.library.keep(stuck)
    world.library.delete(asset)
    world.records.settle_index(
        Index.MANIFEST, [(asset.ref, at) for ref, at in world.records.due(Index.MANIFEST, 1e12, 9) if ref == asset.ref]
    )
    world.door.pass_time(timing.ORPHAN - 60)
    world.retention.delete_doomed()
    assert world.rests(asset.blob)
    world.door.pass_time(120)
    world.retention.delete_doomed()
    assert not world.rests(asset.blob)


def test_an_asset_that_is_made_anew_while_the_old_one_is_buried_stays(world):
    old = world.asset_of(world.sent(b"old", target=Target(asset_id="mine")))
    world.library.delete(old)

    def bury_and_make_anew():
        world.retention.write_manifests()
        world.sent(b"new", target=Target(asset_id="mine"))

    raced = Meanwhile(world.store, "remove", bury_and_make_anew)
    replace(world.retention, store=raced).write_manifests()
    assert raced.done
    assert world.content(world.library.asset(ACME, "mine")) == b"new"


def test_orphans_go_and_living_uploads_stay(world):
    living = world.open()
    world.reception.append(living, Bytes(b"half"), 0)
    orphan = world.open()
    world.reception.append(orphan, Bytes(b"lost"), 0)
    refs = [orphan.ref, orphan.parts_ref, orphan.operation_ref]
    world.records.commit(refs, lambda *_: Change(drop=tuple(refs)))
    old = [staged.key for staged in world.store.staged_before(-1)]
    assert len(old) == 2
    aged = Meanwhile(world.store, "", None)
    aged.staged_before = lambda _age: world.store.staged_before(-1)
    Retention(world.records, aged).sweep_orphans()
    assert [staged.key for staged in world.store.staged_before(-1)] == [living.staged.key]


def test_the_id_of_an_upload_is_not_given_again_while_its_bytes_rest(world):
    asset = world.asset_of(world.reception.take(world.open(id="chosen"), Bytes(b"first")))
    world.library.keep(asset)
    world.sweep_all()
    assert world.records.get(Ref(Kind.UPLOAD, "acme", "chosen")) is None
    with pytest.raises(Moved) as refused:
        world.open(id="chosen")
    assert refused.value.code is Code.EXISTS
    assert world.content(world.fresh(asset)) == b"first"


def test_another_tenant_knows_nothing(world):
    op = world.upload(b"bytes")
    stranger = replace(ACME, tenant="other")
    for look, unknown in ((world.library.operation, op.id), (world.library.asset, op.asset_ids[0]), (world.library.upload, op.upload_id)):
        with pytest.raises(Exception, match="no such"):
            look(stranger, unknown)

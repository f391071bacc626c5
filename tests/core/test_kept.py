"""Uploads that keep their bytes for later use, and files that a worker fetches."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.core import attaching
from app.core.endings import lost
from app.core.errors import Code, Moved, StoreDown, UploadError
from app.core.operation import ATTACH, Status
from app.core.policy import DAY
from app.core.reception import Opening
from app.core.refs import Kind, Ref
from app.core.target import Target
from app.core.upload import State
from tests.core.worlds import ACME, ANY_FILE, BetweenReadAndWrite, Meanwhile, World

FOR_EVER = replace(ANY_FILE, asset_ttl=None)


@pytest.fixture
def world(door):
    return World(door)


def attach(world, up, **target):
    return world.reception.attach(ACME, up, Target(**target))


def ended(world, op) -> tuple[Status, Code | None]:
    current = world.fresh(op)
    return current.status, current.problem.code if current.problem else None


def test_a_kept_upload_is_no_asset_and_becomes_as_many_as_are_wanted(world):
    up = world.kept(b"bytes", FOR_EVER, filename="a.bin")
    assert (up.state, up.attaching, world.rests(up.blob)) == (State.FINISHED, (), True)
    assert world.library.assets(ACME).total == 0
    assets = [world.asset_of(attach(world, up, filename=name)) for name in (None, "b.bin")]
    assert [asset.filename for asset in assets] == ["a.bin", "b.bin"]
    assert {asset.blob for asset in assets} == {up.blob}
    assert world.fresh(up).attaching == ()


def test_the_assets_keep_their_bytes_when_the_upload_is_over(world):
    up = world.kept(b"bytes", FOR_EVER)
    asset = world.asset_of(attach(world, up))
    world.sweep_all()
    assert world.fresh(up) is None
    assert world.content(asset) == b"bytes"
    world.library.delete(asset)
    world.sweep_all()
    assert not world.rests(asset.blob)
    assert world.indexed() == {}


def test_an_upload_that_nobody_used_goes_at_its_deadline_with_its_bytes(world):
    up = world.kept(b"bytes", expires_at=world.records.now() + DAY)
    world.door.pass_time(DAY - 60)
    world.door.sweep()
    assert world.fresh(up).state is State.FINISHED
    world.door.pass_time(120)
    world.door.sweep()
    assert world.fresh(up).state is State.EXPIRED
    with pytest.raises(Moved) as late:
        attach(world, up)
    assert late.value.code is Code.NOT_FOUND
    world.sweep_all()
    assert not world.rests(up.blob)
    assert world.indexed() == {}


def test_an_upload_whose_bytes_come_to_rest_while_it_expires_lets_go_of_them(world):
    world.hold()
    up = world.kept(b"bytes", expires_at=world.records.now() + DAY)
    world.door.pass_time(2 * DAY)
    raced = Meanwhile(world.records, "commit", world.door.jobs.run)
    replace(world.retention, records=raced).expire_uploads()
    assert raced.done
    world.sweep_all()
    assert not world.rests(f"blobs/acme/{up.id}")
    assert world.records.get(Ref(Kind.BLOB, "acme", f"blobs/acme/{up.id}")) is None


def test_an_upload_is_late_before_the_sweep_says_so(world):
    up = world.kept(b"bytes", expires_at=world.records.now() + DAY)
    world.door.pass_time(DAY + 1)
    with pytest.raises(Moved):
        attach(world, up)


def test_no_upload_expires_while_an_attachment_is_under_way(world):
    up = world.kept(b"bytes", FOR_EVER, expires_at=world.records.now() + DAY)
    world.hold()
    op = attach(world, up)
    world.door.pass_time(2 * DAY)
    world.house.retention.expire_uploads()
    assert world.fresh(up).state is State.FINISHED
    world.door.jobs.run()
    assert world.content(world.asset_of(op)) == b"bytes"
    world.house.retention.expire_uploads()
    assert world.fresh(up).state is State.EXPIRED


def test_an_upload_that_expires_between_read_and_write_is_not_attached(world):
    up = world.kept(b"bytes", expires_at=world.records.now() + DAY)

    def expire():
        world.door.pass_time(2 * DAY)
        world.house.retention.expire_uploads()

    raced = BetweenReadAndWrite(world.records, (Kind.OPERATION, Kind.UPLOAD), expire)
    with pytest.raises(Moved) as late:
        replace(world.reception, records=raced).attach(ACME, up, Target())
    assert raced.done
    assert late.value.code is Code.NOT_FOUND
    assert world.library.assets(ACME).total == 0


# ---------------------------------------------------------------- before it is measured


@pytest.mark.parametrize("order", [1, -1], ids=["measured first", "attached first"])
def test_an_attachment_need_not_wait_for_its_turn(world, order):
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)
    for ref in (up.operation_ref, op.ref)[::order]:
        world.house.processing.process(ref.tenant, ref.id)
    assert world.content(world.asset_of(op)) == b"bytes"
    assert ended(world, world.records.get(up.operation_ref)) == (Status.COMPLETED, None)


def test_an_attachment_waits_for_the_worker_that_measures(world):
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)
    other = Meanwhile(world.store, "promote", lambda: looked.append(ended(world, op)))
    looked: list = []
    taking = world.processing(store=other)

    def measure_elsewhere():
        taking.process(up.tenant, up.operation_id)

    late = Meanwhile(world.house.processing.attaching, "measured", measure_elsewhere)
    world.processing(attaching=late).process(op.tenant, op.id)
    assert looked == [(Status.STARTED, None)]
    assert world.content(world.asset_of(op)) == b"bytes"


def test_what_was_refused_cannot_be_attached(world):
    world.hold()
    up = world.kept(b"bytes", replace(FOR_EVER, media_types=("image/png",), judge=True))
    op = attach(world, up)
    world.door.jobs.run()
    assert ended(world, op) == (Status.FAILED, Code.NOT_AN_IMAGE)
    assert world.fresh(up).attaching == ()
    world.sweep_all()
    assert world.indexed() == {}


class Away:
    """A store whose promote fails, and counts how often it was asked."""

    def __init__(self, store) -> None:
        self.store, self.asked = store, 0

    def __getattr__(self, name):
        return getattr(self.store, name)

    def promote(self, *_):
        self.asked += 1
        raise StoreDown("the store is away")


def test_an_attachment_leaves_a_store_that_is_away_alone(world):
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)
    away = Away(world.store)
    world.processing(store=away).process(op.tenant, op.id)
    assert away.asked == 1
    assert (world.fresh(op).status, world.fresh(op).faults) == (Status.QUEUED, 1)
    world.door.pass_time(10)
    world.door.jobs.run()
    assert world.content(world.asset_of(op)) == b"bytes"


def test_an_attachment_that_measured_for_long_itself_goes_on(world, monkeypatch):
    at = [0.0]
    monkeypatch.setattr(attaching, "time", SimpleNamespace(monotonic=lambda: at[0]))
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)

    def slowly():
        at[0] += attaching.PATIENCE + 1

    world.processing(store=Meanwhile(world.store, "promote", slowly)).process(op.tenant, op.id)
    assert ended(world, op) == (Status.COMPLETED, None)


def test_an_attachment_does_not_wait_for_ever(world, monkeypatch):
    at = [0.0]

    def look_again(seconds):
        at[0] += seconds

    monkeypatch.setattr(attaching, "time", SimpleNamespace(monotonic=lambda: at[0], sleep=look_again))
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)
    world.house.processing._claim(up.operation_ref)  # a worker that takes its time
    world.house.processing.process(op.tenant, op.id)
    assert attaching.PATIENCE < at[0] < attaching.PATIENCE + 1
    assert (world.fresh(op).status, world.fresh(op).faults, world.fresh(op).losses) == (Status.QUEUED, 1, 0)


# ---------------------------------------------------------------- ends


def test_a_cancelled_attachment_leaves_the_upload_to_others(world):
    up = world.kept(b"bytes", FOR_EVER)
    world.hold()
    given_up, other = attach(world, up), attach(world, up)
    world.reception.cancel(given_up)
    world.door.jobs.run()
    assert ended(world, given_up) == (Status.CANCELLED, None)
    assert world.content(world.asset_of(other)) == b"bytes"
    assert world.fresh(up).attaching == ()


def test_an_attachment_that_is_cancelled_before_the_bytes_are_measured_leaves_them(world):
    world.hold()
    up = world.kept(b"bytes", FOR_EVER)
    given_up, other = attach(world, up), attach(world, up)
    world.reception.cancel(given_up)
    world.door.jobs.run()
    assert ended(world, other) == (Status.COMPLETED, None)
    assert world.content(world.asset_of(other)) == b"bytes"


def test_a_lost_attachment_that_fails_lets_go_of_the_upload(world):
    up = world.kept(b"bytes", FOR_EVER)
    world.hold()
    op = attach(world, up)
    for _ in range(up.policy.max_attempts):
        work = world.house.processing._claim(op.ref)  # as a worker does that is then lost
        refs = work.refs

        def step(*found):
            return lost(*found, world.records.now())

        world.records.commit(refs, step)
    assert ended(world, op) == (Status.FAILED, Code.WORKER_LOST)
    assert world.fresh(up).attaching == ()
    assert world.rests(up.blob)


def test_a_discarded_upload_is_gone_at_once_and_only_once(world):
    up = world.kept(b"bytes")
    world.reception.discard(up)
    with pytest.raises(Moved) as again:
        world.reception.discard(world.fresh(up))
    assert again.value.code is Code.NOT_FOUND
    with pytest.raises(Moved):
        attach(world, up)
    world.sweep_all()
    assert not world.rests(up.blob)
    assert world.indexed() == {}


@pytest.mark.parametrize("measured", [True, False])
def test_what_is_under_way_still_has_the_bytes_of_a_discarded_upload(world, measured):
    if measured:
        up = world.kept(b"bytes", FOR_EVER)
        world.hold()
    else:
        world.hold()
        up = world.kept(b"bytes", FOR_EVER)
    op = attach(world, up)
    world.reception.discard(world.fresh(up))
    with pytest.raises(Moved):
        attach(world, up)
    world.door.jobs.run()
    assert world.content(world.asset_of(op)) == b"bytes"
    world.sweep_all()
    assert world.fresh(up) is None


def test_the_upload_outlives_the_retention_of_its_operation(world):
    up = world.kept(b"bytes", replace(FOR_EVER, operation_ttl=60.0), expires_at=world.records.now() + DAY)
    world.door.pass_time(3600)
    world.door.sweep()
    assert world.content(world.asset_of(attach(world, world.fresh(up)))) == b"bytes"


def test_a_purged_attachment_leaves_the_upload(world):
    up = world.kept(b"bytes", replace(FOR_EVER, operation_ttl=60.0), expires_at=world.records.now() + DAY)
    op = attach(world, up)
    assert world.fresh(op).kind == ATTACH
    world.door.pass_time(3600)
    world.house.retention.purge_operations()
    assert world.records.gone(op.ref)
    assert world.fresh(up).state is State.FINISHED


# ---------------------------------------------------------------- fetched


def fetch(world, url: str = "https://example.org/a.bin", policy=FOR_EVER, **target):
    return world.reception.fetch(ACME, "v1", policy, Opening("a.bin", source=url, target=Target(**target)))


def test_a_file_is_fetched_and_becomes_an_asset(world):
    world.door.fetcher.files["https://example.org/a.bin"] = b"bytes"
    op = fetch(world, asset_id="mine")
    assert ended(world, op) == (Status.COMPLETED, None)
    assert world.content(world.library.asset(ACME, "mine")) == b"bytes"
    assert list(world.store.staged_before(-1)) == []


@pytest.mark.parametrize(
    ("content", "code"), [(None, Code.FETCH_FAILED), (b"x" * 11, Code.TOO_LARGE), (b"", Code.EMPTY)], ids=["nothing", "too much", "empty"]
)
def test_a_file_that_cannot_be_had_fails_its_operation_and_leaves_nothing(world, content, code):
    if content is not None:
        world.door.fetcher.files["https://example.org/a.bin"] = content
    op = fetch(world, policy=replace(FOR_EVER, max_bytes=10))
    assert ended(world, op) == (Status.FAILED, code)
    world.sweep_all()
    assert world.indexed() == {}
    assert list(world.store.staged_before(-1)) == []


def test_a_fetch_that_was_lost_begins_again(world):
    world.door.fetcher.files["https://example.org/a.bin"] = b"bytes"
    world.hold()
    op = fetch(world)
    dying = Meanwhile(world.store, "seal", lambda: _die(world, op))
    world.processing(store=dying).process(op.tenant, op.id)
    assert dying.done
    world.door.jobs.hold = False
    world.house.processing.process(op.tenant, op.id)
    assert ended(world, op) == (Status.COMPLETED, None)
    assert world.content(world.asset_of(op)) == b"bytes"


def _die(world, op) -> None:
    """The lease of the worker was taken over: what it does from now on is in vain."""
    current = world.fresh(op)
    refs = [op.ref, Ref(Kind.UPLOAD, op.tenant, op.upload_id), Ref(Kind.BLOB, op.tenant, f"blobs/{op.tenant}/{op.upload_id}")]
    world.records.commit(refs, lambda *found: lost(*found, world.records.now()))
    assert world.fresh(current).status is Status.QUEUED


def test_a_fetch_that_is_cancelled_makes_nothing(world):
    world.door.fetcher.files["https://example.org/a.bin"] = b"bytes"
    world.hold()
    op = fetch(world)
    cancel = Meanwhile(world.store, "write", lambda: world.reception.cancel(world.fresh(op)))
    fetching = replace(world.house.processing.fetching, store=cancel)
    world.processing(fetching=fetching).process(op.tenant, op.id)
    assert ended(world, op) == (Status.CANCELLED, None)
    assert world.library.assets(ACME).total == 0
    assert list(world.store.staged_before(-60)) == []
    world.sweep_all()
    assert world.indexed() == {}


def test_a_waiting_fetch_is_not_expired_by_the_uploads_deadline(world):
    world.door.fetcher.files["https://example.org/a.bin"] = b"bytes"
    world.hold()
    op = fetch(world)
    world.door.pass_time(FOR_EVER.upload_ttl + 60)
    world.house.retention.expire_uploads()
    world.door.jobs.run()
    assert ended(world, op) == (Status.COMPLETED, None)


def test_an_upload_id_of_the_dialects_choice_is_taken_once(world):
    world.kept(b"bytes", id="chosen")
    with pytest.raises(UploadError) as taken:
        world.open(id="chosen")
    assert taken.value.code is Code.EXISTS


def test_no_upload_expires_before_it_is_measured(world):
    world.hold()
    up = world.kept(b"bytes", expires_at=world.records.now() + DAY)
    world.door.pass_time(2 * DAY)
    world.house.retention.expire_uploads()
    assert world.fresh(up).state is State.FINISHED
    world.door.jobs.run()
    world.sweep_all()
    assert world.fresh(up) is None
    assert world.indexed() == {}

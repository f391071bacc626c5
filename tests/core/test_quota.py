"""What a tenant may take up: reserved when it is announced, charged when it comes, given back however it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import Code, UploadError
from app.core.operation import Status
from app.core.policy import Policy
from app.core.reception import Opening
from app.core.renditions import Spec
from app.core.tally import Tally
from app.core.target import Target
from app.core.upload import State
from tests.core.worlds import ACME, ANY_FILE, Bytes, World
from tests.dialects.house import Door
from tests.services.pictures import photo

PARTS = replace(ANY_FILE, part_size=10, max_bytes=1000)
QUOTA = 1000


class Endless(Bytes):
    """A body whose length nobody knows."""

    def __init__(self, content):
        super().__init__(content)
        self.length = None


@pytest.fixture
def world(tmp_path):
    """A house in which every tenant may have 1,000 bytes and 5 uploads; its workers wait until `work`."""
    door = Door(tmp_path, SLIPWAY_QUOTA_BYTES=str(QUOTA), SLIPWAY_QUOTA_UPLOADS="5")
    door.jobs.hold = True
    yield World(door)
    door.close()


def tally(world, tenant="acme"):
    return world.records.standing(tenant).tally


def work(world):
    while world.door.jobs.waiting:
        ref = world.door.jobs.waiting.popleft()
        world.house.process(ref.tenant, ref.id)


def refused(ask, *args, **kwargs):
    with pytest.raises(UploadError) as error:
        ask(*args, **kwargs)
    return error.value.code


# ---------------------------------------------------------------- reserved, and given back


def test_an_announced_length_is_reserved_at_once(world):
    first = world.open(length=600)
    assert tally(world) == Tally(0, 600, 1)
    assert refused(world.open, length=401) is Code.QUOTA_EXCEEDED
    world.open(length=400)
    assert tally(world) == Tally(0, 1000, 2)
    world.reception.append(first, Bytes(b"x" * 500), 0)
    assert tally(world) == Tally(0, 1000, 2)


def test_uploads_under_way_are_counted(world):
    opened = [world.open() for _ in range(5)]
    assert refused(world.open) is Code.QUOTA_EXCEEDED
    assert refused(world.reception.fetch, ACME, "v1", ANY_FILE, _from("http://host/a")) is Code.QUOTA_EXCEEDED
    world.reception.withdraw(opened[0])
    world.open()


def _cancelled(world, up):
    world.reception.cancel(world.records.get(up.operation_ref))


def _expired(world, _up):
    world.door.pass_time(700)
    world.retention.expire_uploads()


def _refused_by_a_worker(world, up):
    world.reception.take(up, Bytes(b"no image" + bytes(92)))
    assert tally(world) == Tally(0, 100, 1)
    work(world)
    assert world.records.get(up.operation_ref).status is Status.FAILED


@pytest.mark.parametrize("end", [_cancelled, _expired, _refused_by_a_worker])
def test_what_comes_to_nothing_gives_everything_back(world, end):
    end(world, world.open(Policy(), length=100))
    assert tally(world) == Tally()


def test_settled_bytes_count_until_they_are_deleted_and_equal_ones_once(world):
    ops = [world.upload(b"x" * 300) for _ in range(2)]
    assert tally(world) == Tally(0, 600, 2)
    work(world)
    assert tally(world) == Tally(300, 0, 0)
    world.library.delete(world.asset_of(ops[0]))
    assert tally(world) == Tally(300, 0, 0)
    world.library.delete(world.asset_of(ops[1]))
    assert tally(world) == Tally()


def test_earlier_contents_count_as_long_as_they_stay(world):
    target = Target(asset_id="mine", replace=True, revisions=1)
    for number, taken in ((1, 100), (2, 200), (3, 200)):
        world.sent(bytes([number]) * 100, target=target)
        work(world)
        assert tally(world) == Tally(taken, 0, 0)


def test_a_kept_upload_counts_once_with_the_assets_that_have_its_bytes(world):
    up = world.kept(b"x" * 400)
    work(world)
    op = world.reception.attach(ACME, up, Target())
    work(world)
    assert tally(world) == Tally(400, 0, 0)
    world.reception.discard(world.fresh(up))
    assert tally(world) == Tally(400, 0, 0)
    world.library.delete(world.asset_of(op))
    assert tally(world) == Tally()


# ---------------------------------------------------------------- lengths that nobody knows


def test_a_stream_is_charged_for_what_came(world):
    up = world.open()
    for offset in (0, 400):
        up = world.reception.append(up, Endless(b"x" * 400), offset)
    assert tally(world) == Tally(0, 800, 1)
    assert refused(world.reception.append, up, Endless(b"x" * 400), 800) is Code.QUOTA_EXCEEDED
    assert (tally(world), world.store.extent(up.staged, 0)) == (Tally(0, 800, 1), 800)
    world.reception.append(world.fresh(up), Endless(b"x" * 200), 800)
    assert tally(world) == Tally(0, 1000, 1)


def test_a_whole_body_that_is_too_much_leaves_nothing(world):
    up = world.open()
    assert refused(world.reception.take, up, Endless(b"x" * 1001)) is Code.QUOTA_EXCEEDED
    assert (tally(world), world.store.extent(up.staged, 0)) == (Tally(0, 0, 1), 0)


def test_a_body_is_cut_where_the_quota_ends_while_it_comes(world, monkeypatch):
    """The store is not asked to take what would be refused anyway; an announced length needs no second look."""
    monkeypatch.setattr("app.core.metering.LOOK", 0.0)
    came = []

    class Telling:
        """A store that says of every run of bytes that it came."""

        def __getattr__(self, name):
            return getattr(world.store, name)

        def write(self, staged, offset, part_size, body, limit, tick):
            for reached in (1000, 1001, 1002):
                tick(reached)
                came.append(reached)
            return world.store.write(staged, offset, part_size, body, limit, tick)

    reception = replace(world.reception, store=Telling())
    assert refused(reception.append, world.open(), Endless(b"x" * 1002), 0) is Code.QUOTA_EXCEEDED
    assert came == [1000]
    assert reception.append(world.open(length=10), Bytes(b"x" * 10), 0).offset == 10


def test_a_length_that_is_declared_late_is_reserved_then(world):
    up = world.open()
    assert refused(world.reception.streams.declare, up, 1001) is Code.QUOTA_EXCEEDED
    world.reception.streams.declare(up, 1000)
    assert tally(world) == Tally(0, 1000, 1)


def test_parts_of_an_unknown_whole_are_charged_before_they_come(world):
    up = world.open(PARTS, planned=True)
    for number in (1, 3, 2, 3):
        world.reception.accept_part(world.fresh(up), number, Bytes(b"x" * 10))
    assert tally(world) == Tally(0, 30, 1)
    world.open(length=960)
    assert refused(world.reception.accept_part, world.fresh(up), 5, Bytes(b"x")) is Code.QUOTA_EXCEEDED
    assert sorted(world.reception.held(up).held) == [1, 2, 3]
    world.reception.accept_part(world.fresh(up), 4, Bytes(b"x" * 7))
    world.reception.finish(world.fresh(up))
    assert tally(world) == Tally(0, 997, 2)


# ---------------------------------------------------------------- what workers bring


def _from(url):
    return Opening("n", source=url)


def test_a_fetched_file_that_is_too_much_fails_its_operation(world):
    world.door.fetcher.files = {"http://host/a": b"x" * 1001, "http://host/b": b"x" * 1000}
    ops = [world.reception.fetch(ACME, "v1", ANY_FILE, _from(f"http://host/{name}")) for name in "ab"]
    assert tally(world) == Tally(0, 0, 2)
    work(world)
    first, second = map(world.fresh, ops)
    assert (first.status, first.problem.code) == (Status.FAILED, Code.QUOTA_EXCEEDED)
    assert second.status is Status.COMPLETED
    assert tally(world) == Tally(1000, 0, 0)


def test_a_rendition_that_is_too_much_is_not_kept(world):
    picture = photo(8, 8, "PNG", seed=1)
    of = world.sent(picture)
    work(world)
    asset = world.asset_of(of)
    filler = world.open(length=QUOTA - len(picture))
    op = world.house.rendering.request(asset, Spec(4))
    work(world)
    assert world.fresh(op).problem.code is Code.QUOTA_EXCEEDED
    assert tally(world).rest == len(picture)
    _cancelled(world, filler)
    world.door.pass_time(301)
    world.house.rendering.request(asset, Spec(4))
    work(world)
    assert tally(world).rest == len(picture) + world.house.rendering.size(asset)
    world.library.delete(asset)
    world.retention.write_manifests()
    assert tally(world) == Tally()


def test_tenants_do_not_share_anything(world):
    other = replace(ACME, tenant="other")
    for who in (ACME, other):
        world.sent(b"x" * 1000, who)
    work(world)
    assert tally(world) == tally(world, "other") == Tally(1000, 0, 0)


def test_what_was_let_in_settles_though_the_quota_was_lowered_meanwhile(world):
    op = world.upload(b"x" * 1000)
    world.house.tallies.allow("acme", "bytes", 1)
    work(world)
    assert world.fresh(op).status is Status.COMPLETED
    assert world.records.get(op.ref).problem is None
    assert world.records.get(world.asset_of(op).ref).state
    assert refused(world.open, length=1) is Code.QUOTA_EXCEEDED
    assert world.open().state is State.OPEN

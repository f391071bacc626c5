"""Renditions: made once however many ask, made of the bytes that the asset has, gone with it, and never more than there is room for."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from app.core import endings, rendering, renditions
from app.core.asset import BlobState
from app.core.errors import BrokerDown, Code, Moved, StoreDown, UploadError
from app.core.operation import Operation, Status
from app.core.refs import Index, Kind, Ref
from app.core.rendering import REMEMBERED, RETENTION, Ready
from app.core.renditions import Mode, Spec, renditions_ref
from app.core.requeue import Requeue
from app.core.target import Target
from tests.core.worlds import ACME, BetweenReadAndWrite, Meanwhile, World
from tests.services.pictures import photo

SMALL = Spec(16)
PROMISE = (Kind.ASSET, Kind.RENDITIONS, Kind.OPERATION)
SETTLE = (Kind.OPERATION, Kind.ASSET, Kind.RENDITIONS, Kind.BLOB)


class Studio(World):
    """A world with renditions."""

    def __init__(self, door) -> None:
        super().__init__(door)
        self.rendering, self.drawing = door.house.rendering, door.house.drawing

    def picture(self, seed: int = 1, **target):
        return self.asset_of(self.sent(photo(64, 48, "PNG", seed=seed), filename="a.png", target=Target(**target)))

    def run(self):
        self.door.jobs.run()

    def draw(self, op, **ports) -> None:
        replace(self.drawing, **ports).draw(op.tenant, op.id)

    def blob(self, op):
        return self.records.get(Ref(Kind.BLOB, op.tenant, op.order.key))

    def known(self, of):
        return self.records.get(renditions_ref(of.tenant, of.id))

    def image(self, ready):
        with self.rendering.read(ready, 0, ready.facts.size) as fetched:
            return Image.open(io.BytesIO(b"".join(fetched.chunks)))

    def ready(self, of, spec):
        """Rendered, by whoever; the messages are run."""
        got = self.rendering.request(of, spec)
        self.run()
        return got if isinstance(got, Ready) else self.rendering.found(of, spec)


@pytest.fixture
def world(door):
    return Studio(door)


# ---------------------------------------------------------------- made once


def test_a_rendition_is_promised_made_and_kept(world):
    of = world.picture()
    assert world.rendering.found(of, SMALL) is None
    world.hold()
    op = world.rendering.request(of, SMALL)
    assert (op.status, op.kind, op.asset_ids) == (Status.QUEUED, "render", (of.id,))
    world.run()
    done = world.fresh(op)
    assert (done.status, done.progress.stage, done.problem) == (Status.COMPLETED, "completed", None)
    ready = world.rendering.request(of, SMALL)
    assert ready == world.rendering.found(of, SMALL)
    assert (ready.facts.width, ready.facts.height, ready.facts.media_type, ready.facts.frames) == (16, 12, "image/png", 1)
    assert world.image(ready).size == (16, 12)
    assert world.rendering.size(of) == ready.facts.size > 0
    assert (world.blob(op).state, world.blob(op).holders, world.blob(op).digest) == (BlobState.LIVE, 1, ready.facts.digest)
    assert ready.blob.startswith("renditions/acme/")
    assert world.fresh(of) == of


def test_what_comes_out_alike_is_made_once(world):
    of = world.picture()
    one = world.ready(of, Spec(16, media_type="image/webp"))
    assert world.rendering.request(of, Spec(16, media_type="image/webp", quality=80)) == one
    assert world.ready(of, Spec(16, media_type="image/webp", quality=81)) != one
    assert len(world.known(of).entries) == 2


def test_who_asks_while_it_is_made_waits_for_the_same(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    assert world.rendering.request(of, SMALL).id == op.id
    started = Meanwhile(world.store, "place", lambda: asked.append(world.rendering.request(of, SMALL)))
    asked = []
    world.draw(op, store=started)
    assert [(a.id, a.status) for a in asked] == [(op.id, Status.STARTED)]
    assert world.records.count(Index.QUEUED) == 0


def test_two_that_ask_at_once_make_one_operation(world):
    of = world.picture()
    world.hold()
    first = []
    raced = BetweenReadAndWrite(world.records, PROMISE, lambda: first.append(world.rendering.request(of, SMALL)))
    second = replace(world.rendering, records=raced).request(of, SMALL)
    assert raced.done
    assert second.id == first[0].id
    assert world.records.count(Index.QUEUED) == 1


def test_two_that_ask_for_different_ones_at_once_get_both(world):
    of = world.picture()
    raced = BetweenReadAndWrite(world.records, PROMISE, lambda: world.rendering.request(of, Spec(10)))
    replace(world.rendering, records=raced).request(of, SMALL)
    assert raced.done
    assert world.rendering.found(of, SMALL)
    assert world.rendering.found(of, Spec(10))


def test_a_request_that_reads_just_before_it_is_made_gets_it(world):
    """It finds the entry without facts, and then the operation completed."""
    of = world.picture()
    world.hold()
    world.rendering.request(of, SMALL)

    class Late:
        now, commit = world.records.now, world.records.commit
        reads = 0

        def get(self, ref):
            found = world.records.get(ref)
            self.reads += 1
            if self.reads == 1:
                world.run()
            return found

    assert isinstance(replace(world.rendering, records=Late()).request(of, SMALL), Ready)


def test_a_message_that_comes_twice_makes_one(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    world.door.jobs.run(times=2)
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.COMPLETED, 1)


def test_a_second_message_while_the_first_is_at_work_is_dropped(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    again = Meanwhile(world.store, "place", lambda: world.draw(op))
    world.draw(op, store=again)
    assert again.done
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.COMPLETED, 1)


def test_without_a_broker_the_sweep_sends_it(world):
    class Down:
        def process(self, _):
            raise BrokerDown("no broker")

    of = world.picture()
    op = replace(world.rendering, jobs=Down()).request(of, SMALL)
    world.door.pass_time(60)
    world.house.requeue.requeue_stalled()
    assert world.fresh(op).status is Status.COMPLETED


def test_a_file_of_the_store_itself_is_read(tmp_path):
    from tests.dialects.house import Door

    door = Door(tmp_path, SLIPWAY_STORE=f"file://{tmp_path}/store")
    world = Studio(door)
    assert world.image(world.ready(world.picture(), SMALL)).size == (16, 12)
    door.close()


# ---------------------------------------------------------------- what can be asked


@pytest.mark.parametrize(
    ("content", "spec", "applies"),
    [
        (photo(8, 8, "PNG"), Spec(4), True),
        (photo(8, 8, "PNG"), Spec(), False),
        (photo(8, 8, "PNG"), Spec(media_type="image/png"), False),
        (photo(8, 8, "PNG"), Spec(media_type="image/gif"), True),
        (photo(8, 8, "BMP"), Spec(4), False),
        (b"plain text", Spec(4), False),
    ],
)
def test_it_applies_to_images_of_which_something_else_is_wanted(world, content, spec, applies):
    of = world.asset_of(world.upload(content))
    assert world.rendering.applies(of, spec) is applies
    if not applies:
        with pytest.raises(UploadError) as refused:
            world.rendering.request(of, spec)
        assert refused.value.code is Code.NOT_AN_IMAGE


@pytest.mark.parametrize("end", ["delete", "trash"])
def test_nothing_is_made_of_what_is_gone(world, end):
    of = world.picture()
    getattr(world.library, end)(of)
    with pytest.raises(Moved) as refused:
        world.rendering.request(of, SMALL)
    assert refused.value.code is Code.GONE
    assert world.known(of) is None


def test_a_placeholder_has_nothing_to_be_made_of(world):
    of = world.library.placeholder(ACME, "v1", "a.png")
    assert not world.rendering.applies(of, SMALL)
    assert world.rendering.found(of, SMALL) is None


# ---------------------------------------------------------------- gone with the asset


def gone(world, op):
    """The operation failed because nobody waits for it, and nothing stays."""
    ended = world.fresh(op)
    return ended.status is Status.FAILED and ended.problem.code is Code.GONE


def test_the_renditions_of_a_deleted_asset_go_with_it(world):
    of = world.picture()
    keys = [world.ready(of, Spec(width)).blob for width in (5, 6, 7)]
    assert all(world.rests(key) for key in keys)
    world.library.delete(of)
    world.sweep_all()
    assert not any(world.rests(key) for key in keys)
    assert world.known(of) is None
    assert world.indexed() == {}
    assert not world.rests(of.blob)


def test_an_asset_that_is_purged_takes_its_renditions_along(world):
    of = world.picture()
    key = world.ready(of, SMALL).blob
    world.sweep_all()
    assert not world.rests(key)
    assert world.known(of) is None
    assert world.indexed() == {}


def test_an_asset_in_the_trash_keeps_its_renditions(world):
    of = world.picture()
    ready = world.ready(of, SMALL)
    binned = world.library.trash(of)
    world.door.sweep()
    assert world.rests(ready.blob)
    back = world.library.restore(binned)
    assert world.rendering.request(back, SMALL) == ready


def test_an_asset_that_is_deleted_while_one_is_made(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    deleted = Meanwhile(world.store, "place", lambda: world.library.delete(of))
    world.draw(op, store=deleted)
    assert deleted.done
    assert gone(world, op)
    assert world.blob(op).state is BlobState.DOOMED
    world.sweep_all()
    assert world.indexed() == {}
    assert not world.rests(op.order.key)


def test_an_asset_that_is_deleted_and_buried_while_one_is_made(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)

    def bury():
        world.library.delete(of)
        world.door.sweep()

    world.draw(op, store=Meanwhile(world.store, "place", bury))
    assert gone(world, op)
    assert world.blob(op).state is BlobState.DOOMED


def test_an_asset_that_is_deleted_between_the_settlements_read_and_write(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    claimed = world.drawing._claim(op, op.order)
    raced = BetweenReadAndWrite(world.records, SETTLE, lambda: world.library.delete(of))
    settling = replace(world.drawing, records=raced)
    world.drawing.carrying.carry(claimed, endings.refs(op), lambda lease: settling._work(claimed, op.order, lease))
    assert raced.done
    assert gone(world, op)
    assert world.blob(op).state is BlobState.DOOMED


def test_an_asset_that_is_deleted_before_the_claim(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    world.library.delete(of)
    world.run()
    assert gone(world, op)
    assert world.blob(op) is None
    assert world.fresh(op).attempt == 0


# ---------------------------------------------------------------- other bytes


def replaced(world, of, seed=2):
    """The same asset, with other bytes."""
    world.sent(photo(64, 32, "PNG", seed=seed), filename="a.png", target=Target(asset_id=of.id, replace=True))
    return world.fresh(of)


def test_renditions_of_earlier_bytes_go(world):
    of = world.picture(asset_id="one")
    old = world.ready(of, SMALL)
    now = replaced(world, of)
    assert now.blob != of.blob
    assert world.rendering.found(now, SMALL) is None
    world.door.sweep()
    assert world.records.get(Ref(Kind.BLOB, "acme", old.blob)).state is BlobState.DOOMED
    world.door.pass_time(200)
    world.door.sweep()
    assert not world.rests(old.blob)
    assert world.ready(now, SMALL).facts.height == 8


def test_a_request_for_the_new_bytes_dooms_those_of_the_old_ones(world):
    of = world.picture(asset_id="one")
    old = [world.ready(of, Spec(width)).blob for width in (5, 6)]
    now = replaced(world, of)
    new = world.ready(now, SMALL)
    assert [world.records.get(Ref(Kind.BLOB, "acme", key)).state for key in old] == [BlobState.DOOMED] * 2
    assert next(iter(world.known(of).entries.values())).blob == new.blob
    world.door.sweep()
    assert world.rendering.found(now, SMALL) == new


def test_bytes_that_are_replaced_while_a_rendition_is_made(world):
    of = world.picture(asset_id="one")
    world.hold()
    op = world.rendering.request(of, SMALL)

    def replace_them():
        world.door.jobs.hold = False
        replaced(world, of)

    world.door.jobs.waiting.clear()
    world.draw(op, store=Meanwhile(world.store, "place", replace_them))
    assert gone(world, op)
    assert world.blob(op).state is BlobState.DOOMED
    assert world.ready(world.fresh(of), SMALL).facts.height == 8


def test_who_asks_with_an_old_reading_of_the_asset_is_refused(world):
    of = world.picture(asset_id="one")
    replaced(world, of)
    with pytest.raises(Moved) as refused:
        world.rendering.request(of, SMALL)
    assert refused.value.code is Code.GONE


# ---------------------------------------------------------------- room


@pytest.fixture
def room_for_four(monkeypatch):
    monkeypatch.setattr(renditions, "MOST", 4)


@pytest.mark.usefixtures("room_for_four")
def test_the_one_that_was_wanted_longest_ago_makes_room(world):
    of = world.picture()
    made = {width: world.ready(of, Spec(width)) for width in (1, 2, 3, 4)}
    assert world.rendering.request(of, Spec(1)) == made[1]  # and so it is wanted again
    world.ready(of, Spec(5))
    assert world.rendering.found(of, Spec(2)) is None
    assert all(world.rendering.found(of, Spec(width)) for width in (1, 3, 4, 5))
    assert len(world.known(of).entries) == 4
    assert world.records.get(Ref(Kind.BLOB, "acme", made[2].blob)).state is BlobState.DOOMED
    world.door.pass_time(200)
    world.door.sweep()
    assert not world.rests(made[2].blob)
    with pytest.raises(UploadError) as refused, world.rendering.read(made[2], 0, 1):
        pass
    assert refused.value.code is Code.GONE


@pytest.mark.usefixtures("room_for_four")
def test_one_that_made_room_is_made_anew_under_another_key(world):
    of = world.picture()
    made = {width: world.ready(of, Spec(width)) for width in range(1, 6)}
    again = world.ready(of, Spec(1))
    assert again.blob != made[1].blob
    assert again.facts == made[1].facts
    world.door.pass_time(200)
    world.door.sweep()
    assert world.image(again).size == (1, 1)


@pytest.mark.usefixtures("room_for_four")
def test_what_is_finished_makes_room_before_what_is_waited_for(world):
    of = world.picture()
    world.hold()
    waiting = [world.rendering.request(of, Spec(width)) for width in (1, 2, 3)]
    world.door.jobs.waiting.clear()
    world.draw(world.rendering.request(of, Spec(4)))
    world.rendering.request(of, Spec(5))
    assert world.rendering.found(of, Spec(4)) is None
    world.rendering.request(of, Spec(6))
    for op in waiting:
        world.draw(op)
    assert [world.fresh(op).status for op in waiting] == [Status.FAILED, Status.COMPLETED, Status.COMPLETED]
    assert gone(world, waiting[0])


@pytest.mark.usefixtures("room_for_four")
def test_one_that_makes_room_while_it_is_made(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    crowd = Meanwhile(world.store, "place", lambda: [world.rendering.request(of, Spec(width)) for width in range(1, 6)])
    world.draw(op, store=crowd)
    assert crowd.done
    assert gone(world, op)
    assert world.blob(op).state is BlobState.DOOMED


@pytest.mark.usefixtures("room_for_four")
def test_one_that_made_room_and_is_asked_for_again_while_it_is_made(world):
    """The entry is there, but another operation's."""
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    asked = [*(Spec(width) for width in range(1, 6)), SMALL]
    world.draw(op, store=Meanwhile(world.store, "place", lambda: [world.rendering.request(of, spec) for spec in asked]))
    assert gone(world, op)
    assert world.rendering.found(of, SMALL) is None
    world.run()
    assert world.rendering.found(of, SMALL)


def test_so_many_are_waited_for_and_no_more(world):
    of, other = world.picture(), world.picture(2)
    world.hold()
    ops = [world.rendering.request(of, Spec(width)) for width in range(1, rendering.WAITED_MOST + 1)]
    with pytest.raises(UploadError) as refused:
        world.rendering.request(of, Spec(50))
    assert refused.value.code is Code.UNAVAILABLE
    assert world.rendering.request(of, Spec(1)) == ops[0]
    assert world.rendering.request(other, Spec(50))
    world.draw(ops[0])
    assert world.rendering.request(of, Spec(50))


def test_what_failed_is_waited_for_no_more(world):
    class Clumsy:
        def render(self, *_):
            raise UploadError(Code.UNDECODABLE)

    of = world.picture()
    world.hold()
    for width in range(1, rendering.WAITED_MOST + 1):
        world.draw(world.rendering.request(of, Spec(width)), renderer=Clumsy())
    assert world.rendering.request(of, Spec(50))


def test_what_is_wanted_often_is_not_written_each_time(world):
    of = world.picture()
    world.ready(of, SMALL)
    before = world.known(of).version
    for _ in range(5):
        world.rendering.request(of, SMALL)
    assert world.known(of).version == before


# ---------------------------------------------------------------- what goes wrong

HUGE = Spec(5000, 5000, Mode.STRETCH)


def test_a_refusal_is_remembered_for_a_while(world):
    of = world.picture()
    op = world.fresh(world.rendering.request(of, HUGE))
    assert (op.status, op.problem.code) == (Status.FAILED, Code.TOO_MANY_PIXELS)
    assert world.blob(op).state is BlobState.DOOMED
    assert world.rendering.request(of, HUGE) == op
    world.door.pass_time(REMEMBERED - 1)
    assert world.rendering.request(of, HUGE).id == op.id
    world.door.pass_time(2)
    again = world.rendering.request(of, HUGE)
    assert again.id != op.id
    assert again.order.key != op.order.key
    assert len(world.known(of).entries) == 1


def test_a_fault_of_the_store_is_tried_again(world):
    class Down:
        def place(self, *_):
            raise StoreDown("no space left")

        fetch = world.store.fetch

    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    world.draw(op, store=Down())
    assert (world.fresh(op).status, world.fresh(op).faults, world.fresh(op).losses) == (Status.QUEUED, 1, 0)
    world.draw(op)
    assert world.fresh(op).status is Status.COMPLETED
    assert world.rendering.found(of, SMALL)


def test_a_source_that_does_not_come_whole_is_a_fault(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    short = replace(op.order, size=op.order.size + 1)
    world.records.commit([op.ref], lambda o: renditions_change(replace(o, order=short, version=o.version + 1)))
    world.run()
    assert (world.fresh(op).status, world.fresh(op).faults) == (Status.QUEUED, 1)


def renditions_change(entity):
    from app.core.ports import Change

    return Change(put=(entity,))


def test_when_the_time_is_up_it_is_refused(world):
    class TimeIsUp(Exception):
        pass

    class Endless:
        def render(self, *_):
            raise TimeIsUp

    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    world.draw(op, renderer=Endless(), carrying=replace(world.drawing.carrying, interrupts=(TimeIsUp,)))
    assert (world.fresh(op).status, world.fresh(op).problem.code) == (Status.FAILED, Code.TOOK_TOO_LONG)
    assert world.blob(op).state is BlobState.DOOMED


def lose(world, op):
    """A worker claims it and is never heard of again."""
    ticks = iter(range(0, 100_000, 10))
    requeue = Requeue(world.retention, world.door.jobs, lambda: next(ticks))
    world.drawing._claim(world.fresh(op), op.order)
    world.door.pass_time(20)
    requeue.requeue_stalled()
    requeue.requeue_stalled()


def test_a_lost_worker_is_made_up_for_and_the_second_is_the_last(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    lose(world, op)
    assert (world.fresh(op).status, world.fresh(op).losses) == (Status.QUEUED, 1)
    lose(world, op)
    assert (world.fresh(op).status, world.fresh(op).problem.code) == (Status.FAILED, Code.WORKER_LOST)
    assert world.blob(op).state is BlobState.DOOMED
    world.run()
    assert world.rendering.request(of, SMALL).id == op.id
    world.door.pass_time(REMEMBERED + 1)
    assert world.ready(of, SMALL)


def test_who_was_taken_over_settles_nothing_while_the_next_is_at_work(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)

    def overtake():
        world.records.commit(endings.refs(op), lambda o, up, blob: endings.lost(o, up, blob, world.records.now()))
        world.drawing._claim(world.fresh(op), op.order)

    world.draw(op, store=Meanwhile(world.store, "place", overtake))
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.STARTED, 2)
    assert world.blob(op).state is BlobState.PROMOTING


def test_who_was_taken_over_settles_nothing(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)

    def overtake():
        world.records.commit(endings.refs(op), lambda o, up, blob: endings.lost(o, up, blob, world.records.now()))
        world.draw(op)

    world.draw(op, store=Meanwhile(world.store, "place", overtake))
    assert (world.fresh(op).status, world.fresh(op).attempt) == (Status.COMPLETED, 2)
    assert world.blob(op).state is BlobState.LIVE
    assert world.image(world.rendering.found(of, SMALL)).size == (16, 12)


def test_one_that_is_cancelled_is_made_anew_when_it_is_asked_for(world):
    of = world.picture()
    world.hold()
    op = world.rendering.request(of, SMALL)
    cancelled = Meanwhile(world.store, "place", lambda: world.reception.cancel(world.fresh(op)))
    world.draw(op, store=cancelled)
    assert world.fresh(op).status is Status.CANCELLED
    assert world.blob(op).state is BlobState.DOOMED
    again = world.rendering.request(of, SMALL)
    assert isinstance(again, Operation)
    assert again.id != op.id
    world.run()
    assert world.rendering.found(of, SMALL).blob != op.order.key


def test_an_operation_that_is_purged_leaves_no_trace_and_its_rendition(world):
    of = world.library.keep(world.picture())
    world.hold()
    op = world.rendering.request(of, SMALL)
    world.run()
    world.door.pass_time(RETENTION + 1)
    world.door.sweep()
    assert world.fresh(op) is None
    assert not world.records.gone(op.ref)
    assert world.rendering.request(of, SMALL) == world.rendering.found(of, SMALL)

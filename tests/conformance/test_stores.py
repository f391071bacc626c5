"""The contract of the port Store, promise by promise, over every store. A room's fixture fails when a test leaves anything behind."""

import contextlib
import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core import keys
from app.core.errors import Busy, ClientGone, Code, Moved, UploadError
from app.core.parts import Parts, Slot, plan
from app.core.upload import Staged
from app.stores import intake
from tests.conformance.rooms import ENDLESS, PART, SIGNER, Kept, fetched, landed, outcome
from tests.conformance.senders import MIB, Beside, Paused, Sender, content, quiet

WHOLE = content(2 * PART + 1000)


def put(room, staged, slot, data, tick=quiet, **sending):
    return room.store.put_part(staged, slot, Sender(data, **sending), tick)


def put_all(room, data, order=None):
    """A plan, filled; what the records would keep of it."""
    slots = plan(PART, len(data))
    kept = Kept(room.plan(len(data)), len(data))
    for number in order or range(1, len(slots) + 1):
        slot = slots[number - 1]
        kept.add(put(room, kept.staged, slot, data[slot.offset :][: slot.size]))
    return kept


@contextlib.contextmanager
def refused(code):
    with pytest.raises(UploadError) as info:
        yield
    assert info.value.code is code


# ---------------------------------------------------------------- streams


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1000])
def test_a_stream_is_kept_as_it_came(room, size):
    kept, data = Kept(room.stream()), WHOLE[:size]
    written = kept.write(room.store, data)
    assert (written.offset, written.gone) == (size, False)
    sealed = kept.sealed(room.again())
    assert (sealed.size, landed(room.again(), sealed)) == (size, data)


def test_the_digest_where_it_is_made_is_that_of_the_bytes(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE)
    with room.store.land(kept.sealed(room.store)) as whole:
        assert whole.size == len(WHOLE)
        assert whole.digest in {None, f"sha256:{hashlib.sha256(WHOLE).hexdigest()}"}


@pytest.mark.parametrize("cut", [1, PART - 7, PART, PART + 7])
def test_what_a_cut_stream_left_is_continued_by_another_process(room, cut):
    kept = Kept(room.stream())
    written = kept.write(room.store, WHOLE, leaves_at=cut)
    assert (written.offset, written.gone) == (cut, True)
    kept.write(room.again(), WHOLE[cut:])
    assert landed(room.store, kept.sealed(room.store)) == WHOLE


@pytest.mark.parametrize("runs", [[3, 2, 1], [PART - 2, 1, 1], [PART - 2, 1, 5, 7], [1, PART, PART - 1], [10, 2 * PART, 10]])
def test_runs_of_any_length_join_to_the_whole(room, runs):
    kept, data = Kept(room.stream()), WHOLE[: sum(runs)]
    for size in runs:
        kept.write(room.again(), data[kept.offset :][:size])
    assert landed(room.store, kept.sealed(room.store)) == data


@pytest.mark.parametrize("limit", [1, PART, PART + 3])
def test_a_stream_is_read_up_to_its_limit_and_no_further(room, limit):
    kept, body = Kept(room.stream()), Sender(WHOLE)
    kept.take(room.store.write(kept.staged, 0, PART, body, limit, quiet))
    assert (kept.offset, body.taken) == (limit, limit)
    assert landed(room.store, kept.sealed(room.store)) == WHOLE[:limit]


@pytest.mark.parametrize("first", [7, PART + 7, 2 * PART])
@pytest.mark.parametrize("second", [5, PART + 9])
def test_writing_at_0_begins_again(room, first, second):
    kept, other = Kept(room.stream()), content(second, seed=2)
    kept.write(room.store, WHOLE[:first])
    kept.offset = 0
    kept.write(room.again(), other)
    assert kept.offset == room.store.extent(kept.staged, second) == second
    assert landed(room.store, kept.sealed(room.store)) == other


def test_nothing_is_kept_of_a_stream_without_bytes(room):
    kept = Kept(room.stream())
    assert kept.write(room.store, b"").offset == 0


def test_a_stream_cannot_go_on_where_nothing_lies_before_it(room):
    with refused(Code.GONE):
        room.store.write(room.stream(), 10, PART, Sender(b"more"), ENDLESS, quiet)


def test_a_stream_cannot_go_on_after_it_was_discarded(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:100])
    room.store.discard(kept.staged)
    with refused(Code.GONE):
        kept.write(room.store, WHOLE[100:])
        kept.sealed(room.store)


@pytest.mark.parametrize("begun", [0, 100, PART + 100])
def test_the_tick_comes_first_before_a_byte_is_read(room, begun):
    kept = Kept(room.stream())
    if begun:
        kept.write(room.store, WHOLE[:begun])
    body, ticks = Sender(WHOLE[begun:]), []
    kept.take(room.store.write(kept.staged, begun, PART, body, ENDLESS, lambda offset: ticks.append((offset, body.taken))))
    assert ticks[0] == (begun, 0)


def test_what_the_first_tick_raises_ends_the_write_and_changes_nothing(room):
    kept, body = Kept(room.stream()), Sender(b"other")
    kept.write(room.store, WHOLE[:100])

    def closed(_offset):
        raise Moved(Code.FINISHED)

    with refused(Code.FINISHED):
        room.store.write(kept.staged, 0, PART, body, ENDLESS, closed)
    assert body.taken == 0
    assert landed(room.store, kept.sealed(room.store)) == WHOLE[:100]


@pytest.mark.parametrize("enough", [100, PART + 100])
def test_what_a_later_tick_raises_passes_through(room, monkeypatch, enough):
    monkeypatch.setattr(intake, "EVERY", 0.0)
    kept, body = Kept(room.stream()), Sender(WHOLE, step=64 * 1024)

    def until(offset):
        if offset >= enough:
            raise Moved(Code.UPLOAD_CANCELLED)

    with refused(Code.UPLOAD_CANCELLED):
        room.store.write(kept.staged, 0, PART, body, ENDLESS, until)
    assert enough <= body.taken < len(WHOLE)


def test_ticks_tell_how_far_the_stream_is(room, monkeypatch):
    monkeypatch.setattr(intake, "EVERY", 0.0)
    kept, seen = Kept(room.stream()), []
    kept.take(room.store.write(kept.staged, 0, PART, Sender(WHOLE[:MIB], step=MIB // 4), ENDLESS, seen.append))
    assert sorted(set(seen)) == [0, MIB // 4, MIB // 2, 3 * MIB // 4, MIB]


@pytest.mark.parametrize("first", [100, PART, PART + 100])
@pytest.mark.parametrize("more", [50, PART])
def test_truncating_forgets_what_a_refused_write_left(room, first, more):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:first])
    room.store.write(kept.staged, first, PART, Sender(content(more, seed=3)), ENDLESS, quiet)  # and no record of it
    kept.staged = room.again().truncate(kept.staged, first)
    assert landed(room.store, kept.sealed(room.store)) == WHOLE[:first]


def test_a_truncated_stream_goes_on_from_there(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[: PART - 10])
    refused_bytes = content(PART, seed=3)
    room.store.write(kept.staged, kept.offset, PART, Sender(refused_bytes), ENDLESS, quiet)
    kept.staged = room.store.truncate(kept.staged, kept.offset)
    kept.write(room.again(), WHOLE[PART - 10 :])
    assert landed(room.store, kept.sealed(room.store)) == WHOLE


@pytest.mark.parametrize("offset", [0, 3, 5, 7, 10])
def test_truncating_within_what_writes_left(room, offset):
    kept = Kept(room.stream())
    kept.write(room.store, b"01234")
    kept.write(room.store, b"56789")
    kept.staged, kept.offset = room.store.truncate(kept.staged, offset), offset
    kept.write(room.store, b"abc")
    assert landed(room.store, kept.sealed(room.store)) == b"0123456789"[:offset] + b"abc"


def test_a_stream_that_was_truncated_and_not_gone_on_with(room):
    kept = Kept(room.stream())
    kept.write(room.store, b"0123456789")
    kept.staged, kept.offset = room.store.truncate(kept.staged, 4), 4
    assert landed(room.store, kept.sealed(room.store)) == b"0123"


def test_truncating_nothing(room):
    staged = room.stream()
    assert room.store.truncate(staged, 0) == staged


def test_a_stream_reaches_as_far_as_the_record_says_when_nothing_went_wrong(room):
    kept = Kept(room.stream())
    assert room.store.extent(kept.staged, 0) == 0
    kept.write(room.store, WHOLE[:1000])
    assert room.again().extent(kept.staged, 1000) == 1000
    planned = room.plan(100)
    assert room.store.extent(planned, 0) == 0


@pytest.mark.parametrize("offset", [0, 4])
def test_two_writers_at_once_are_told_apart_or_kept_apart(room, offset):
    kept = Kept(room.stream())
    if offset:
        kept.write(room.store, WHOLE[:offset])
    first = Paused(b"first writer")
    beside = Beside(lambda: room.store.write(kept.staged, offset, PART, first, ENDLESS, quiet))
    assert first.begun.wait(30)
    second, refusal = outcome(lambda: room.again().write(kept.staged, offset, PART, Sender(b"second one"), ENDLESS, quiet))
    first.go.set()
    kept.take(second or beside.wait())
    beside.wait()
    assert refusal in {None, Code.LOCKED}
    assert landed(room.store, kept.sealed(room.store)) == WHOLE[:offset] + (b"second one" if second else b"first writer")


def test_sealing_under_a_writer_is_busy_or_keeps_what_was_finished(room):
    kept = Kept(room.stream())
    kept.write(room.store, b"finished")
    late = Paused(b" and more")
    beside = Beside(lambda: room.store.write(kept.staged, kept.offset, PART, late, ENDLESS, quiet))
    assert late.begun.wait(30)
    try:
        sealed = kept.sealed(room.again())
    except Busy:
        sealed = None
    late.go.set()
    beside.wait()
    assert landed(room.store, sealed or kept.sealed(room.store)) == b"finished"


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 1, 2], [3, 2, 1], [2, 2, 1, 3, 1]])
def test_parts_come_in_any_order_and_again(room, order):
    kept = put_all(room, WHOLE, order)
    assert kept.sealed(room.again()).size == len(WHOLE)
    assert landed(room.store, kept.sealed(room.store)) == WHOLE


@pytest.mark.parametrize("told", [True, False])
def test_an_empty_file_is_one_part_without_bytes(room, told):
    staged = room.plan(0)
    [slot] = plan(PART, 0)
    with refused(Code.PART_SIZE):
        put(room, staged, slot, b"x", told=told)
    kept = Kept(staged)
    kept.add(put(room, staged, slot, b"", told=told))
    assert room.store.held(staged, kept.parts, PART).held[1].size == 0
    for store in (room.store, room.again()):
        sealed = kept.sealed(store)
        assert (sealed.size, landed(store, sealed)) == (0, b"")
    room.store.promote(kept.sealed(room.store), room.blob_of(staged))
    room.store.discard(staged)
    assert any("blobs/" in name for name in room.left())


def test_parts_come_at_once(room):
    data = content(4 * PART + 5, seed=4)
    staged, slots = room.plan(len(data)), plan(PART, len(data))
    with ThreadPoolExecutor(5) as threads:
        parts = list(threads.map(lambda s: put(room, staged, s, data[s.offset :][: s.size], step=MIB), slots))
    kept = Kept(staged, len(data))
    kept.add(*parts)
    assert landed(room.store, kept.sealed(room.store)) == data


def test_a_part_that_came_again_with_other_bytes_replaces_the_first(room):
    kept = put_all(room, WHOLE)
    other, slot = content(PART, seed=5), plan(PART, len(WHOLE))[0]
    kept.add(put(room, kept.staged, slot, other))
    assert landed(room.store, kept.sealed(room.store)) == other + WHOLE[PART:]


def test_a_part_says_where_it_lies_and_each_has_an_etag_of_its_own(room):
    kept = put_all(room, WHOLE)
    held = kept.parts.held
    assert [(p.number, p.offset, p.size) for p in held.values()] == [(s.number, s.offset, s.size) for s in plan(PART, len(WHOLE))]
    assert len({p.etag for p in held.values()}) == len(held)
    assert all(p.etag and '"' not in p.etag for p in held.values())


@pytest.mark.parametrize(
    ("sent", "exact", "told", "taken_most"),
    [
        (PART + 1, True, False, PART + 1),
        (PART + MIB, True, False, PART + 1),
        (PART + 1, True, True, 0),
        (PART + MIB, False, False, PART + 1),
        (PART - 1, True, False, PART - 1),
        (PART - 1, True, True, 0),
        (0, True, False, 0),
        (0, False, False, 0),
    ],
)
def test_a_part_of_another_size_is_refused_and_disturbs_no_other(room, sent, exact, told, taken_most):
    kept = put_all(room, WHOLE)
    body = Sender(content(sent, seed=6), told=told)
    with refused(Code.PART_SIZE):
        room.store.put_part(kept.staged, Slot(1, 0, PART, exact=exact), body, quiet)
    assert body.taken <= taken_most
    kept.add(put(room, kept.staged, Slot(1, 0, PART), WHOLE[:PART]))  # un-recorded before its first byte was rewritten: so it comes again
    assert landed(room.store, kept.sealed(room.store)) == WHOLE


@pytest.mark.parametrize("cut", [0, 1, PART - 1])
def test_a_part_that_was_cut_is_not_taken_and_disturbs_no_other(room, cut):
    kept = put_all(room, WHOLE)
    with pytest.raises(ClientGone):
        put(room, kept.staged, Slot(2, PART, PART), content(PART, seed=6), leaves_at=cut)
    kept.add(put(room, kept.staged, Slot(2, PART, PART), WHOLE[PART : 2 * PART]))
    assert landed(room.store, kept.sealed(room.store)) == WHOLE


def test_without_a_length_the_last_part_is_as_long_as_it_is(room):
    kept = Kept(room.plan(None), PART + 33)
    kept.add(put(room, kept.staged, Slot(2, PART, PART, exact=False), WHOLE[PART:][:PART]))
    kept.add(put(room, kept.staged, Slot(2, PART, PART, exact=False), WHOLE[PART:][:33]))
    kept.add(put(room, kept.staged, Slot(1, 0, PART, exact=False), WHOLE[:PART]))
    assert landed(room.store, kept.sealed(room.store)) == WHOLE[: PART + 33]


def test_the_tick_of_a_part_comes_before_its_first_byte_and_may_end_it(room):
    staged, body = room.plan(100), Sender(b"x" * 100)

    def closed(offset):
        assert (offset, body.taken) == (0, 0)
        raise Moved(Code.UPLOAD_EXPIRED)

    with refused(Code.UPLOAD_EXPIRED):
        room.store.put_part(staged, Slot(1, 0, 100), body, closed)
    assert body.taken == 0


def test_a_part_of_a_plan_that_was_discarded_is_refused(room):
    staged = room.plan(100)
    room.store.discard(staged)
    with refused(Code.GONE):
        put(room, staged, Slot(1, 0, 100), b"x" * 100)


def test_the_parts_held_are_those_that_came(room):
    kept = put_all(room, WHOLE, [1, 3])
    assert room.again().held(kept.staged, kept.parts, PART) == kept.parts


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_part_is_held_as_it_is_among_all(room, number):
    kept = put_all(room, WHOLE, [1, 3])
    alone = {n: part for n, part in kept.parts.held.items() if n == number}
    assert room.again().held(kept.staged, replace(kept.parts, held=alone), PART, number).held == alone


def test_nothing_is_held_of_a_plan_without_parts(room):
    staged = room.plan(100)
    recorded = Parts(*keys.upload_of(staged.key))
    assert room.store.held(staged, recorded, PART) == recorded


def test_the_url_of_a_part_is_signed_until_it_expires(room):
    staged = room.plan(len(WHOLE))
    url = urlsplit(room.store.part_url(staged, plan(PART, len(WHOLE))[1], exact=True, expires=4_000_000_000.0))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.netloc:
        assert query["partNumber"] == "2"
        assert query["X-Amz-SignedHeaders"] == "content-length;host"
    else:
        tenant, upload_id = keys.upload_of(staged.key)
        assert url.path == f"/transfers/{tenant}/{upload_id}/parts/2"
        SIGNER.verify("PUT", url.path, query["expires"], query["signature"], now=4_000_000_000.0)


# ---------------------------------------------------------------- to rest


def test_sealing_again_gives_the_same(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    assert sealed.etag
    assert kept.sealed(room.again()) == sealed
    assert room.store.seal(sealed, kept.parts, kept.offset) == sealed


@pytest.mark.parametrize("runs", [[100], [100, 50], [PART, 50], [PART + 100, 50]])
def test_sealing_a_stream_again_gives_the_same(room, runs):
    kept = Kept(room.stream())
    for size in runs:
        kept.write(room.store, WHOLE[kept.offset :][:size])
    sealed = kept.sealed(room.store)
    again = kept.sealed(room.again())
    assert (again.key, again.etag, again.size) == (sealed.key, sealed.etag, sealed.size)
    assert landed(room.store, sealed) == WHOLE[: sum(runs)]


def test_a_plan_with_a_part_missing_is_not_sealed(room):
    with refused(Code.CHANGED):
        put_all(room, WHOLE, [1, 3]).sealed(room.store)


@pytest.mark.parametrize("length", [9, 11])
def test_a_plan_of_another_length_is_not_sealed(room, length):
    kept = put_all(room, b"0123456789")
    with refused(Code.CHANGED):
        room.store.seal(kept.staged, kept.parts, length)


def test_what_is_lost_is_not_sealed(room):
    kept = put_all(room, WHOLE)
    room.store.discard(kept.staged)
    with refused(Code.GONE):
        kept.sealed(room.store)


def test_a_stream_that_is_lost_is_not_sealed(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[: PART + 10])
    room.store.discard(kept.staged)
    with refused(Code.GONE):
        kept.sealed(room.store)


def test_bytes_that_changed_after_they_were_sealed_are_neither_read_nor_promoted(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:1000])
    sealed = kept.sealed(room.store)
    room.tamper(sealed)
    with refused(Code.CHANGED):
        room.store.seal(sealed, kept.parts, kept.offset)
    with refused(Code.CHANGED):
        landed(room.store, sealed)
    with refused(Code.CHANGED):
        room.store.promote(sealed, room.blob_of(sealed))
    with refused(Code.GONE):
        fetched(room.store, room.blob_of(sealed))


def test_a_part_that_comes_after_the_sealing_swaps_nothing(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    with contextlib.suppress(UploadError):
        put(room, kept.staged, Slot(1, 0, PART), content(PART, seed=7))
    _, refusal = outcome(lambda: room.store.promote(sealed, room.blob_of(sealed)))
    assert refusal in {None, Code.CHANGED}
    assert refusal or fetched(room.store, room.blob_of(sealed)) == WHOLE


def test_promoting_twice_is_promoting_once_and_the_staged_name_stays(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    for store in (room.store, room.again()):
        store.promote(sealed, room.blob_of(sealed))
    assert fetched(room.store, room.blob_of(sealed)) == WHOLE
    assert landed(room.store, sealed) == WHOLE


def test_promoting_once_more_after_the_staged_bytes_went(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    room.store.promote(sealed, room.blob_of(sealed))
    room.store.discard(kept.staged)
    room.store.promote(sealed, room.blob_of(sealed))
    assert fetched(room.store, room.blob_of(sealed)) == WHOLE


def test_promoting_what_is_lost(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    room.store.discard(kept.staged)
    with refused(Code.GONE):
        room.store.promote(sealed, room.blob_of(sealed))


def test_landing_what_is_lost(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    room.store.discard(kept.staged)
    with refused(Code.GONE):
        landed(room.store, sealed)


def test_what_goes_wrong_while_a_file_is_judged_is_not_the_stores_fault(room):
    kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    with pytest.raises(OSError, match="of the judge"), room.store.land(sealed):
        raise OSError("of the judge")


def test_discarding_frees_everything_staged_and_leaves_what_rests(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE)
    sealed = kept.sealed(room.store)
    room.store.promote(sealed, room.blob_of(sealed))
    for _ in range(2):
        room.store.discard(kept.staged)
        assert room.staged_left() == []
    assert fetched(room.store, room.blob_of(sealed)) == WHOLE


def test_discarding_frees_what_no_record_knows(room):
    staged = room.stream()
    for size in (10, PART + 10):
        room.store.write(staged, 0, PART, Sender(WHOLE[:size]), ENDLESS, quiet)
    assert room.staged_left()
    room.again().discard(staged)
    assert room.staged_left() == []


def test_discarding_frees_an_unfinished_plan(room):
    kept = put_all(room, WHOLE, [2])
    room.again().discard(kept.staged)
    assert room.staged_left() == []


def test_discarding_leaves_the_neighbours(room):
    one, two = Kept(room.stream()), Kept(room.stream())
    one.write(room.store, b"one")
    two.write(room.store, b"two")
    room.store.discard(one.staged)
    assert landed(room.store, two.sealed(room.store)) == b"two"


# ---------------------------------------------------------------- at rest


RESTING = content(2 * MIB + 100, seed=8)


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (0, len(RESTING)),
        (0, 1),
        (5, 10),
        (100, 2 * MIB),
        (len(RESTING) - 1, 1),
        (len(RESTING) - 1, 100),
        (len(RESTING), 5),
        (0, 0),
    ],
)
def test_a_range_of_what_rests(room, offset, length):
    kept = Kept(room.stream())
    kept.write(room.store, RESTING)
    room.store.promote(kept.sealed(room.store), room.blob_of(kept.staged))
    with room.again().fetch(room.blob_of(kept.staged), offset, length) as out:
        if out.file is not None:
            assert out.file.tell() == offset
            assert out.file.read(length) == RESTING[offset:][:length]
        assert b"".join(out.chunks) == RESTING[offset:][:length]


@pytest.mark.parametrize("size", [0, 1, len(RESTING)])
def test_a_file_that_is_placed_rests_whole(room, size):
    key = room.rendition()
    with tempfile.TemporaryFile() as file:
        file.write(RESTING[:size])
        file.seek(size // 2)  # wherever it stands, and whatever of it is not written out yet
        room.store.place(key, file)
    assert fetched(room.again(), key) == RESTING[:size]
    assert room.staged_left() == []


def test_a_file_that_is_placed_again_leaves_the_last_one(room):
    key = room.rendition()
    for content_of_it in (RESTING, b"shorter"):
        with tempfile.TemporaryFile() as file:
            file.write(content_of_it)
            room.store.place(key, file)
    assert fetched(room.store, key) == b"shorter"


@pytest.mark.parametrize("length", [0, 10])
def test_what_does_not_rest_cannot_be_fetched(room, length):
    key = keys.blob("acme", room.new_id())
    with refused(Code.GONE):
        fetched(room.store, key, 0, length)


def test_deleting_twice_is_deleting_once(room):
    kept = Kept(room.stream())
    kept.write(room.store, b"bytes")
    room.store.promote(kept.sealed(room.store), room.blob_of(kept.staged))
    for _ in range(2):
        room.store.delete(room.blob_of(kept.staged))
        with refused(Code.GONE):
            fetched(room.store, room.blob_of(kept.staged))


def test_a_document_is_saved_loaded_replaced_and_removed(room):
    key = room.document()
    assert room.store.load(key) is None
    for text in (b"one", b"two, longer", b""):
        room.store.save(key, text)
        assert room.again().load(key) == text
    for _ in range(2):
        room.store.remove(key)
        assert room.store.load(key) is None


# ---------------------------------------------------------------- housekeeping


def test_what_was_touched_before_a_time_is_found_whatever_it_is(room):
    small, cut, planned = Kept(room.stream()), Kept(room.stream()), put_all(room, WHOLE, [1])
    small.write(room.store, b"small")
    cut.write(room.store, WHOLE[: PART + 10])
    resting = Kept(room.stream())
    resting.write(room.store, b"rests")
    room.store.promote(resting.sealed(room.store), room.blob_of(resting.staged))
    room.store.discard(resting.staged)
    found = {keys.upload_of(staged.key) for staged in room.again().staged_before(-60)}
    assert found == {keys.upload_of(kept.staged.key) for kept in (small, cut, planned)}
    assert list(room.store.staged_before(3600)) == []


def test_what_is_found_can_be_discarded_as_it_was_found(room):
    for size in (10, PART + 10):
        Kept(room.stream()).write(room.store, WHOLE[:size])
    room.plan(100)
    for staged in list(room.store.staged_before(-60)):
        room.store.discard(staged)
    assert room.left() == []


def test_a_store_that_takes_and_gives_bytes_answers(room):
    room.store.ping()
    assert room.left() == []


def test_a_key_that_would_lead_elsewhere_names_nothing(local):
    with pytest.raises(ValueError, match="not a storage key"):
        local.store.discard(Staged("staging/../../etc/passwd"))


def test_the_tick_is_called_about_once_a_second_however_often_it_is_offered(monkeypatch):
    class Clock:
        now = 100.0

        @classmethod
        def monotonic(cls):
            return cls.now

    monkeypatch.setattr(intake, "time", Clock)
    seen = []
    ticker = intake.Ticker(seen.append)
    for tenth in range(51):
        Clock.now = 100 + tenth / 10
        ticker(tenth)
    gaps = [after - before for before, after in pairwise(seen)]
    assert seen[0] == 0
    assert set(gaps) <= {8, 9}


def test_what_rests_below_a_folder_is_listed_with_its_size(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:1000])
    sealed = kept.sealed(room.store)
    blob, small = room.blob_of(sealed), room.document()
    room.store.promote(sealed, blob)
    room.store.save(small, b"four")
    again = room.again()
    assert dict(again.resting(keys.BLOBS)) == {blob: 1000}
    assert dict(again.resting(keys.MANIFESTS))[small] == 4
    assert dict(again.resting(keys.RENDITIONS)) == {}

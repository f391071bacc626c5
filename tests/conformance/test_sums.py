"""The sum of what came in, over every store: along streams and over parts, and what notices that other bytes lie there."""

import errno
import os
import random
from contextlib import suppress
from dataclasses import replace

import pytest
from awscrt.checksums import crc64nvme
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Code, StoreDown, UploadError
from app.core.parts import Part, Slot
from app.core.sums import NOTHING, Sum
from app.core.upload import Staged
from app.stores import open_store, sums
from tests.conformance.rooms import ENDLESS, PART, SIGNER, Kept, landed
from tests.conformance.senders import Sender, quiet
from tests.conformance.test_stores import WHOLE, put_all


def summed(data):
    return Sum(crc64nvme(data), len(data))


def looked_at(room, sealed):
    """What a worker hears that reads the whole: the digest."""
    with room.store.land(sealed) as whole:
        return whole.digest or whole.whole()


@pytest.mark.parametrize("cuts", [[], [1], [PART], [100, PART + 7], [PART - 1, PART, 2 * PART]])
def test_the_sum_of_a_stream_goes_on_where_it_was_cut(room, cuts):
    kept = Kept(room.stream())
    for start, end in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True):
        kept.write(room.store, WHOLE[start:end])
        assert kept.staged.sum == summed(WHOLE[:end])
    sealed = kept.sealed(room.again())
    assert sealed.sum == summed(WHOLE)
    assert landed(room.again(), sealed) == WHOLE
    looked_at(room, sealed)


def test_a_client_that_left_leaves_the_sum_of_what_it_sent(room):
    kept = Kept(room.stream())
    written = kept.take(room.store.write(kept.staged, 0, PART, Sender(WHOLE, leaves_at=PART + 5), ENDLESS, quiet))
    assert (written.offset, written.staged.sum) == (PART + 5, summed(WHOLE[: PART + 5]))


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 1, 2]])
def test_the_sums_of_parts_are_joined_in_any_order(room, order):
    kept = put_all(room, WHOLE, order)
    assert [kept.parts.held[n].sum.size for n in (1, 2, 3)] == [PART, PART, 1000]
    parts = room.store.held(kept.staged, kept.parts, PART)
    sealed = room.again().seal(kept.staged, parts, len(WHOLE))
    assert sealed.sum == summed(WHOLE)
    looked_at(room, sealed)


def test_one_part_without_a_sum_leaves_the_whole_without(room):
    kept = put_all(room, WHOLE)
    kept.add(replace(kept.parts.held[2], sum=None))
    sealed = kept.sealed(room.store)
    assert sealed.sum is None
    looked_at(room, sealed)


@pytest.mark.parametrize("at", [0, 50, 99])
def test_a_record_that_knows_less_or_more_is_never_wrong(room, at):
    """Truncated, begun again, or left by a crash: the sum is that of the bytes, or unknown."""
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:100])
    kept.staged, kept.offset = room.store.truncate(kept.staged, at), at
    kept.write(room.store, WHOLE[200:300])
    assert kept.staged.sum in {None, summed(WHOLE[:at] + WHOLE[200:300])}
    looked_at(room, kept.sealed(room.store))


@pytest.mark.parametrize("made", ["stream", "plan"])
def test_other_bytes_than_came_in_are_found(room, made):
    if made == "stream":
        kept = Kept(room.stream())
        kept.write(room.store, WHOLE)
    else:
        kept = put_all(room, WHOLE)
    sealed = kept.sealed(room.store)
    wrong = replace(sealed, sum=Sum(sealed.sum.value ^ 1, sealed.sum.size))
    with pytest.raises(UploadError) as info:
        looked_at(room, wrong)
    assert info.value.code is Code.CORRUPTED


def test_bytes_changed_between_the_door_and_the_sealing_are_found(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE[:1000])
    room.tamper(replace(kept.staged, size=1000))
    with pytest.raises(UploadError) as info:
        looked_at(room, kept.sealed(room.store))
    assert info.value.code is Code.CORRUPTED


def test_a_sum_is_compared_once_and_a_refusal_looks_at_it_too(room):
    kept = Kept(room.stream())
    kept.write(room.store, WHOLE)
    sealed = kept.sealed(room.store)
    with suppress(UploadError), room.store.land(replace(sealed, sum=Sum(1, sealed.size))) as whole:
        assert whole.check is not None
        with pytest.raises(UploadError):
            whole.check()


# ---------------------------------------------------------------- local


def test_what_a_crash_left_beyond_the_record_is_summed_from_the_file(tmp_path):
    store = open_store(f"file://{tmp_path}", fsync=False, signer=SIGNER)
    kept = Kept(store.stage("staging/t/u", planned=False, length=None))
    kept.write(store, WHOLE[:1000])
    store.write(kept.staged, 1000, PART, Sender(WHOLE[1000:5000]), ENDLESS, quiet)  # and no record of it
    again = store.write(kept.staged, 5000, PART, Sender(WHOLE[5000:9000]), ENDLESS, quiet)
    assert again.staged.sum == summed(WHOLE[:9000])


def test_what_is_too_much_to_be_read_again_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(sums, "GAP", 3999)
    store = open_store(f"file://{tmp_path}", fsync=False, signer=SIGNER)
    kept = Kept(store.stage("staging/t/u", planned=False, length=None))
    kept.write(store, WHOLE[:1000])
    store.write(kept.staged, 1000, PART, Sender(WHOLE[1000:5000]), ENDLESS, quiet)
    again = store.write(kept.staged, 5000, PART, Sender(WHOLE[5000:9000]), ENDLESS, quiet)
    assert again.staged.sum is None
    with store.land(store.seal(again.staged, kept.parts, 9000)) as whole:
        whole.whole()


@pytest.mark.parametrize("look", ["whole", "check"])
def test_a_disk_that_does_not_give_what_lies_there_is_a_store_that_is_down(tmp_path, monkeypatch, look):
    store = open_store(f"file://{tmp_path}", fsync=False, signer=SIGNER)
    kept = Kept(store.stage("staging/t/u", planned=False, length=None))
    kept.write(store, WHOLE[:1000])

    def broken(*_):
        raise OSError(errno.EIO, "no")

    with store.land(kept.sealed(store)) as whole:
        with monkeypatch.context() as disk:
            disk.setattr(os, "preadv", broken)
            with pytest.raises(StoreDown):
                getattr(whole, look)()
        getattr(whole, look)()  # it gives again


def test_without_sums_nothing_is_summed(tmp_path):
    store = open_store(f"file://{tmp_path}", fsync=False, signer=SIGNER, sums=False)
    kept = Kept(store.stage("staging/t/u", planned=False, length=None))
    kept.write(store, WHOLE[:1000])
    staged = store.stage("staging/t/p", planned=True, length=1000)
    part = store.put_part(staged, Slot(1, 0, 1000), Sender(WHOLE[:1000]), quiet)
    assert (kept.staged.sum, part.sum) == (None, None)


# ---------------------------------------------------------------- arithmetic


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_joined_sums_are_the_sum_of_the_joined(runs):
    assert sums.joined([summed(run) for run in runs]) == summed(b"".join(runs))
    running = NOTHING
    for run in runs:
        running = sums.added(running, run)
    assert running == summed(b"".join(runs))


def test_the_sum_is_the_published_one():
    assert crc64nvme(b"123456789") == 0xAE8B14860A799888  # the check value of CRC-64/NVME in the catalogue of parametrised CRCs


def test_a_whole_of_another_length_has_no_sum():
    data = random.Random(2).randbytes(10)
    parts = [Part(1, 0, 10, "e", sum=summed(data))]
    assert sums.of_whole(Staged("k"), parts, 10) == summed(data)
    assert sums.of_whole(Staged("k"), parts, 11) is None
    assert sums.of_whole(Staged("k", sum=summed(data)), None, 9) is None

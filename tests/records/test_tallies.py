"""What tenants take up: counted with every commit, refused exactly at the limit however many come at once, counted anew when it was lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from app.core.asset import BlobState, doom
from app.core.errors import Code, UploadError
from app.core.parts import Parts
from app.core.ports import Change
from app.core.tally import Limits, Standing, Tally
from app.core.upload import State
from app.records import records_over
from tests.records.samples import a_blob, a_part, an_upload, newer, put

AT_ONCE = 16


@pytest.fixture
def limited(make_client):
    """A room whose tenants may have so much -> its records."""
    rooms = []

    def make(**limits):
        rooms.append(records_over(make_client, limits=Limits(**limits)))
        return rooms[-1].records

    yield make
    for room in rooms:
        room.close()


def opened(records, *entities):
    """As the door opens uploads: whether it was let in."""
    try:
        return bool(put(records, *entities, charge=True))
    except UploadError as refused:
        return refused.code is not Code.QUOTA_EXCEEDED


# ---------------------------------------------------------------- the limit


@pytest.mark.parametrize(("limits", "most"), [({"uploads": 5}, 5), ({"bytes": 700}, 7), ({"bytes": 799, "uploads": 9}, 7), ({}, AT_ONCE)])
def test_exactly_so_many_get_in(limited, limits, most):
    records, together = limited(**limits), Barrier(AT_ONCE)

    def come(number):
        together.wait(20)
        return opened(records, an_upload(f"u{number}", length=100))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        let_in = [number for number, good in enumerate(pool.map(come, range(AT_ONCE))) if good]
    assert len(let_in) == most
    assert [number for number in range(AT_ONCE) if records.get(an_upload(f"u{number}").ref)] == let_in
    assert records.standing("acme").tally == Tally(0, 100 * most, most)


def test_who_is_refused_learns_why(limited):
    records = limited(bytes=150, uploads=2)
    put(records, an_upload(length=100))
    with pytest.raises(UploadError) as refused:
        put(records, an_upload("u2", length=51), charge=True)
    assert refused.value.problem.facts == {"quota": "bytes", "used": 100, "limit": 150}
    put(records, an_upload("u2", length=50), charge=True)
    with pytest.raises(UploadError) as refused:
        put(records, an_upload("u3"), charge=True)
    assert refused.value.problem.facts == {"quota": "uploads", "used": 2, "limit": 2}


def test_what_is_not_to_be_charged_is_counted_and_never_refused(limited):
    records = limited(bytes=10, uploads=1)
    put(records, an_upload(length=100), an_upload("u2", length=100))
    assert records.standing("acme").tally == Tally(0, 200, 2)


def test_who_is_over_the_limit_may_still_take_up_less(limited):
    records = limited(bytes=10, uploads=1)
    up, other = an_upload(length=100), an_upload("u2", length=100)
    put(records, up, other)
    assert opened(records, newer(up, state=State.FINISHED))
    assert opened(records, newer(other, length=90))
    assert not opened(records, replace(other, length=91, version=5))


def test_every_tenant_has_limits_of_its_own(limited):
    records = limited(uploads=1)
    for tenant in ("acme", "other", "with:colon"):
        assert opened(records, an_upload(tenant=tenant))
        assert not opened(records, an_upload("u2", tenant=tenant))


def test_a_limit_that_was_set_for_one_tenant_counts_instead(make_client):
    room = records_over(make_client, limits=Limits(bytes=10, uploads=1))
    for limit, most, then in (
        ("uploads", 2, Limits(10, 2)),
        ("bytes", 0, Limits(0, 2)),
        ("uploads", None, Limits(0, 1)),
        ("bytes", None, Limits(10, 1)),
    ):
        room.tallies.allow("acme", limit, most)
        assert room.tallies.standing("acme") == Standing(Tally(), then)
        assert room.tallies.standing("other").limits == Limits(10, 1)
    room.tallies.allow("acme", "uploads", 2)
    assert [opened(room.records, an_upload(f"u{n}")) for n in range(3)] == [True, True, False]
    room.close()


def test_a_long_table_of_parts_goes_through_the_limit(limited):
    records, many = limited(bytes=5_000_000), {number: a_part(number) for number in range(1, 10_001)}
    table = Parts("acme", "u1", many)
    assert opened(records, an_upload(offset=1_000_000), table)
    assert records.get(table.ref).held == many


# ---------------------------------------------------------------- the count


def test_bytes_go_from_flight_to_rest_in_one_commit_and_leave_when_they_are_doomed(records):
    up, blob = an_upload(length=100, state=State.FINISHED), a_blob()
    put(records, up, blob)
    live = newer(blob, state=BlobState.LIVE, size=100)
    put(records, newer(up, doomed_at=1.0), live)
    assert records.standing("acme").tally == Tally(100, 0, 0)
    put(records, doom(live, 1.0))
    assert records.standing("acme").tally == Tally()


def test_a_record_that_is_written_twice_in_one_change_counts_once(records):
    up = an_upload(length=100)
    records.commit([up.ref], lambda _: Change(put=(up, newer(up, length=70))))
    assert records.standing("acme").tally == Tally(0, 70, 1)
    records.commit([up.ref], lambda _: Change(put=(newer(newer(up, length=70)),), drop=(up.ref,)))
    assert records.standing("acme").tally == Tally()


def test_a_count_that_was_lost_is_made_anew(room, raw):
    put(room.records, an_upload(length=100), a_blob(state=BlobState.LIVE, size=30), an_upload("gone", state=State.CANCELLED, length=9))
    put(room.records, an_upload(tenant="with:colon", offset=7))
    right = {tenant: room.tallies.standing(tenant) for tenant in ("acme", "with:colon")}
    raw.delete("tally:acme")
    raw.hset("tally:with%3Acolon", mapping={"rest": 5, "flight": -3, "uploads": 8})
    raw.hset("tally:nobody", mapping={"rest": 5})
    assert room.tallies.standing("with:colon").tally == Tally(5, 0, 8)  # never less than nothing
    assert room.tallies.recount() == []
    assert {tenant: room.tallies.standing(tenant) for tenant in right} == right
    assert right["acme"].tally == Tally(30, 100, 1)
    assert room.tallies.standing("nobody").tally == Tally()


@pytest.mark.parametrize("often", [1, 1000])
def test_a_count_that_moves_while_it_is_made_is_made_again(room, raw, monkeypatch, often):
    """However often: then it stays as it was."""
    put(room.records, an_upload(length=100))
    raw.hset("tally:acme", "flight", 40)
    settle, moved = room.tallies._settle, []

    def late(*given):
        if len(moved) < often:
            moved.append(put(room.records, an_upload(f"m{len(moved)}", length=1)))
        return settle(*given)

    monkeypatch.setattr(type(room.tallies), "_settle", lambda _self, *given: late(*given))
    assert room.tallies.recount() == ([] if often == 1 else ["acme"])
    assert room.tallies.standing("acme").tally.flight == (101 if often == 1 else 40 + len(moved))

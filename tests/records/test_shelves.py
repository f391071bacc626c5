"""Lists by place: where a slice goes on, whatever was made, removed or moved since the last."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import listing
from app.core.listing import Wanted
from app.core.operation import Status
from app.core.ports import Change
from app.core.refs import Place, Row, Shelf
from app.records import records_over
from app.records.link import connect
from tests.records.samples import NOW, an_operation, put
from tests.services.redis_server import shared

ALL = Shelf(Row.OPERATIONS, "acme")
WAITING = tuple(Shelf(Row.OPERATIONS, "acme", status) for status in (Status.QUEUED, Status.STARTED))
NAMES = ["a", "A", "ab", "b", "é", "ü", "\U0001f600", "~", "zz"]  # Redis sorts them by their bytes


def places(*ops):
    return [Place(op.created_at, op.ref) for op in ops]


def by_place(ops):
    return sorted(ops, key=lambda op: (op.created_at, op.id.encode()), reverse=True)


def test_what_was_made_at_one_moment_stands_by_name(records):
    ops = by_place([an_operation(f"{name}{n}", created_at=NOW + moment) for name in NAMES for n, moment in enumerate((0, 1e-6, 2))])
    put(records, *ops)
    assert records.shelves_after([ALL], None, 99) == places(*ops)
    for number, op in enumerate(ops):
        assert records.shelves_after([ALL], Place(op.created_at, op.ref), 4) == places(*ops[number + 1 : number + 5])
        records.commit([op.ref], lambda _, ref=op.ref: Change(drop=(ref,)))
        assert records.shelves_after([ALL], Place(op.created_at, op.ref), 4) == places(*ops[number + 1 : number + 5])


def test_before_a_moment(records):
    ops = by_place([an_operation(f"{n}", created_at=NOW + n) for n in range(4)])
    put(records, *ops)
    assert records.shelves_after([ALL], Place(NOW + 2), 9) == places(*ops[2:])
    assert records.shelves_after([ALL], Place(NOW + 2.5), 1) == places(ops[1])
    assert records.shelves_after([ALL], None, 0) == records.shelves_after([], None, 9) == []


def test_lists_together_hold_nothing_twice(records):
    ops = by_place([an_operation(f"{n}", created_at=NOW + n, status=list(Status)[n % 6]) for n in range(12)])
    put(records, *ops)
    assert records.shelves_after(WAITING, None, 99) == places(*(op for op in ops if op.status in {Status.QUEUED, Status.STARTED}))
    assert records.shelves_after([ALL, *WAITING], None, 99) == places(*ops)
    assert records.shelves_after([Shelf(Row.OPERATIONS, "other"), Shelf(Row.UPLOADS, "acme", "v1")], None, 99) == []


def test_an_operation_stands_in_the_list_of_its_status_alone(records, raw):
    for version, status in enumerate(Status):
        put(records, an_operation(status=status, version=version))
        assert sorted(raw.scan_iter("sh:op:*")) == ["sh:op:acme:", f"sh:op:acme:{status}"]
    records.commit([an_operation().ref], lambda _: Change(drop=(an_operation().ref,)))
    assert not list(raw.scan_iter("sh:*"))


# ---------------------------------------------------------------- while all changes

CHANGES = st.tuples(st.sampled_from(["make", "drop", "move", "move"]), st.integers(0, 20), st.integers(0, 3))


@contextmanager
def room(kind):
    """Made anew for every example."""
    if kind == "real":
        shared().flush()
    server = fakeredis.FakeServer(version=(6, 2))
    fake = lambda: fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)  # noqa: E731 - a factory of clients
    made = records_over((lambda: connect(shared().url)) if kind == "real" else fake)
    yield made.records
    made.close()


def change(records, alive, kind, pick, moment):
    """Make, drop, or move from list to list: `alive` follows."""
    if kind == "make":
        new = an_operation(f"{len(alive)}-{pick}", created_at=NOW + moment, status=Status.QUEUED)
        if new.id not in alive:
            put(records, new)
            alive[new.id] = new
    elif alive:
        name = sorted(alive)[pick % len(alive)]
        old = alive.pop(name)
        if kind == "drop":
            records.commit([old.ref], lambda _: Change(drop=(old.ref,)))
            return
        other = Status.STARTED if old.status is Status.QUEUED else Status.QUEUED
        alive[name] = replace(old, status=other, version=old.version + 1)
        put(records, alive[name])


@pytest.mark.parametrize(("kind", "examples"), [("fake", 60), ("real", 15)])
def test_what_stands_throughout_comes_once(kind, examples):
    """Operations that wait, in whichever of two states, read page by page while others come, go and change their state."""

    @settings(max_examples=examples, deadline=None, database=None)
    @given(
        first=st.lists(st.integers(0, 3), max_size=12),
        between=st.lists(st.lists(CHANGES, max_size=3), max_size=14),
        limit=st.integers(1, 4),
    )
    def judge(first, between, limit):
        with room(kind) as records:
            alive = {}
            for number, moment in enumerate(first):
                change(records, alive, "make", number, moment)
            throughout, seen, place = set(alive), [], None
            for changes in [*between, *[[]] * 99]:
                found = listing.read(records, Wanted(WAITING, limit, lambda op: op.status in {Status.QUEUED, Status.STARTED}, place))
                seen, place = [*seen, *((op.created_at, op.id) for op in found.items)], found.end
                if place is None:
                    break
                for one in changes:
                    change(records, alive, *one)
                throughout &= set(alive)
            assert place is None
            assert len(set(seen)) == len(seen)
            assert throughout <= {name for _, name in seen}
            assert seen == sorted(seen, reverse=True)

    judge()

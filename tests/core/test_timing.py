"""Intervals that depend on one another."""

from pathlib import Path

import pytest

from app.core import timing as t

BEFORE = [
    ("a worker renews its lease more than once before it ends", 2 * t.HEARTBEAT, t.LEASE),
    ("a lease is taken over only after a heartbeat could have been seen to stand still", t.HEARTBEAT, t.WITNESS + 0.001),
    ("a task is asked to end before it is killed", t.SOFT_LIMIT, t.HARD_LIMIT),
    ("a task is killed before the broker gives it to another", t.HARD_LIMIT, t.VISIBILITY),
    ("doomed bytes outlive every worker that may still write them", t.HARD_LIMIT + t.LEASE, t.GRACE),
    ("a worker that never beats again has lost its lease before it would be killed", t.LEASE + t.WITNESS, t.SOFT_LIMIT),
    ("nobody picked it up: said only after a started worker would have been seen", t.LEASE + t.WITNESS, t.RESEND_FIRST),
    ("waits grow", t.RESEND_FIRST, t.RESEND_MOST),
    ("pauses grow", t.FAULT_BACKOFF, t.FAULT_BACKOFF_MOST),
    ("a fault may be retried often within its budget", 10 * t.FAULT_BACKOFF_MOST, t.FAULT_BUDGET),
    ("a writer that looks after its lock once a second keeps it over a few faults of Redis", 3 * 5.0, t.LOCK),
    ("a sweep ends before the shortest period of sweeps is doubled", t.SWEEP, 2 * 5.0),
    ("what a broken upload staged is no orphan while any signed URL is good", t.LINK, t.ORPHAN),
    ("an orphan is older than the longest task", t.VISIBILITY, t.ORPHAN),
    ("what lies in the trash can be brought back for longer than any unkept asset lives", 86400, t.TRASH),
    ("a request that renews its mark in time keeps it over a fault of Redis", 2 * 5.0, t.RUNNING),
    ("what a key is answered with is there for longer than any of its uploads may take at the native door", 600, t.REPLIES),
    ("a tombstone outlives an operation's retention", 7 * 86400, t.TOMBSTONE),
    ("a long poll ends before proxies lose patience", t.LONG_POLL, 60),
]


@pytest.mark.parametrize(("short", "long"), [row[1:] for row in BEFORE], ids=[row[0] for row in BEFORE])
def test_an_interval_fits_into_the_one_that_waits_for_it(short, long):
    assert 0 < short < long


def test_every_interval_is_held_by_a_row():
    named = {name for name in vars(t) if name.isupper()}
    source = Path(__file__).read_text()
    assert {name for name in named if f"t.{name}" not in source} == set()

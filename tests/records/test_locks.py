"""One writer at a time, for as long as it renews."""

import os
import subprocess
import sys

import pytest

from app.core.timing import LOCK
from app.records import processes
from tests.records.samples import an_upload

UP = an_upload().ref


@pytest.fixture
def locks(room):
    return room.locks


def test_a_lock_has_one_holder_until_it_is_released(locks):
    token = locks.acquire(UP)
    assert token
    assert locks.acquire(UP) is None
    locks.release(UP, token)
    assert locks.acquire(UP)


@pytest.mark.parametrize("other", [an_upload("u2").ref, an_upload(tenant="other").ref])
def test_locks_of_others_are_others(locks, other):
    assert locks.acquire(UP)
    assert locks.acquire(other)


def test_a_lock_expires_and_renewing_puts_that_off(locks, raw):
    token = locks.acquire(UP)
    (key,) = raw.keys("*")
    assert 0 < raw.pttl(key) <= LOCK * 1000
    raw.pexpire(key, 5000)
    assert locks.renew(UP, token)
    assert raw.pttl(key) > LOCK * 1000 - 5000


def test_a_token_that_was_not_renewed_is_worth_nothing(locks, raw):
    late = locks.acquire(UP)
    raw.delete(*raw.keys("*"))  # as if its time had passed
    assert not locks.renew(UP, late)
    mine = locks.acquire(UP)
    assert not locks.renew(UP, late)
    locks.release(UP, late)
    assert locks.acquire(UP) is None
    assert locks.renew(UP, mine)


# ---------------------------------------------------------------- holders that died

ANOTHER = "import sys; from app.records import processes; print(processes.own(), flush=True); sys.stdin.read()"


@pytest.fixture
def another():
    """Another process of this machine, and what it is known by."""
    with subprocess.Popen([sys.executable, "-c", ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def held_by(raw, locks, known_as):
    """The lock, as that process would have it."""
    locks.acquire(UP)
    (key,) = raw.keys("*")
    raw.set(key, f"{known_as}/token", px=10_000)
    return f"{known_as}/token"


@pytest.mark.parametrize("reaped", [True, False])
def test_a_lock_of_a_process_that_was_killed_is_taken_over_at_once(locks, raw, another, reaped):
    process, known_as = another
    late = held_by(raw, locks, known_as)
    assert locks.acquire(UP) is None
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and a zombie until somebody asks how it ended
    if reaped:
        process.wait()
    mine = locks.acquire(UP)
    assert mine
    assert locks.acquire(UP) is None
    assert not locks.renew(UP, late)
    locks.release(UP, late)
    assert locks.renew(UP, mine)


def test_a_number_that_another_process_got_since_is_not_the_holders(locks, raw):
    words = processes.own().split(" ")
    held_by(raw, locks, " ".join([*words[:-1], "1"]))
    assert locks.acquire(UP)


@pytest.mark.parametrize("word", [0, 1, 2])
def test_of_another_machine_container_or_user_nothing_is_told(locks, raw, word):
    words = processes.own().split(" ")
    held_by(raw, locks, " ".join([*words[:word], "another", *words[word + 1 : -2], "999999999", "1"]))
    assert locks.acquire(UP) is None


@pytest.mark.parametrize("known_as", ["", "older", "a b c d e f", "    "])
def test_a_token_that_names_nobody_is_left_to_its_time(locks, raw, known_as):
    held_by(raw, locks, known_as)
    assert locks.acquire(UP) is None


def test_where_the_system_does_not_tell_a_lock_is_left_to_its_time(locks, raw, another, monkeypatch, tmp_path):
    process, known_as = another
    held_by(raw, locks, known_as)
    process.kill()
    process.wait()
    processes._own.cache_clear()
    monkeypatch.setattr(processes, "PROC", tmp_path)
    assert (processes.own(), locks.acquire(UP)) == (None, None)
    processes._own.cache_clear()
    monkeypatch.undo()
    assert locks.acquire(UP)

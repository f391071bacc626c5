"""Who waits hears of every change."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.errors import RecordsDown
from app.core.ports import Change
from app.records import open_records, signals
from tests.records.samples import an_asset, an_operation, an_upload, newer, put

OP = an_operation()
SOON = 10.0  # generous: it is only waited out when something is broken


def bump(records, ref=OP.ref):
    records.commit([ref], lambda op: Change(put=(newer(op),)))


def test_an_operation_that_is_written_is_announced(room):
    put(room.records, OP)
    with room.signals.listen(OP.ref) as waiter:
        assert not waiter.wait(0)
        bump(room.records)
        assert waiter.wait(SOON)
        assert not waiter.wait(0.05)


def test_other_records_and_other_operations_are_not_heard(room):
    others = [an_operation("u2"), an_operation(tenant="other")]
    with room.signals.listen(OP.ref) as waiter, room.signals.listen(others[1].ref) as last:
        put(room.records, an_upload(), an_asset(), *others)
        assert last.wait(SOON)
        assert not waiter.wait(0)


def test_everybody_hears_and_hears_every_time(room):
    put(room.records, OP)
    with room.signals.listen(OP.ref) as one, room.signals.listen(OP.ref) as two:
        for _ in range(5):
            bump(room.records)
            assert one.wait(SOON)
            assert two.wait(SOON)


def test_all_waiters_share_one_thread_and_leave_nothing_behind(room):
    with room.signals.listen(OP.ref), room.signals.listen(OP.ref), room.signals.listen(an_operation("u2").ref):
        ear = room.signals._ear()
        assert {name: len(waiters) for name, waiters in ear._waiters.items()} == {"op:acme:u1": 2, "op:acme:u2": 1}
    assert ear._waiters == {}
    assert ear._thread.is_alive()


def test_no_change_falls_between_subscribing_reading_and_waiting(room):
    """A writer who writes as fast as it can: whoever reads an old state must hear of the next."""
    put(room.records, OP)
    rounds = 60

    def until(version):
        with room.signals.listen(OP.ref) as waiter:
            while (found := room.records.get(OP.ref).version) < version:
                assert waiter.wait(SOON), f"stands at {found}, nothing was heard"

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(lambda: [until(version) for version in range(1, rounds + 1)]) for _ in range(2)]
        pool.submit(lambda: [bump(room.records) for _ in range(rounds)]).result()
        assert [len(reader.result()) for reader in readers] == [rounds, rounds]


def test_an_announcement_is_made_with_the_change_or_not_at_all(room):
    def overtaken(op):
        if op.version == 0:
            bump(room.records)
        return Change(put=(newer(op),))

    put(room.records, OP)
    with room.signals.listen(OP.ref) as waiter, pytest.raises(ValueError, match="not named"):
        room.records.commit([an_asset().ref], lambda _: Change(put=(OP,)))
    assert not waiter.wait(0.05)


def test_a_new_subscription_wakes_everybody(own_server):
    room = open_records(own_server.url)
    put(room.records, OP)
    with room.signals.listen(OP.ref) as waiter, room.signals.listen(an_operation("u2").ref) as other:
        assert not waiter.wait(0)
        own_server.kill()
        own_server.start()
        assert waiter.wait(SOON)
        assert other.wait(SOON)
        bump(room.records)
        assert waiter.wait(SOON)
    room.close()


def test_without_redis_nobody_is_promised_to_hear(own_server, monkeypatch):
    monkeypatch.setattr(signals, "LISTEN", 0.2)
    room = open_records(own_server.url)
    own_server.kill()
    with pytest.raises(RecordsDown), room.signals.listen(OP.ref):
        pass
    assert room.signals._ear()._waiters == {}
    room.close()


def test_a_closed_ear_ends_its_thread(room):
    with room.signals.listen(OP.ref):
        thread = room.signals._ear()._thread
    room.close()
    thread.join(SOON)
    assert not thread.is_alive()


def _hear(room, pipe):
    with room.signals.listen(OP.ref) as waiter:
        pipe.send("listening")
        pipe.send(waiter.wait(SOON))


def test_a_child_made_by_fork_hears_too(own_server):
    room = open_records(own_server.url)
    put(room.records, OP)
    with room.signals.listen(OP.ref) as waiter:
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=_hear, args=(room, theirs))
        child.start()
        assert ours.poll(SOON)
        assert ours.recv() == "listening"
        bump(room.records)
        assert waiter.wait(SOON)
        assert ours.poll(SOON)
        assert ours.recv() is True
        child.join(SOON)
    room.close()


def test_waiting_ends_by_itself(room):
    with room.signals.listen(OP.ref) as waiter:
        began, idle = time.monotonic(), threading.active_count()
        assert not waiter.wait(0.05)
        assert time.monotonic() - began >= 0.05
        assert threading.active_count() == idle

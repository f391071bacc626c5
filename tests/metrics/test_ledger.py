"""Numbers in mapped files: over threads, forks and deaths."""

import fcntl
import os
import signal
import threading

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from app.metrics import slots
from app.metrics.catalogue import FAMILIES, Type
from app.metrics.ledger import SIZES, Ledger

HTTP = {"dialect": "v1", "method": "GET"}


def child(work):
    """What a forked child does, until it is killed: it says that it did it, and waits."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(writer, b"!")
            signal.alarm(60)  # also when the test fails before it kills
            signal.pause()
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        assert said.read(1) == b"!"
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_what_was_counted_is_exported(ledger, exported):
    ledger.count("messages_resent")
    ledger.count("http_requests", **HTTP, status="200")
    ledger.count("http_requests", 2, **HTTP, status="404")
    ledger.shift("waiters", 2, reason="prefer")
    ledger.shift("waiters", -1, reason="prefer")
    found = exported()
    assert found["messages_resent_total",] == 1
    assert (found["http_requests_total", "200", "GET", "v1"], found["http_requests_total", "404", "GET", "v1"]) == (1, 2)
    assert found["waiters", "prefer"] == 1


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, "0.001"), (0.001, "0.001"), (0.0011, "0.0025"), (30.0, "30.0"), (31.0, "+Inf"), (1e9, "+Inf")]
)
def test_a_number_falls_into_the_bucket_whose_upper_end_it_does_not_pass(ledger, exported, seconds, bucket):
    ledger.observe("http_request_seconds", seconds, **HTTP)
    found = exported()
    counts = {key[1]: number for key, number in found.items() if key[0] == "http_request_seconds_bucket"}
    full = [le for le, number in counts.items() if number == 1]
    assert min(full, key=float) == bucket
    assert (found["http_request_seconds_sum", "GET", "v1"], found["http_request_seconds_count", "GET", "v1"]) == (seconds, 1)


def test_what_has_no_labels_is_there_from_the_beginning(ledger, exported):
    ledger.open()
    plain = {family.name.removeprefix("slipway_") for family in FAMILIES if not family.labels and family.type is not Type.STATE}
    assert {(name,): 0.0 for name in plain} == exported()


def test_threads_lose_nothing(ledger, exported):
    def add():
        for _ in range(500):
            ledger.count("messages_resent")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exported()["messages_resent_total",] == 4000


def test_children_count_beside_their_parent_and_what_they_counted_outlives_them(ledger, exported):
    ledger.count("messages_resent")
    pids = [child(lambda: ledger.count("messages_resent", 10)) for _ in range(3)]
    assert exported()["messages_resent_total",] == 31
    for pid in pids:
        kill(pid)
    assert exported()["messages_resent_total",] == 31


def test_a_child_that_dies_takes_what_it_held_at_the_moment_along(ledger, exported):
    ledger.shift("http_requests_running", 1)
    pid = child(lambda: ledger.shift("http_requests_running", 5))
    assert exported()["http_requests_running",] == 6
    kill(pid)
    assert exported()["http_requests_running",] == 1


def test_the_next_one_goes_on_in_the_slot_of_the_last(ledger, exported, folder):
    ledger.open()
    for _ in range(20):
        kill(child(lambda: ledger.count("messages_resent")))
    assert exported()["messages_resent_total",] == 20
    assert len(list(folder.glob("counter_*.db"))) == 2  # the parent's, and the one that all of them had


def test_everything_begins_anew_when_nobody_lives(folder, exported):
    kill(child(lambda: Ledger(folder).count("messages_resent", 7)))
    assert exported()["messages_resent_total",] == 7
    Ledger(folder).open()
    assert exported()["messages_resent_total",] == 0


def test_a_child_is_not_held_up_by_a_lock_that_its_parent_held(ledger):
    ledger.open()
    with ledger._lock:
        kill(child(lambda: ledger.count("messages_resent")))


def test_a_child_that_is_forked_during_a_scrape_takes_no_lock_of_it_along(folder):
    """The parent of a pool forks whenever a child is spent; the thread of /metrics may be looking at that moment."""
    folder.mkdir()
    looking, forked = threading.Event(), threading.Event()

    def look():
        with slots._alone(folder):
            looking.set()
            forked.wait(0.5)

    scrape = threading.Thread(target=look)
    scrape.start()
    looking.wait()
    pid = child(lambda: None)
    forked.set()
    scrape.join()
    with (folder / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # else the child has it, and nobody ever counts or scrapes again
        finally:
            kill(pid)


def test_labels_are_those_of_the_catalogue(ledger):
    with pytest.raises(TypeError):
        ledger.count("http_requests", method="GET", dialect="v1", status="200")  # another order
    with pytest.raises(TypeError):
        ledger.count("refusals", dialect="v1")
    with pytest.raises(KeyError):
        ledger.count("nothing of the kind")


def test_a_file_never_grows_and_a_full_one_fails_nobody(ledger, exported, folder, monkeypatch):
    monkeypatch.setitem(SIZES, Type.COUNTER, 4096)
    for number in range(100):
        ledger.count("refusals", dialect="v1", code=f"code-{number}")
        ledger.count("refusals", dialect="v1", code="code-0")
    assert exported()["refusals_total", "code-0", "v1"] == 101
    assert ("refusals_total", "code-99", "v1") not in exported()
    assert {file.stat().st_size for file in folder.glob("counter_*.db")} == {4096}


def test_that_there_is_no_room_is_said_once(ledger, monkeypatch, caplog):
    monkeypatch.setitem(SIZES, Type.COUNTER, 4096)
    for _ in range(3):
        for number in range(50):
            ledger.count("refusals", dialect="v1", code=f"code-{number}")
    said = [record for record in caplog.records if "no room" in record.message]
    assert 0 < len(said) < 50


def test_what_takes_the_most_room_has_room(ledger, exported):
    """Twelve dialects, every method; every refusal."""
    for dialect in range(12):
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"):
            ledger.observe("http_request_seconds", 1.0, dialect=f"dialect-{dialect}", method=method)
            ledger.count("http_requests", dialect=f"dialect-{dialect}", method=method, status="200")
    assert len([key for key in exported() if key[0] == "http_request_seconds_count"]) == 96


def test_a_folder_of_somebody_else_is_not_used(folder, exported, monkeypatch):
    folder.mkdir()
    monkeypatch.setattr(slots.os, "getuid", lambda: 4711)
    ledger = Ledger(folder)
    ledger.count("messages_resent")
    assert not list(folder.glob("*.db"))


def test_values_of_an_older_version_are_passed_over(ledger, exported, folder):
    ledger.open()
    MmapedDict(str(folder / "counter_99.db")).write_value(mmap_key("slipway_past", "slipway_past_total", [], [], ""), 1.0, 0.0)
    assert ("past_total",) not in exported()

"""What is asked for when somebody scrapes."""

import threading
import time
import urllib.error
import urllib.request

import pytest

from app.core.errors import RecordsDown
from app.metrics import Look, State, serve, state
from app.metrics.catalogue import BY_WHAT, FAMILIES
from app.metrics.door import Exported, Server
from tests.core.worlds import World
from tests.dialects.house import Door
from tests.services.up import eventually


@pytest.fixture
def door(tmp_path):
    door = Door(tmp_path)
    yield door
    door.close()


def state_of(door, **folders):
    return State(door.house.records, door.house.pulse, door.jobs, door.house.store, folders)


def test_the_state_of_a_house(door, exported, tmp_path, monkeypatch):
    world = World(door)
    world.hold()
    first, _ = world.upload(b"one"), world.upload(b"two")
    world.house.processing._claim(first.ref)
    door.house.pulse.mark("worker")
    door.pass_time(60)
    monkeypatch.setattr(type(door.house.records), "memory", lambda _: 0.25)
    found = exported(state_of(door, store=tmp_path, missing=tmp_path / "none").looks())
    assert {part: found["up", part] for part in ("redis", "broker", "store", "disk")} == dict.fromkeys(
        ("redis", "broker", "store", "disk"), 1
    )
    assert (found["operations", "queued"], found["operations", "started"]) == (1, 1)
    assert found["pending", "resend"] == 1
    assert 15 <= found["pending_overdue_seconds", "resend"] < 16  # sent again after 45 s
    assert 45 <= found["pending_overdue_seconds", "take_over"] < 46  # the lease was for 15 s
    assert found["pending_overdue_seconds", "delete_doomed"] == 0
    assert found["canary_age_seconds", "worker"] >= 0
    assert ("canary_age_seconds", "keeper") not in found
    assert found["redis_memory_ratio",] == 0.25
    assert found["queue_messages", "processing"] == 2
    assert 0 < found["disk_free_bytes", "store"] <= found["disk_size_bytes", "store"]
    assert ("disk_free_bytes", "missing") not in found


def test_a_part_that_is_down_is_said_to_be_and_the_others_go_on(door, exported):
    def away():
        raise RecordsDown("away")

    door.house.records.ping = away
    found = exported(state_of(door).looks())
    assert (found["up", "redis"], found["up", "broker"], found["up", "store"]) == (0, 1, 1)
    assert not [key for key in found if key[0] == "operations"]


def test_a_bug_in_a_look_is_a_part_that_is_down(exported):
    look = Look("odd", lambda: [1 / 0])
    assert exported([look])["up", "odd"] == 0


def test_what_hangs_is_asked_once_and_waited_for_no_longer_than_is_bearable(exported, monkeypatch):
    monkeypatch.setattr(state, "PATIENCE", 0.05)
    asked, answer = [], threading.Event()

    def hang():
        asked.append(1)
        answer.wait(20)
        return ()

    look = Look("slow", hang)
    assert [exported([look])["up", "slow"] for _ in range(3)] == [0, 0, 0]
    assert len(asked) == 1
    answer.set()
    eventually(lambda: exported([look])["up", "slow"] == 1)


def test_who_asks_within_a_second_is_told_the_same():
    now, asked = [100.0], []
    look = Look("part", lambda: asked.append(1) or (), lambda: now[0])

    def ask():
        look.begin()
        return look.found(time.monotonic() + 10)

    assert ask() == ask() == [("up", ("part",), 1.0)]
    now[0] += state.FRESH
    ask()
    assert len(asked) == 2


# ---------------------------------------------------------------- the port


@pytest.fixture
def server(folder, ledger):
    ledger.open()
    server = Server(("127.0.0.1", 0), Exported(folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def get(server, path, **headers):
    return urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{server.server_address[1]}{path}", headers=headers), timeout=10)


def test_one_path_and_nothing_else(server):
    assert get(server, "/metrics?x=1").headers["Content-Type"].startswith("text/plain; version=")
    assert get(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0").read().endswith(b"# EOF\n")
    assert get(server, "/metrics", **{"Accept-Encoding": "gzip"}).read()[:2] == b"\x1f\x8b"
    for path in ("/", "/metrics/", "/../metrics", "/v1/uploads"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(server, path)
        assert refused.value.code == 404


def test_who_comes_second_gets_the_port_when_it_is_free(server, ledger, monkeypatch):
    monkeypatch.setattr("app.metrics.door.RETRY", 0.02)
    port = server.server_address[1]
    made = []
    serve("127.0.0.1", port, ledger, lambda: made.append(1) or ())
    assert get(server, "/metrics").status == 200
    assert not made
    server.shutdown()
    server.server_close()
    eventually(lambda: made, what="the port")
    assert get(server, "/metrics").status == 200


def test_who_cannot_look_serves_what_was_counted(server, ledger, monkeypatch):
    def none():
        server.tried.set()
        raise ValueError("a file system that is read-only by now")

    monkeypatch.setattr("app.metrics.door.RETRY", 0.02)
    server.tried = threading.Event()
    ledger.count("messages_resent", 3)
    serve("127.0.0.1", server.server_address[1], ledger, none)
    server.shutdown()
    server.server_close()
    assert server.tried.wait(20)
    assert b"slipway_messages_resent_total 3.0" in get(server, "/metrics").read()


# ---------------------------------------------------------------- the catalogue


def test_names_are_prometheus_own_style():
    assert len(BY_WHAT) == len(FAMILIES)
    for family in FAMILIES:
        assert family.help.endswith(".")
        assert family.what.islower()
        assert not {"tenant", "id", "path", "owner", "filename"} & set(family.labels)

"""Redis that is slow, dead or full, around the one moment at which it matters."""

import multiprocessing
import os
import threading
import time

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from app.core import timing
from app.core.asset import BlobState
from app.core.credentials import Credential
from app.core.errors import RecordsDown
from app.core.ports import Change
from app.core.refs import Index
from app.core.tally import Tally
from app.records import open_records, records_over
from app.records.link import connect
from tests.records.samples import a_blob, a_part, an_asset, an_operation, an_upload, newer, put

OP = an_operation()
SOON = 20.0


@pytest.fixture
def room(own_server):
    room = open_records(f"{own_server.url}&socket_timeout=0.4&socket_connect_timeout=0.4")
    yield room
    own_server.resume()
    room.close()


@pytest.fixture
def records(room):
    return room.records


def eventually(condition):
    deadline, pause = time.monotonic() + SOON, threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.01)


# ---------------------------------------------------------------- the outcome is unknown


def broken_by(trouble, runs):
    """A step during which something happens to the server: between WATCH and EXEC."""

    def step(op):
        runs.append(op)
        trouble()
        return Change(put=(newer(op, heartbeat=op.heartbeat + 1),))

    return step


def test_an_exec_that_is_not_answered_is_not_repeated(own_server, records):
    put(records, OP)
    runs = []
    with pytest.raises(RecordsDown):
        records.commit([OP.ref], broken_by(own_server.pause, runs))
    own_server.resume()
    eventually(lambda: records.get(OP.ref).version == 1)  # it stood in the server's buffer, and was done after all
    assert len(runs) == 1
    put(records, newer(newer(OP)))
    assert records.get(OP.ref).version == 2


@pytest.mark.parametrize("again", [False, True], ids=["dead", "restarted"])
def test_a_server_that_dies_before_exec_leaves_it_undone(own_server, records, again):
    put(records, OP)
    runs = []

    def trouble():
        own_server.kill()
        if again:
            own_server.start()

    with pytest.raises(RecordsDown):
        records.commit([OP.ref], broken_by(trouble, runs))
    if not again:
        own_server.start()
    assert (records.get(OP.ref), len(runs)) == (OP, 1)


def test_a_watch_lost_with_its_connection_never_ends_in_a_write(own_server, records):
    """Somebody closed our connection while we watched, and wrote: a silent reconnect would now overwrite it."""
    put(records, OP)
    runs = []

    def trouble():
        own_server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        put(open_records(own_server.url).records, newer(newer(OP)))

    with pytest.raises(RecordsDown):
        records.commit([OP.ref], broken_by(trouble, runs))
    assert (records.get(OP.ref), len(runs)) == (newer(newer(OP)), 1)


def test_every_connection_comes_back_to_the_pool(own_server, room, records):
    """Faults in the middle of a transaction must not use connections up, nor leave answers or watches behind in them."""
    put(records, OP)
    pool = records._link.client.connection_pool
    for trouble in (own_server.pause, own_server.kill):
        with pytest.raises(RecordsDown):
            records.commit([OP.ref], broken_by(trouble, []))
        assert not pool._in_use_connections
        own_server.resume()
    own_server.start()
    put(records, an_upload())
    assert records.get(an_upload().ref) == an_upload()


def test_no_health_check_comes_between_watch_and_exec(own_server):
    """It would connect anew and the watch would be lost unnoticed, with a client that repeats as redis-py's own does."""
    eager = {"health_check_interval": 1, "retry": Retry(NoBackoff(), 1), "decode_responses": True, "protocol": 2}
    records = records_over(lambda: Redis(unix_socket_path=str(own_server.path), **eager)).records
    put(records, OP)
    runs = []

    def trouble():
        for connection in records._link.client.connection_pool._in_use_connections:
            connection.next_health_check = -1
        own_server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        put(open_records(own_server.url).records, newer(newer(OP)))

    with pytest.raises(RecordsDown):
        records.commit([OP.ref], broken_by(trouble, runs))
    assert (records.get(OP.ref), len(runs)) == (newer(newer(OP)), 1)


class Interrupted(BaseException):
    """The soft time limit raises between any two bytecodes, also while an answer is awaited."""


def interrupt(*_args, **_kwargs):
    raise Interrupted


def test_a_task_that_is_interrupted_leaves_no_answer_to_the_next(own_server, records, monkeypatch):
    """The server answers the interrupted commands late, when somebody else waits on the connection."""
    put(records, OP, an_upload())
    own_server.pause()
    with monkeypatch.context() as patch:
        patch.setattr("redis.connection.AbstractConnection.read_response", interrupt)
        with pytest.raises(Interrupted):
            records.get(OP.ref)
    threading.Timer(0.1, own_server.resume).start()
    assert records.get(an_upload().ref) == an_upload()


CALLS = {
    "now": lambda room: room.records.now(),
    "get": lambda room: room.records.get(OP.ref),
    "gone": lambda room: room.records.gone(OP.ref),
    "commit": lambda room: put(room.records, OP),
    "record_part": lambda room: room.records.record_part(OP.ref, a_part(), lambda _: None),
    "drop_part": lambda room: room.records.drop_part(OP.ref, 1, lambda _: None),
    "due": lambda room: room.records.due(Index.LEASE, 1.0, 1),
    "count": lambda room: room.records.count(Index.LEASE),
    "settle_index": lambda room: room.records.settle_index(Index.LEASE, [(OP.ref, 1.0)]),
    "ping": lambda room: room.records.ping(),
    "acquire": lambda room: room.locks.acquire(OP.ref),
    "renew": lambda room: room.locks.renew(OP.ref, "x"),
    "release": lambda room: room.locks.release(OP.ref, "x"),
    "mark": lambda room: room.pulse.mark("x"),
    "age": lambda room: room.pulse.age("x"),
    "once": lambda room: room.pulse.once("x", 1),
    "tenants": lambda room: room.keyring.tenants(),
    "put": lambda room: room.keyring.put(Credential("k", "key", "t", "admin", "h")),
    "by_secret_hash": lambda room: room.keyring.by_secret_hash("x"),
    "token": lambda room: room.keyring.token("x"),
}


def test_every_call_is_a_fault_of_records_while_redis_is_down_and_none_after(own_server, room):
    own_server.kill()
    for name, call in CALLS.items():
        with pytest.raises(RecordsDown):
            print(name, call(room))
    own_server.start()
    for call in CALLS.values():
        call(room)


def test_a_paused_redis_is_a_fault_within_the_time_out(own_server, room):
    room.records.ping()
    own_server.pause()
    began = time.monotonic()
    with pytest.raises(RecordsDown):
        room.records.ping()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0", "unix:///nowhere/at/all.sock"])
def test_a_room_is_made_without_a_server_and_says_so_when_it_is_used(url):
    room = open_records(url)
    with pytest.raises(RecordsDown):
        room.records.ping()
    room.close()


def test_the_client_gives_up_in_time_and_repeats_nothing():
    kwargs = connect("redis://somewhere:6379/3").connection_pool.connection_kwargs
    assert (kwargs["socket_timeout"], kwargs["socket_connect_timeout"], kwargs["socket_keepalive"], kwargs["db"]) == (5.0, 5.0, True, 3)
    assert kwargs["retry"].get_retries() == 0
    assert kwargs["health_check_interval"] > 0
    assert RedisTimeout in kwargs["retry"]._supported_errors


# ---------------------------------------------------------------- full


@pytest.fixture
def full(own_server, records):
    """Some records, then no room for more."""
    blob = a_blob(state=BlobState.LIVE)
    up = an_upload()
    put(records, OP, up, an_asset(expires_at=5.0), blob, hold=((blob.ref, "a1"),))
    records.record_part(up.ref, a_part(), lambda _: None)
    own_server.maxmemory(1)
    yield records
    own_server.maxmemory(0)


def test_a_full_redis_takes_nothing_new_and_says_so(full):
    for write in (
        lambda: put(full, an_upload("u2")),
        lambda: put(full, newer(OP)),
        lambda: full.record_part(OP.ref, a_part(2), lambda _: None),
    ):
        with pytest.raises(RecordsDown):
            write()
    assert full.get(OP.ref) == OP
    assert full.count(Index.EXPIRY_UPLOADS) == 1


def test_how_full_it_is_is_known_where_it_has_a_bound(records, own_server):
    assert records.memory() is None
    used = int(own_server.client.info("memory")["used_memory"])
    own_server.maxmemory(4 * used)
    assert 0.2 < records.memory() < 0.4
    own_server.maxmemory(1)
    assert records.memory() > 1
    own_server.maxmemory(0)


def test_a_full_redis_lets_go(full, own_server):
    up, asset, blob = an_upload(), an_asset(), a_blob()
    full.settle_index(Index.EXPIRY_ASSETS, [(asset.ref, 5.0)])
    full.commit([blob.ref], lambda _: Change(release=((blob.ref, "a1"),)))
    assert full.get(blob.ref).holders == 0
    full.commit([up.ref, up.parts_ref], lambda *_: Change(drop=(up.ref, up.parts_ref)))
    full.commit([blob.ref, OP.ref, asset.ref], lambda *_: Change(drop=(blob.ref, OP.ref, asset.ref)))
    assert own_server.client.keys("*") == ["tally:acme"]
    assert full.standing("acme").tally == Tally()


def test_a_full_redis_buries_what_it_lets_go(full):
    """A script that has freed something may write something."""
    full.commit([OP.ref], lambda _: Change(drop=(OP.ref,), bury=(OP.ref,)))
    assert full.get(OP.ref) is None
    assert full.gone(OP.ref)


@pytest.mark.parametrize(
    ("refs", "intrusion"),
    [
        ([OP.ref], lambda raw: raw.hdel("op:acme:u1", "version")),
        ([a_blob().ref], lambda raw: raw.srem(f"ho:acme:{a_blob().key}", "a1")),
        ([an_upload().parts_ref], lambda raw: raw.hdel("pt:acme:u1", 1)),
        ([an_asset().ref, OP.ref], lambda raw: raw.delete("as:acme:a1")),
    ],
    ids=["version", "holders", "parts", "gone"],
)
def test_also_a_full_redis_compares_before_it_lets_go(full, own_server, refs, intrusion):
    seen = []

    def step(*found):
        seen.append(found)
        if len(seen) == 1:
            intrusion(own_server.client)
        return Change(drop=(refs[-1],))

    full.commit(refs, step)
    assert len(seen) == 2


# ---------------------------------------------------------------- processes


def _count(room, times):
    for _ in range(times):
        room.records.commit([OP.ref], lambda op: Change(put=(newer(op, heartbeat=op.heartbeat + 1),)))
    os._exit(0)


def test_processes_lose_no_update_and_share_no_connection(own_server):
    room = open_records(own_server.url)
    put(room.records, OP)  # the parent is connected before it forks
    children = [multiprocessing.get_context("fork").Process(target=_count, args=(room, 50)) for _ in range(3)]
    for child in children:
        child.start()
    for _ in range(50):
        assert room.records.get(OP.ref).id == OP.id
    for child in children:
        child.join(SOON)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert room.records.get(OP.ref).heartbeat == 150
    room.close()


def _whose(room, made, pipe):
    room.records.ping()
    pipe.send((os.getpid(), made[-1]))
    os._exit(0)


def test_a_child_made_by_fork_makes_its_own_client(own_server):
    made = []
    room = records_over(lambda: made.append(os.getpid()) or connect(own_server.url))
    room.records.ping()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_whose, args=(room, made, theirs))
    child.start()
    assert ours.poll(SOON)
    assert ours.recv() == (child.pid, child.pid)
    child.join(SOON)
    assert made == [os.getpid()]
    room.close()


def test_a_lock_of_a_dead_writer_ends_by_itself(own_server, room):
    room.locks.acquire(OP.ref)
    assert 0 < own_server.client.pttl("lock:op:acme:u1") <= timing.LOCK * 1000

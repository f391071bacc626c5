"""Visits counted in windows, over the fake and over a real Redis."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import ResponseError

from app.core.errors import RecordsDown
from app.core.ports import Allowance, Spent, Window
from app.records import open_records
from app.records.link import Wire
from tests.services.redis_server import RedisServer, shared
from tests.services.up import eventually

LONG = 1000  # seconds: no window of these tests ends by itself
HOUR = Window("hour", 5, LONG)
SECOND = Window("second", 3, LONG // 2)


@pytest.fixture
def quota(room):
    return room.quota


def left(allowance):
    return {spent.window.name: spent.left for spent in allowance.windows}


def test_a_window_lets_in_as_many_as_it_says(quota):
    visits = [quota.spend("eve", [HOUR]) for _ in range(7)]
    assert [visit.allowed for visit in visits] == [True] * 5 + [False] * 2
    assert [visit.of("hour").remaining for visit in visits] == [4, 3, 2, 1, 0, 0, 0]


def test_every_window_counts_and_the_narrowest_decides(quota):
    visits = [quota.spend("eve", [SECOND, HOUR]) for _ in range(4)]
    assert left(visits[2]) == {"second": 0, "hour": 2}
    assert visits[2].allowed
    assert [spent.window for spent in visits[3].exceeded] == [SECOND]


def test_retry_after_is_the_life_of_the_longest_window_that_is_full(quota):
    one, other = Window("a", 1, 100), Window("b", 1, 200)
    assert quota.spend("eve", [one, other]).retry_after == 0
    assert 190 <= quota.spend("eve", [one, other]).retry_after <= 200
    assert 90 <= quota.spend("eve", [one]).retry_after <= 100


def test_who_comes_under_another_name_has_windows_of_his_own(quota):
    for name in ("eve", "eve/5", "eve/5/1000/second", "Eve", "eve ", "", "ev*", "eve\n", "\u0000"):
        assert left(quota.spend(name, [HOUR])) == {"hour": 4}, name


def test_a_limit_that_was_changed_counts_anew(quota):
    quota.spend("eve", [HOUR])
    assert left(quota.spend("eve", [Window("hour", 9, LONG)])) == {"hour": 8}


def test_to_look_counts_nothing(quota):
    assert [left(quota.look("eve", [HOUR])) for _ in range(9)] == [{"hour": 4}] * 9
    for _ in range(5):
        assert quota.look("eve", [HOUR]).allowed
        quota.spend("eve", [HOUR])
    assert not quota.look("eve", [HOUR]).allowed
    assert quota.look("eve", [HOUR]).retry_after > LONG - 100


def test_without_windows_nothing_is_asked(quota, monkeypatch):
    monkeypatch.setattr("app.records.link.Wire.ask", lambda *_: pytest.fail("asked"))
    assert quota.spend("eve", []) == quota.look("eve", []) == Allowance()


def test_one_visit_is_one_round_trip(quota, monkeypatch):
    asked, ask = [], Wire.ask
    monkeypatch.setattr(Wire, "ask", lambda self, commands, watch=(): asked.append(len(commands)) or ask(self, commands, watch))
    quota.spend("eve", [SECOND, HOUR])
    assert asked == [4]


def test_no_counter_stays_for_ever(raw, quota):
    quota.spend("eve", [SECOND, HOUR])
    quota.look("adam", [SECOND, HOUR])
    names = raw.keys("*")
    assert len(names) == 2
    assert all(name.startswith("quota:") and 0 < raw.ttl(name) <= LONG for name in names)


def test_a_window_that_ended_begins_anew(quota):
    """A window of one second, by Redis' own clock."""
    short = Window("second", 2, 1)
    while quota.spend("eve", [short]).allowed:
        pass
    eventually(lambda: quota.look("eve", [short]).allowed, 10, "the end of the window")
    assert left(quota.spend("eve", [short])) == {"second": 1}


@pytest.mark.parametrize(("left", "reset_after", "wait"), [(0, 9.0, 0), (-1, 0.0, 1), (-1, 0.2, 1), (-9, 1.0, 1), (-1, 1.001, 2)])
def test_retry_after_is_whole_seconds_and_at_least_one(left, reset_after, wait):
    assert Allowance((Spent(HOUR, left, reset_after),)).retry_after == wait


# ---------------------------------------------------------------- a real one


def test_exactly_as_many_as_allowed_come_through_whoever_comes_at_once():
    shared().flush()
    rooms = [open_records(shared().url) for _ in range(2)]  # as two processes
    limit, threads, each = Window("hour", 150, LONG), 8, 40
    start = threading.Barrier(threads)

    def come(number):
        start.wait()
        return [rooms[number % 2].quota.spend("eve", [limit]).allowed for _ in range(each)]

    with ThreadPoolExecutor(threads) as pool:
        visits = [allowed for visits in pool.map(come, range(threads)) for allowed in visits]
    for room in rooms:
        room.close()
    assert len(visits) == threads * each
    assert sum(visits) == limit.limit


def test_a_full_redis_lets_everybody_in_who_may_come_to_free_some(own_server):
    room = open_records(own_server.url)
    own_server.maxmemory(1)
    assert room.quota.spend("eve", [Window("hour", 1, LONG)]) == Allowance()
    own_server.maxmemory(0)
    assert left(room.quota.spend("eve", [Window("hour", 1, LONG)])) == {"hour": 0}
    room.close()


def test_a_full_redis_of_the_older_kind_says_so_in_other_words(own_server, monkeypatch):
    """As Redis 6.2 answers; the server of this machine may be newer."""
    said = ResponseError(
        "Error running script (call to f_1): @user_script:3: @user_script: 3: -OOM command not allowed when used memory > 'maxmemory'."
    )

    def ask(*_):
        raise said

    room = open_records(own_server.url)
    monkeypatch.setattr(Wire, "ask", ask)
    assert room.quota.spend("eve", [HOUR]) == Allowance()
    room.close()


def test_without_redis_nobody_is_let_in():
    with RedisServer() as server:
        room = open_records(server.url)
        server.stop()
        for ask in (room.quota.spend, room.quota.look):
            with pytest.raises(RecordsDown):
                ask("eve", [HOUR])
        room.close()


def test_an_answer_that_is_no_count_is_a_fault(room, raw):
    room.quota.spend("eve", [HOUR])
    (name,) = raw.keys("quota:*")
    raw.set(name, "many")
    with pytest.raises(RecordsDown):
        room.quota.spend("eve", [HOUR])

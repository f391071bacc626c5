"""Requests that carry a key: one runs at a time, and what came of it is remembered."""

import pytest

from app.core.errors import RecordsDown
from app.core.ports import Kept, Reply, Turn
from app.core.timing import REPLIES, RUNNING
from app.records import records_over
from app.records.link import connect

NAME = ("a:b", "some:body", "key:1")
HEAD = Kept("head", "id")
DONE = Kept("head", "id", "digest", 5, Reply(202, (("Location", "/x"), ("Vary", "a"), ("Vary", "b")), '{"é": 1}'))


@pytest.fixture
def replies(room):
    return room.replies


def test_from_the_first_turn_to_the_answer(replies):
    turn = replies.begin(NAME)
    assert turn == Turn(NAME, turn.token, None)
    assert replies.begin(NAME) is None
    assert replies.note(turn, HEAD)
    assert replies.begin(NAME) == HEAD
    replies.end(turn, DONE)
    assert replies.begin(NAME) == DONE
    assert replies.begin(NAME) == DONE  # who only looks leaves no mark


@pytest.mark.parametrize(("kept", "found"), [(None, None), (HEAD, HEAD)], ids=["forgotten", "left"])
def test_a_turn_that_came_to_nothing(replies, kept, found):
    first = replies.begin(NAME)
    replies.note(first, HEAD)
    replies.end(first, kept)
    assert replies.begin(NAME).kept == found


@pytest.mark.parametrize("other", [("a", "b:some:body", "key:1"), ("a:b", "some", "body:key:1"), ("a:b", "some:body", "key:2")])
def test_names_do_not_run_together(replies, other):
    assert isinstance(replies.begin(NAME), Turn)
    assert isinstance(replies.begin(other), Turn)


def test_a_turn_that_was_lost_writes_nothing(replies, raw):
    late = replies.begin(NAME)
    raw.delete(*raw.keys("run:*"))  # as if its time had passed
    mine = replies.begin(NAME)
    assert not replies.renew(late)
    assert not replies.note(late, HEAD)
    replies.end(late, DONE)
    assert replies.begin(NAME) is None
    assert replies.renew(mine)


def test_both_run_out(replies, raw):
    turn = replies.begin(NAME)
    (mark,) = raw.keys("run:*")
    assert 0 < raw.pttl(mark) <= RUNNING * 1000
    raw.pexpire(mark, 100)
    assert replies.renew(turn)
    assert raw.pttl(mark) > 5000
    replies.end(turn, DONE)
    (memory,) = raw.keys("idem:*")
    assert REPLIES - 60 < raw.ttl(memory) <= REPLIES
    assert raw.keys("run:*") == []


def test_a_full_redis_takes_no_turn_but_keeps_an_answer(own_server):
    room = records_over(lambda: connect(own_server.url))
    turn = room.replies.begin(NAME)
    assert room.replies.note(turn, HEAD)
    own_server.maxmemory(1)
    for call in (lambda: room.replies.begin(("a", "b", "c")), lambda: room.replies.note(turn, DONE)):
        with pytest.raises(RecordsDown):
            call()
    room.replies.end(turn, DONE)
    own_server.maxmemory(0)
    assert room.replies.begin(NAME) == DONE
    room.close()

"""Who was alive, and who goes first."""

import pytest


def test_a_mark_has_an_age_by_the_servers_clock(room, raw):
    assert room.pulse.age("keeper") is None
    room.pulse.mark("keeper")
    assert 0 <= room.pulse.age("keeper") < 5
    raw.set("pulse:keeper", float(raw.get("pulse:keeper")) - 60)
    assert 60 <= room.pulse.age("keeper") < 65
    assert room.pulse.age("worker") is None


def test_a_clock_that_steps_back_makes_no_negative_age(room, raw):
    room.pulse.mark("keeper")
    raw.set("pulse:keeper", float(raw.get("pulse:keeper")) + 60)
    assert room.pulse.age("keeper") == 0


def test_moving_the_houses_clock_stops_no_worker(room, raw):
    room.pulse.mark("keeper")
    raw.set("test:shift", "86400")
    assert room.pulse.age("keeper") < 5


@pytest.mark.parametrize("seconds", [30, 0.5])
def test_once_is_for_one_caller_in_a_while(room, raw, seconds):
    assert [room.pulse.once("purge", seconds) for _ in range(3)] == [True, False, False]
    assert room.pulse.once("sweep", seconds)
    assert 0 < raw.pttl("once:purge") <= seconds * 1000
    raw.delete("once:purge")
    assert room.pulse.once("purge", seconds)

"""One writer: watched, pure, all or nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import pytest

from app.core.credentials import Credential
from app.core.errors import Code, Moved, RecordsDown, Unreadable
from app.core.parts import Parts
from app.core.ports import NOTHING, Change
from app.core.refs import Index, Kind, Ref
from app.records import keys, records_over, redis_records
from tests.records.samples import a_blob, a_part, a_pointer, an_asset, an_operation, an_upload, newer, put

EVERY_KIND = [an_upload(), an_operation(), an_asset(), a_blob(), a_pointer(a_blob()), Parts("acme", "u1", {3: a_part(3)})]


@pytest.mark.parametrize("entity", EVERY_KIND, ids=lambda entity: entity.ref.kind.name)
def test_what_is_put_is_got(records, entity):
    put(records, entity)
    assert records.get(entity.ref) == entity


@pytest.mark.parametrize("entity", EVERY_KIND, ids=lambda entity: entity.ref.kind.name)
def test_what_is_dropped_is_gone_without_a_trace(records, raw, entity):
    put(records, entity)
    records.commit([entity.ref], lambda _: Change(drop=(entity.ref,)))
    assert set(raw.keys("*")) <= {"tally:acme"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PARTS])
def test_what_was_never_there_is_none(records, kind):
    seen = []
    assert records.get(Ref(kind, "acme", "x")) is None
    records.commit([Ref(kind, "acme", "x")], lambda found: seen.append(found) or NOTHING)
    assert seen == [None]


def test_a_part_table_is_always_there(records):
    assert records.get(an_upload().parts_ref) == Parts("acme", "u1")


def test_a_put_replaces_the_whole_record(records):
    put(records, an_upload(filename="cat.png", length=5))
    put(records, an_upload(version=1))
    assert records.get(an_upload().ref) == an_upload(version=1)


def test_tenants_may_choose_the_same_id(records):
    mine, yours = an_upload(), an_upload(tenant="other", filename="yours")
    put(records, mine, yours)
    assert (records.get(mine.ref), records.get(yours.ref)) == (mine, yours)


def test_a_change_is_written_whole_with_all_its_records(records):
    up, op, blob = an_upload(), an_operation(), a_blob()
    change = put(records, up, op, blob, hold=((blob.ref, "a1"),), manifest=(an_asset().ref,), bury=(an_asset("old").ref,))
    assert change.put == (up, op, blob)
    assert [records.get(entity.ref) for entity in (up, op)] == [up, op]
    assert records.get(blob.ref) == replace(blob, holders=1)
    assert records.count(Index.MANIFEST) == 1
    assert records.gone(an_asset("old").ref)


def test_what_the_step_raises_passes_through_and_nothing_is_written(records, raw):
    def step(_):
        raise Moved(Code.FINISHED)

    with pytest.raises(Moved):
        records.commit([an_upload().ref], step)
    assert raw.keys("*") == []
    put(records, an_upload())  # and the connection it used watches nothing any more


def test_an_empty_change_writes_nothing(records, raw):
    put(records, an_upload())
    assert records.commit([an_upload().ref], lambda _: Change()) == NOTHING
    assert records.get(an_upload().ref) == an_upload()
    put(records, newer(an_upload()))  # and the connection it used watches nothing any more


NAMELESS = {
    "put": Change(put=(an_upload(),)),
    "drop": Change(drop=(an_upload().ref,)),
    "hold": Change(hold=((a_blob().ref, "a1"),)),
    "release": Change(release=((a_blob().ref, "a1"),)),
    "put of another tenant": Change(put=(an_operation(tenant="other"),)),
}


@pytest.mark.parametrize("change", NAMELESS.values(), ids=NAMELESS)
def test_nothing_is_written_that_was_not_named(records, raw, change):
    with pytest.raises(ValueError, match="not named"):
        records.commit([an_operation().ref], lambda _: change)
    assert raw.keys("*") == []


@pytest.mark.parametrize(("version", "accepted"), [(4, False), (5, False), (6, True), (7, True)])
def test_only_a_newer_version_replaces_a_record(records, version, accepted):
    put(records, an_upload(version=5))
    with nullcontext() if accepted else pytest.raises(ValueError, match="stands at 5"):
        put(records, an_upload(version=version))
    assert records.get(an_upload().ref).version == (version if accepted else 5)


def test_a_step_that_refused_leaves_no_watch_to_who_comes_next(room, make_client):
    """The same connection then writes without watching, and must not find its write undone by a race it was never in."""

    def refuse(_):
        raise Moved(Code.FINISHED)

    put(room.records, an_upload())
    with pytest.raises(Moved):
        room.records.commit([an_upload().ref], refuse)
    put(records_over(make_client).records, newer(an_upload()))
    room.keyring.put(Credential("k1", "key", "acme", "admin", "hash"))
    assert room.keyring.credential("key", "k1")


# ---------------------------------------------------------------- races


def _intruded(records, intrusion):
    """A step that somebody else's write overtakes the first time it runs; and what it saw."""
    seen = []

    def step(*found):
        seen.append(found)
        if len(seen) == 1:
            intrusion()
        return Change(put=(newer(found[0], heartbeat=found[0].heartbeat + 1),))

    return step, seen


INTRUSIONS = {
    "the record": lambda records: put(records, an_operation(version=9, heartbeat=10)),
    "another that was only read": lambda records: put(records, an_upload(version=1)),
    "a part": lambda records: records.record_part(an_upload().ref, a_part(), lambda _: None),
    "the holders of a blob": lambda records: records.commit([a_blob().ref], lambda _: Change(hold=((a_blob().ref, "a1"),))),
    "a record that was not there": lambda records: put(records, an_asset()),
}


@pytest.mark.parametrize("intrusion", INTRUSIONS.values(), ids=INTRUSIONS)
def test_a_step_that_was_overtaken_runs_again_on_what_is_there_now(records, intrusion):
    put(records, an_operation(), an_upload(), a_blob())
    step, seen = _intruded(records, lambda: intrusion(records))
    records.commit([an_operation().ref, an_upload().ref, an_upload().parts_ref, a_blob().ref, an_asset().ref], step)
    assert len(seen) == 2
    assert seen[0] != seen[1]
    assert records.get(an_operation().ref).heartbeat == seen[1][0].heartbeat + 1


def test_who_is_always_overtaken_gives_up(records, monkeypatch):
    monkeypatch.setattr(redis_records, "ATTEMPTS", 4)
    put(records, an_operation())
    runs = []

    def step(op):
        runs.append(op)
        put(records, newer(op))
        return Change(put=(newer(op, heartbeat=1),))

    with pytest.raises(RecordsDown, match="contention"):
        records.commit([an_operation().ref], step)
    assert len(runs) == 4
    assert records.get(an_operation().ref).heartbeat == 0


def beat(op):
    return Change(put=(newer(op, heartbeat=op.heartbeat + 1),))


def test_threads_lose_no_update(records):
    put(records, an_operation())
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(records.commit, [an_operation().ref], beat) for _ in range(60)]:
            done.result()
    assert records.get(an_operation().ref).heartbeat == 60


# ---------------------------------------------------------------- parts


def test_two_parts_do_not_conflict(records):
    up, seen = an_upload(), []
    put(records, up)

    def step(_):
        seen.append(1)
        if len(seen) == 1:
            records.record_part(up.ref, a_part(2), lambda _: None)

    records.record_part(up.ref, a_part(1), step)
    assert records.get(up.parts_ref).held == {1: a_part(1), 2: a_part(2)}
    assert len(seen) == 1


@pytest.mark.parametrize(
    "write", [lambda r, up, step: r.record_part(up.ref, a_part(), step), lambda r, up, step: r.drop_part(up.ref, 1, step)]
)
def test_a_part_that_finish_overtakes_asks_again_and_is_refused(records, write):
    up, seen = an_upload(), []
    put(records, up)
    records.record_part(up.ref, a_part(etag="old"), lambda _: None)

    def step(current):
        seen.append(current)
        if current.version:
            raise Moved(Code.FINISHED)
        put(records, newer(up))

    with pytest.raises(Moved):
        write(records, up, step)
    assert seen == [up, newer(up)]
    assert records.get(up.parts_ref).held == {1: a_part(etag="old")}


def test_a_part_of_no_upload_is_the_steps_business(records):
    seen = []
    records.record_part(an_upload().ref, a_part(), seen.append)
    assert seen == [None]


def test_parts_and_finish_at_once_lose_nothing(records):
    """Each part is in what finish froze, or was refused."""
    up = an_upload()
    put(records, up)
    start, recorded = threading.Barrier(5), set()

    def refuse_when_finished(current):
        if current.version:
            raise Moved(Code.FINISHED)

    def send(first):
        start.wait()
        for number in range(first, first + 10):
            records.record_part(up.ref, a_part(number), refuse_when_finished)
            recorded.add(number)

    def finish():
        start.wait()
        frozen = []
        records.commit([up.ref, up.parts_ref], lambda now, table: frozen.append(set(table.held)) or Change(put=(newer(now),)))
        return frozen[-1]

    with ThreadPoolExecutor(5) as pool:
        senders = [pool.submit(send, first) for first in (1, 11, 21, 31)]
        frozen = pool.submit(finish).result()
        assert {type(sender.exception()) for sender in senders} <= {Moved, type(None)}
    assert frozen == recorded == set(records.get(up.parts_ref).held)


def test_one_part_of_a_table_is_read_alone(records, raw):
    up = an_upload()
    records.commit([up.ref], lambda _: Change(put=(up,)))
    assert records.part(up.parts_ref, 7).held == {}
    for number in (7, 8):
        records.record_part(up.ref, a_part(number), lambda _: None)
    assert records.part(up.parts_ref, 7).held == {7: a_part(7)}
    assert records.part(up.parts_ref, 9).held == {}
    raw.hset(keys.record(up.parts_ref), 8, "{")
    assert records.part(up.parts_ref, 7).held == {7: a_part(7)}
    with pytest.raises(Unreadable):
        records.part(up.parts_ref, 8)


def test_a_part_is_replaced_and_taken_out(records):
    up = an_upload()
    put(records, up)
    for number, etag in [(1, "a"), (2, "b"), (1, "c")]:
        records.record_part(up.ref, a_part(number, etag=etag), lambda _: None)
    records.drop_part(up.ref, 2, lambda _: None)
    assert records.get(up.parts_ref).held == {1: a_part(etag="c")}


# ---------------------------------------------------------------- holders and tombstones


def test_holders_are_counted_and_never_written(records, raw):
    blob = a_blob()
    put(records, replace(blob, holders=7), hold=((blob.ref, "a1"), (blob.ref, "a2"), (blob.ref, "a2")))
    assert records.get(blob.ref).holders == 2
    seen = []
    records.commit([blob.ref], lambda found: seen.append(found.holders) or Change(release=((blob.ref, "a1"), (blob.ref, "strange"))))
    assert seen == [2]
    assert records.get(blob.ref).holders == 1
    assert "holders" not in raw.hgetall(f"bl:acme:{blob.key}")


def test_a_tombstone_is_of_one_record_of_one_tenant_and_ends(records, raw):
    ref = an_operation().ref
    records.commit([ref], lambda _: Change(bury=(ref,)))
    others = [an_operation(tenant="other").ref, an_operation("u2").ref, an_upload().ref]
    assert records.gone(ref)
    assert not any(records.gone(other) for other in others)
    (key,) = raw.keys("gone:*")
    assert 29 * 86400 < raw.ttl(key) <= 30 * 86400


# ---------------------------------------------------------------- the clock


def test_the_clock_is_the_servers_and_tests_can_move_it(room, raw):
    seconds, micros = raw.time()
    assert room.records.now() == pytest.approx(seconds + micros / 1e6, abs=5)
    raw.set("test:shift", "86400.5")
    assert room.keyring.now() == pytest.approx(seconds + 86400.5, abs=5)


def test_a_redis_that_answers_is_no_fault(records):
    assert records.ping() is None

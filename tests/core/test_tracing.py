"""W3C Trace Context: what is taken over from a caller, and how long it is kept."""

import threading
from dataclasses import replace

import pytest

from app.core import tracing
from app.core.lease import Lease
from app.core.operation import Status
from app.core.ports import Change
from app.core.requeue import Requeue
from tests.core.worlds import World

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    ("parent", "recorded"),
    [
        (GOOD, True),
        (f"00-{ID}-{SPAN}-00", False),
        (f"00-{ID}-{SPAN}-03", True),  # flags that are not known yet
        (f"cc-{ID}-{SPAN}-01", True),  # a later version …
        (f"cc-{ID}-{SPAN}-01-what the future holds", True),  # … may go on
    ],
)
def test_a_callers_trace_goes_on(parent, recorded):
    trace = tracing.begin({"traceparent": parent})
    assert (trace.id, trace.recorded) == (ID, recorded)
    assert trace.span not in {SPAN, "0" * 16}
    assert trace.parent == f"00-{ID}-{trace.span}-0{int(recorded)}"


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        GOOD.upper(),
        f"ff-{ID}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID[1:]}-{SPAN}-01",
        f"00-{ID}-{SPAN}-1",
        f"00-{ID}-{SPAN}-01-more",
        f"cc-{ID}-{SPAN}-01more",
        f"{GOOD},{GOOD}",  # two headers
        f"{GOOD}\n",
        f" {GOOD}",
        "é" * 55,
        "0" * 1_000_000,
    ],
)
def test_what_names_no_trace_begins_another(parent):
    first, second = (tracing.begin({"traceparent": parent, "tracestate": "a=1"}) for _ in range(2))
    assert first.id != second.id != ID
    assert tracing.begin({"traceparent": first.parent}).id == first.id
    assert first.headers == {"traceparent": first.parent}


@pytest.mark.parametrize(
    ("state", "passed"),
    [
        ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ("", ""),
        ("a=\n1", ""),
        ("a=é", ""),
        (f"a=1,b={'x' * 600}", "a=1"),
        ("x" * 600, ""),
    ],
)
def test_other_systems_state_is_passed_on_as_it_came(state, passed):
    trace = tracing.begin({"traceparent": GOOD, "tracestate": state})
    assert trace.headers.get("tracestate", "") == passed


def test_a_trace_ends_with_what_was_done_in_it():
    assert tracing.current() is None
    with tracing.within({"traceparent": GOOD}) as outer:
        with tracing.within({}) as inner:
            assert tracing.current() == inner != outer
        with pytest.raises(ZeroDivisionError), tracing.within({}):
            raise ZeroDivisionError
        assert tracing.current() == outer
    assert tracing.current() is None


# ---------------------------------------------------------------- through the records


class Spy:
    """Jobs that remember in whose trace they were asked."""

    def __init__(self):
        self.traces = []

    def process(self, _ref):
        self.traces.append(tracing.current().id)

    def backlog(self):
        return 0


@pytest.fixture
def world(door):
    return World(door)


def test_an_operation_has_the_trace_of_the_request_that_promised_it(world):
    with tracing.within({"traceparent": GOOD}) as trace:
        op = world.upload(b"bytes")
    assert (op.status, op.trace) == (Status.COMPLETED, trace.parent)


def test_a_message_that_is_sent_again_keeps_its_trace(world):
    world.hold()
    with tracing.within({"traceparent": GOOD}):
        op = world.upload(b"bytes")
    spy = Spy()
    world.door.pass_time(60)
    Requeue(world.retention, spy).requeue_stalled()
    assert spy.traces == [ID]
    assert world.fresh(op).sends == 2


def test_what_a_lost_worker_left_keeps_its_trace(world):
    world.hold()
    with tracing.within({"traceparent": GOOD}):
        op = world.upload(b"bytes")
    world.house.processing._claim(op.ref)
    spy, now = Spy(), [0.0]
    requeue = Requeue(world.retention, spy, lambda: now[0])
    world.door.pass_time(11)  # late, but not lost yet
    requeue.requeue_stalled()
    world.door.pass_time(16)
    now[0] = 6.0
    with tracing.within({}):  # whatever the sweep's own may be
        requeue.requeue_stalled()
    assert spy.traces == [ID]
    assert tracing.FORM.fullmatch(world.fresh(op).trace)[2] == ID


def test_a_record_without_a_trace_is_sent_in_a_new_one(world):
    world.hold()
    op = world.upload(b"bytes")
    assert op.trace is None
    spy = Spy()
    world.door.pass_time(60)
    Requeue(world.retention, spy).requeue_stalled()
    assert len(spy.traces[0]) == 32


def test_a_record_of_an_older_version_is_read(world):
    op = world.upload(b"bytes")
    world.records.commit([op.ref], lambda found: Change(put=(replace(found, trace=None, queued_at=None, version=found.version + 1),)))
    assert not {"trace", "queued_at"} & world.door._redis().hgetall(f"op:acme:{op.id}").keys()
    assert (world.fresh(op).trace, world.fresh(op).queued_at) == (None, None)


def test_a_thread_of_the_lease_works_for_the_same_trace(world):
    world.hold()
    op = world.upload(b"bytes")
    seen, looked = [], threading.Event()

    class Watched(Lease):
        def _run(self):
            seen.append(tracing.current().id)
            looked.set()

    with tracing.within({"traceparent": GOOD}), Watched(world.records, op):
        assert looked.wait(10)
    assert seen == [ID]

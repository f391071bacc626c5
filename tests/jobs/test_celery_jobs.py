"""Messages on a real Redis: what they look like, and what happens when the broker is not there."""

import base64
import json
import os
import threading
import time

import pytest

from app.core import tracing
from app.core.errors import BrokerDown
from app.core.refs import Kind, Ref
from app.jobs import CeleryJobs, InlineJobs, names
from app.settings import from_env
from tests.services.redis_server import RedisServer
from tests.services.up import eventually

OPERATION = Ref(Kind.OPERATION, "acme", "op-1")
SOON = 10.0  # seconds: "never waits longer than a few"


def jobs_over(server):
    settings = from_env({"SLIPWAY_SECRET": "sixteen letters or more", "SLIPWAY_BROKER": server.url})
    return CeleryJobs(settings.broker)


@pytest.fixture
def server():
    with RedisServer() as server:
        yield server


def messages(server, queue):
    return [json.loads(raw) for raw in server.client.lrange(queue, 0, -1)]


def test_a_message_names_the_task_and_its_arguments(server):
    jobs_over(server).process(OPERATION)
    (message,) = messages(server, names.PROCESSING)
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert message["headers"]["task"] == names.PROCESS
    assert (args, kwargs) == (["acme", "op-1"], {})
    assert message["headers"]["ignore_result"]
    assert message["content-type"] == "application/json"


def test_a_canary_goes_to_every_queue(server):
    jobs_over(server).canary()
    sent = {queue: json.loads(base64.b64decode(messages(server, queue)[0]["body"]))[0] for queue in names.CONSUMERS}
    assert sent == {"processing": ["worker"], "housekeeping": ["keeper"]}


def test_the_backlog_is_what_waits_for_the_workers(server):
    jobs = jobs_over(server)
    assert jobs.backlog() == 0
    for _ in range(3):
        jobs.process(OPERATION)
    jobs.canary()
    assert jobs.backlog() == 4  # the canary waits like everything else


def test_a_flushed_broker_takes_the_next_message(server):
    """Nothing depends on a table of bindings that a flush would empty for good."""
    jobs = jobs_over(server)
    jobs.process(OPERATION)
    assert server.client.keys("_kombu*") == []
    server.flush()
    jobs.process(OPERATION)
    assert jobs.backlog() == 1


def test_many_threads_send_over_one_connection(server):
    jobs, ready = jobs_over(server), threading.Barrier(16)

    def send():
        ready.wait()
        for _ in range(10):
            jobs.process(OPERATION)

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs.backlog() == 160
    assert len(server.client.client_list()) <= 3


def test_a_child_made_by_fork_has_its_own_connection(server):
    """Even one made while another thread was sending."""
    jobs = jobs_over(server)
    with jobs._wire.open():
        child = os.fork()
        if child == 0:
            status = 1
            try:
                jobs.process(OPERATION)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
    jobs.process(OPERATION)
    assert jobs.backlog() == 2


def test_a_broker_that_is_away_is_said_so_and_is_found_again(server):
    jobs = jobs_over(server)
    jobs.process(OPERATION)
    server.kill()
    for call in (lambda: jobs.process(OPERATION), jobs.backlog, jobs.canary):
        began = time.monotonic()
        with pytest.raises(BrokerDown):
            call()
        assert time.monotonic() - began < SOON
    server.start()
    jobs.process(OPERATION)
    assert jobs.backlog() == 1


def test_a_broker_that_hangs_does_not_hold_anybody_up(server):
    jobs = jobs_over(server)
    jobs.process(OPERATION)
    server.pause()
    took = []

    def send():
        began = time.monotonic()
        with pytest.raises(BrokerDown):
            jobs.process(OPERATION)
        took.append(time.monotonic() - began)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.resume()
    assert len(took) == 4
    assert max(took) < SOON


def test_a_full_broker_is_down(server):
    server.maxmemory(1)
    with pytest.raises(BrokerDown):
        jobs_over(server).process(OPERATION)


def test_inline_runs_at_once_or_when_told_and_may_double():
    seen = []
    InlineJobs(lambda *args: seen.append(args)).process(OPERATION)
    assert seen == [("acme", "op-1")]
    held = InlineJobs(lambda *args: seen.append(args), hold=True)
    held.process(OPERATION)
    assert (held.backlog(), len(seen)) == (1, 1)
    assert held.run(times=2) == 1
    assert (held.backlog(), len(seen)) == (0, 3)


def test_a_message_carries_the_trace_of_who_sends_it(server):
    jobs, parent = jobs_over(server), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with tracing.within({"traceparent": parent, "tracestate": "congo=t61"}) as trace:
        jobs.process(OPERATION)
    jobs.process(OPERATION)
    without, traced = messages(server, names.PROCESSING)
    assert {name: traced["headers"][name] for name in ("traceparent", "tracestate")} == trace.headers
    assert "traceparent" not in without["headers"]


def together(jobs, count):
    """So many threads that ask for a job each while somebody else sends, and then send; what each of them raised."""
    raised = []

    def send():
        try:
            jobs.process(OPERATION)
        except BrokerDown as down:
            raised.append(down)

    threads = [threading.Thread(target=send) for _ in range(count)]
    with jobs._wire.open():
        for thread in threads:
            thread.start()
        eventually(lambda: len(jobs._wire._waiting) == count, 10, "everybody waits")
    for thread in threads:
        thread.join()
    return raised


def test_who_waits_for_another_is_sent_along(server, monkeypatch):
    jobs, trips = jobs_over(server), []
    jobs.process(OPERATION)
    producer = jobs._wire._producer
    batch = producer.batch
    monkeypatch.setattr(producer, "batch", lambda **how: trips.append(how) or batch(**how))
    assert together(jobs, 12) == []
    assert (jobs.backlog(), len(trips)) == (13, 1)
    ids = [message["headers"]["id"] for message in messages(server, names.PROCESSING)]
    assert len(set(ids)) == 13


def test_more_than_go_in_one_round_trip_go_in_several(server, monkeypatch):
    monkeypatch.setattr("app.jobs.celery_jobs.BATCH", 5)
    jobs = jobs_over(server)
    assert together(jobs, 12) == []
    assert jobs.backlog() == 12


def test_what_was_sent_along_and_failed_is_everybodys_fault(server):
    jobs = jobs_over(server)
    jobs.process(OPERATION)
    server.kill()
    assert len(together(jobs, 6)) == 6
    server.start()
    jobs.process(OPERATION)
    assert (jobs.backlog(), len(jobs._wire._waiting)) == (1, 0)

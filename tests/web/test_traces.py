"""The trace of a request, in its refusals and its log lines."""

import json
import logging

import pytest

from app import logs
from app.core import tracing
from tests.dialects.house import Door

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = {"traceparent": f"00-{ID}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    door = Door(tmp_path_factory.mktemp("d"))
    yield door
    door.close()


@pytest.fixture
def lines():
    """What is logged while the test runs, as lines."""
    kept = []

    class Keep(logging.Handler):
        def emit(self, record):
            kept.append(json.loads(self.format(record)))

    handler = Keep()
    handler.setFormatter(logs.Line("web"))
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)


def test_a_problem_says_which_trace_it_belongs_to(door):
    assert door.send("GET", "/v1/assets/none", SENT).get_json()["traceId"] == ID


def test_without_a_trace_each_request_gets_its_own(door):
    first, second = (door.send("GET", "/nowhere").get_json()["traceId"] for _ in range(2))
    assert len(first) == len(second) == 32
    assert first != second


def test_nothing_is_left_of_a_trace_when_the_request_is_over(door):
    door.send("GET", "/v1/assets/none", SENT)
    assert tracing.current() is None


def test_the_id_of_an_unforeseen_error_is_that_of_the_trace(door, lines, monkeypatch):
    monkeypatch.setitem(door.app.view_functions, "health.alive", lambda: 1 / 0)
    answer = door.send("GET", "/healthz", SENT)
    assert (answer.status_code, answer.get_json()["errorId"], answer.get_json()["traceId"]) == (500, ID, ID)
    (line,) = (line for line in lines if line["message"] == "unforeseen")
    assert (line["trace"], line["error_id"]) == (ID, ID)


def access(**environ):
    """The line that the server logs of a request with this environ."""
    from gunicorn.glogging import SafeAtoms

    said = {"m": "GET", "U": "/", "s": "200", "B": 2, "M": 1, "h": "::1", **{f"{{{name}}}e": text for name, text in environ.items()}}
    record = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, "", (), None)
    record.args = SafeAtoms(said)
    logs.Access().filter(record)
    return json.loads(logs.Line("web").format(record))


def test_the_servers_own_line_has_the_trace_and_how_the_body_was_read():
    line = access(**{"slipway.trace": ID, "slipway.tier": "socket"})
    assert (line["trace"], line["tier"], line["path"]) == (ID, "socket", "/")
    assert not {"trace", "tier"} & access().keys()

"""The tiers without a server, and the guard against slow senders."""

import io
import socket
import ssl
import threading
from types import SimpleNamespace

import pytest
from flask import Response
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from werkzeug.exceptions import ClientDisconnected

from app.core.errors import ClientGone, Code, UploadError
from app.web import pace, sockets
from app.web.bodies import RequestBody, raw_body, refuse_rest
from app.web.pace import Pace
from tests.web.flows import landed, request

KNOWN = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.fixture
def behind_gunicorn():
    """The environ that gunicorn's own parser makes of some bytes, as far as `wire` looks at it."""
    ours, theirs = socket.socketpair()

    def parse(data):
        theirs.sendall(data)
        parsed = next(RequestParser(Config(), ours, ("127.0.0.1", 1)))
        return {"gunicorn.socket": ours, "wsgi.input": parsed.body, "wsgi.input_terminated": True}

    yield parse
    ours.close()
    theirs.close()


@pytest.mark.parametrize(("data", "name"), [(KNOWN, "socket"), (CHUNKS, "chunks")])
def test_the_names_inside_gunicorn_are_those_that_we_use(behind_gunicorn, data, name):
    wire = sockets.wire(behind_gunicorn(data))
    assert wire.name == name
    assert bytes(wire.receive(100, Pace())) == b"hello"
    assert bytes(wire.receive(100, Pace())) == b""
    assert (wire.still_to_come(), wire.failed) == (0, False)
    assert wire.sock.gettimeout() is None  # as gunicorn left it


@pytest.mark.parametrize(
    "change",
    [
        lambda env: env.pop("gunicorn.socket"),
        lambda env: env.update({"gunicorn.socket": ssl.SSLSocket.__new__(ssl.SSLSocket)}),
        lambda env: env.update({"gunicorn.socket": SimpleNamespace(recv_into=None)}),
        lambda env: env.update({"wsgi.input": io.BytesIO(b"hello")}),
        lambda env: env.update({"wsgi.input": SimpleNamespace(**vars(env["wsgi.input"]))}),
        lambda env: delattr(env["wsgi.input"], "buf"),
        lambda env: delattr(env["wsgi.input"], "failed"),
        lambda env: delattr(env["wsgi.input"].reader, "length"),
        lambda env: setattr(env["wsgi.input"].reader, "unreader", object()),
        lambda env: setattr(env["wsgi.input"], "reader", object()),
    ],
)
def test_where_a_name_is_missing_the_ordinary_way_is_taken(behind_gunicorn, change):
    environ = behind_gunicorn(KNOWN)
    change(environ)
    assert sockets.wire(environ) is None


@pytest.mark.parametrize("change", [lambda body: delattr(body.reader, "parser"), lambda body: delattr(body.reader, "buf")])
def test_the_same_for_chunks(behind_gunicorn, change):
    environ = behind_gunicorn(CHUNKS)
    change(environ["wsgi.input"])
    assert sockets.wire(environ) is None


def test_what_has_come_already_is_not_still_to_come(behind_gunicorn):
    wire = sockets.wire(behind_gunicorn(KNOWN.replace(b"5", b"100000")))
    assert wire.still_to_come() == 100_000 - 5
    assert bytes(wire.receive(100, Pace())) == b"hello"


def test_what_was_read_with_read_before_is_not_lost_or_read_twice(behind_gunicorn):
    environ = behind_gunicorn(KNOWN.replace(b"5", b"10") + b"world")
    assert environ["wsgi.input"].read(2) == b"he"
    assert bytes(sockets.wire(environ).receive(100, Pace())) == b"lloworld"


@pytest.mark.parametrize("data", [KNOWN.replace(b"5", b"9"), CHUNKS.replace(b"0\r\n", b"zz\r\n")])
def test_a_body_that_failed_once_never_seems_to_end(behind_gunicorn, data):
    wire = sockets.wire(behind_gunicorn(data))
    assert bytes(wire.receive(100, Pace())) == b"hello"
    with pytest.raises((ClientGone, UploadError)):
        wire.receive(100, Pace(idle=0.01))
    with pytest.raises(ClientGone):
        wire.receive(100, Pace())
    assert wire.failed


def test_a_refused_client_sees_the_end_of_the_answer_while_we_still_listen():
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    draining = threading.Thread(target=sockets.drain, args=({"gunicorn.socket": ours}, None))
    draining.start()
    assert theirs.recv(1) == b""
    theirs.close()
    draining.join(10)
    assert not draining.is_alive()
    ours.close()


@pytest.mark.parametrize("most", [0, 5, 100_000])
def test_the_drain_ends_with_the_body(monkeypatch, most):
    monkeypatch.setattr(sockets, "DRAIN_SECONDS", 60.0)
    ours, theirs = socket.socketpair()
    theirs.sendall(bytes(most))
    draining = threading.Thread(target=sockets.drain, args=({"gunicorn.socket": ours}, most), daemon=True)
    draining.start()
    draining.join(10)
    assert not draining.is_alive()
    ours.close()
    theirs.close()


# ---------------------------------------------------------------- the stream


class Source:
    """A server's stream that gives pieces, or raises."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.asked = []

    def read(self, size):
        self.asked.append(size)
        step = self.steps.pop(0) if self.steps else b""
        if isinstance(step, Exception):
            raise step
        return step


def body_of(source, **environ):
    return RequestBody({"wsgi.input": source, "wsgi.input_terminated": True, **environ})


@pytest.mark.parametrize("error", [ConnectionResetError(), ClientDisconnected(), BlockingIOError(), TimeoutError(), b""])
def test_a_stream_that_breaks_off_is_a_client_gone_and_what_came_stays(error):
    body = body_of(Source(b"abc", error), CONTENT_LENGTH="5")
    assert bytes(body.receive(10)) == b"abc"
    with pytest.raises(ClientGone):
        body.receive(10)
    assert not body.ended


def test_a_stream_is_never_read_past_the_end_of_the_body():
    source = Source(b"abc", b"de", b"next request")
    assert landed(body_of(source, CONTENT_LENGTH="5")) == b"abcde"
    assert source.asked == [5, 2]


def test_reads_grow_with_a_swift_sender():
    source = Source(*[b"x"] * 6)
    assert landed(body_of(source, HTTP_TRANSFER_ENCODING="chunked")) == b"x" * 6
    assert source.asked[:5] == [4096, 16384, 65536, 262144, 262144]


@pytest.mark.parametrize(
    ("environ", "length"),
    [
        ({"CONTENT_LENGTH": "0"}, 0),
        ({"CONTENT_LENGTH": "12"}, 12),
        ({"CONTENT_LENGTH": ""}, 0),
        ({}, 0),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, None),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, None),
        ({"SERVER_PROTOCOL": "HTTP/2"}, None),
        ({"SERVER_PROTOCOL": "HTTP/2", "CONTENT_LENGTH": "7"}, 7),
    ],
)
def test_the_length_of_a_body(environ, length):
    assert body_of(Source(), **environ).length == length


def test_a_server_that_does_not_end_its_stream_is_not_asked_to():
    assert RequestBody({"wsgi.input": Source(), "HTTP_TRANSFER_ENCODING": "chunked"}).length == 0


@pytest.mark.parametrize("value", ["-1", "+1", "1.0", "0x10", "1_000", "\u0661", "\xb2", "9" * 20, "9" * 10_000, " 5", "5, 5"])
def test_a_length_that_is_no_number_is_a_bad_request(value):
    with pytest.raises(UploadError) as caught:
        body_of(Source(), CONTENT_LENGTH=value)
    assert caught.value.code is Code.BAD_REQUEST


def test_a_request_has_one_body():
    asked = request(body=b"once")
    assert raw_body(asked) is raw_body(asked)
    assert b"".join(raw_body(asked).chunks(3)) == b"onc"
    assert b"".join(raw_body(asked).chunks(100)) == b"e"


@pytest.mark.parametrize(
    ("body", "read", "closed"), [(b"", 0, False), (b"hello", 0, True), (b"hello", 4, True), (b"hello", 5, False), (b"hello", 9, False)]
)
def test_a_refusal_closes_the_connection_when_bytes_are_unread(body, read, closed):
    asked = request(body=body)
    assert len(b"".join(raw_body(asked).chunks(read))) == min(read, len(body))
    ended = []
    response = Response("no", 401, {"X-Kept": "1"})
    response.call_on_close(lambda: ended.append(1))
    answer = refuse_rest(asked, response)
    assert (answer.status_code, answer.get_data(), answer.headers["X-Kept"]) == (401, b"no", "1")
    assert ("close" in answer.headers.get("Connection", "")) is closed
    answer.close()
    assert ended


def test_a_refusal_of_a_bad_length_closes_too():
    asked = request()
    asked.environ["CONTENT_LENGTH"] = "x"
    assert refuse_rest(asked, Response("no", 400)).headers["Connection"] == "close"


# ---------------------------------------------------------------- the pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved."""
    now = SimpleNamespace(at=0.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: now.at))
    return now


@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        ([(10, 10 * 1024)] * 7, False),
        ([(10, 10 * 1024 - 1)] * 6, True),
        ([(10, 0)] * 5, False),
        ([(60, 1)], True),
        ([(1, 10**9)] * 60 + [(1, 0)] * 59, False),
        ([(1, 10**9)] * 60 + [(1, 0)] * 60, True),
        ([(0, 1)] * 1000, False),
    ],
)
def test_who_sends_below_the_floor_for_a_window_is_gone(clock, steps, gone):
    watch = Pace(floor=1024, window=60)
    ended = False
    for seconds, count in steps:
        clock.at += 1_000  # the store's own time does not count
        with watch.waiting():
            clock.at += seconds
        try:
            watch.received(count)
        except ClientGone:
            ended = True
            break
    assert ended is gone

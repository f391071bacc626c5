"""Bodies through a real gunicorn: how they are read, and what is left of the connection after it."""

import hashlib
import random
import socket
import struct
import subprocess
import sys
import time

import pytest

from tests.web.conftest import chunked, read_answer, request_bytes

DATA = random.Random(1).randbytes(3_000_000)
CHUNKED = ("Transfer-Encoding: chunked",)
STREAM = ("X-Tier: stream",)
SEEN = ("X-Tier: socket",)
WAYS = [
    pytest.param((), "splice", id="splice"),
    pytest.param(SEEN, "socket", id="socket"),
    pytest.param(STREAM, "stream", id="stream"),
    pytest.param(CHUNKED, "chunks", id="chunks"),
    pytest.param((*CHUNKED, *STREAM), "stream", id="chunks as a stream"),
]


def framed(data, headers, size=100_000):
    return chunked(data, size) if CHUNKED[0] in headers else data


def whole(data):
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "gone": False}


def reset(sock):
    """Close so that the other side sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(("headers", "tier"), WAYS)
@pytest.mark.parametrize("size", [0, 1, 100, 8_192, 262_144, 262_145, 3_000_000])
def test_every_byte_arrives_and_the_connection_lives_on(door, headers, tier, size):
    data = DATA[:size]
    with door.connect() as sock, sock.makefile("rb") as stream:
        for _ in range(2):
            sock.sendall(request_bytes("PUT /take", framed(data, headers), headers))
            answer = read_answer(stream)
            expected = {
                "tier": tier if size or CHUNKED[0] in headers else None,
                "length": None if CHUNKED[0] in headers else size,
                "name": None,
                **whole(data),
            }
            assert answer.json == expected
            assert answer.headers["connection"] == "keep-alive"


@pytest.mark.parametrize(("headers", "tier"), WAYS)
@pytest.mark.parametrize("size", [10, 300_000])
def test_a_request_sent_behind_the_body_is_not_eaten(door, headers, tier, size):
    first, second, third = DATA[:size], DATA[size : size + 50], b"third"
    sent = [request_bytes(f"PUT /take?name={n}", framed(data, headers), headers) for n, data in enumerate([first, second, third])]
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(b"".join(sent))
        answers = [read_answer(stream).json for _ in sent]
    assert [(a["name"], a["tier"], a["sha256"]) for a in answers] == [
        (str(n), tier, hashlib.sha256(data).hexdigest()) for n, data in enumerate([first, second, third])
    ]


@pytest.mark.parametrize(("headers", "tier"), WAYS)
def test_a_body_in_small_pieces(door, headers, tier):
    sent = request_bytes("PUT /take", framed(DATA[:5_000], headers, 70), headers)
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), 37):
            sock.sendall(sent[at : at + 37])
        assert read_answer(stream).json == {
            "tier": tier,
            "length": None if CHUNKED[0] in headers else 5_000,
            "name": None,
            **whole(DATA[:5_000]),
        }


@pytest.mark.parametrize("headers", [(), SEEN, STREAM])
def test_a_client_that_waits_for_100_continue(door, headers):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /take", b"", ["Expect: 100-continue", "Content-Length: 70000", *headers]))
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        sock.sendall(DATA[:70_000])
        assert read_answer(stream).json["sha256"] == hashlib.sha256(DATA[:70_000]).hexdigest()


# ---------------------------------------------------------------- clients that go


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize(("headers", "tier"), WAYS)
def test_what_came_before_the_client_went_is_kept(door, headers, tier, leave):
    name = f"{tier}-{len(headers)}-{leave.__name__}"
    length = () if CHUNKED[0] in headers else ("Content-Length: 1000000",)
    least = 4 * 21_000 if tier == "stream" else 200_000  # reads of 4, 16, 64 KiB, and one that never fills
    with door.connect() as sock:
        sent = framed(DATA[:200_000], headers, 1_000).removesuffix(b"0\r\n\r\n")
        sock.sendall(request_bytes(f"PUT /take?name={name}", sent, (*headers, *length)))
        door.wait_for(lambda event: event.get("of") == name and event["at"] >= least)
        leave(sock)
    event = door.wait_for(lambda event: event.get("name") == name)
    assert (event["tier"], event["gone"]) == (tier, True)
    assert least <= event["size"] <= 200_000
    assert event["sha256"] == hashlib.sha256(DATA[: event["size"]]).hexdigest()


@pytest.mark.parametrize(("headers", "tier"), WAYS)
def test_a_silent_client_is_gone_and_the_connection_is_closed(door, headers, tier):
    length = () if CHUNKED[0] in headers else ("Content-Length: 1000",)
    body = b"5\r\nhello\r\n" if CHUNKED[0] in headers else b"hello"
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /take", body, (*headers, *length, "X-Idle: 0.3")))
        answer = read_answer(stream)
        assert (answer.json["tier"], answer.json["gone"]) == (tier, True)
        assert answer.json["size"] == (0 if tier == "stream" else 5)
        assert stream.read() == b""


@pytest.mark.parametrize("headers", [(), SEEN, CHUNKED])
def test_a_crawling_client_is_gone(door, headers):
    piece = chunked(b"x")[:-5] if headers == CHUNKED else b"x"
    length = () if headers == CHUNKED else ("Content-Length: 1000",)
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /take?name=crawl", piece, (*headers, *length, "X-Idle: 5", "X-Floor: 1024", "X-Window: 0.3")))
        sock.settimeout(0.05)
        for _ in range(200):
            sock.sendall(piece)
            try:
                if sock.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        sock.settimeout(10)
        answer = read_answer(stream).json
    assert answer["gone"]
    assert answer["size"] < 1_000


# ---------------------------------------------------------------- malformed


@pytest.mark.parametrize("headers", [CHUNKED, (*CHUNKED, *STREAM)])
@pytest.mark.parametrize("body", [b"zz\r\nhello\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"\r\n\r\n", b"5" * 9_000])
def test_a_malformed_chunk_is_refused_and_the_connection_closed(door, headers, body):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /take", body, headers))
        answer = read_answer(stream)
        assert (answer.status, answer.body) == (400, b"bad_request")
        assert answer.headers["connection"] == "close"
        assert stream.read() == b""


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(("headers", "tier"), WAYS[:4])
@pytest.mark.parametrize("read", [0, 300_000])
def test_a_client_that_sends_a_hundred_megabytes_first_still_reads_the_413(door, headers, tier, read):
    piece = framed(bytes(1_000_000), headers, 1_000_000).removesuffix(b"0\r\n\r\n")
    length = () if CHUNKED[0] in headers else ("Content-Length: 100000000",)
    with door.connect() as sock, sock.makefile("rb") as stream:
        began = time.monotonic()
        sock.sendall(request_bytes(f"PUT /refuse?read={read}", b"", (*headers, *length)))
        try:
            for _ in range(100):
                sock.sendall(piece)
        except OSError:
            pass  # the server closed: what it said before is to be read now
        answer = read_answer(stream)
        assert (answer.status, answer.body, answer.headers["connection"]) == (413, b"too large", "close")
        assert time.monotonic() - began < 10


def test_a_client_that_sends_a_little_more_than_gunicorn_would_take_sees_no_reset(door):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /refuse", bytes(4_000_000)))
        assert read_answer(stream).status == 413
        assert stream.read() == b""


def test_a_refused_client_that_sends_nothing_more_does_not_hold_the_thread(door):
    with door.connect() as sock, sock.makefile("rb") as stream:
        began = time.monotonic()
        sock.sendall(request_bytes("PUT /refuse", b"", ["Content-Length: 100000000"]))
        assert read_answer(stream).status == 413
        assert stream.read() == b""
        assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("target", "body", "kept"),
    [
        ("/refuse", b"", True),
        ("/refuse", DATA[:10_000], True),
        ("/refuse?read=300000", DATA[:300_000], True),
        ("/refuse?read=10", DATA[:10_000], True),
        ("/refuse", DATA[:300_000], False),
        ("/refuse?read=10", DATA[:300_000], False),
    ],
)
def test_the_connection_is_closed_only_when_much_is_unread(door, target, body, kept):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes(f"PUT {target}", body))
        answer = read_answer(stream)
        assert (answer.status, answer.headers["connection"]) == (413, "keep-alive" if kept else "close")
        if kept:
            sock.sendall(request_bytes("PUT /take", b"next"))
            assert read_answer(stream).json["size"] == 4


def test_a_body_left_in_the_middle_leaves_gunicorn_the_rest(door):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(request_bytes("PUT /take?limit=1000", DATA[:40_000]) + request_bytes("PUT /take", b"next"))
        assert [read_answer(stream).json["size"] for _ in range(2)] == [1_000, 4]


# ---------------------------------------------------------------- beside it


def test_a_post_without_a_length_has_no_body(door):
    with door.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(b"POST /json HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\n\r\n")
        assert read_answer(stream).json == {"json": {}}


def test_a_form_through_the_socket(speak):
    parts = [b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n']
    parts += [b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n', DATA, b"\r\n--B--\r\n"]
    answer = speak("POST /form", b"".join(parts), ["Content-Type: multipart/form-data; boundary=B"])
    assert answer.json == {"filename": "a.png", "fields": {"note": "hi"}, **whole(DATA)}


def test_a_form_that_is_cut_keeps_what_came(door):
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="cut.png"\r\n\r\n'
    with door.connect() as sock:
        headers = ["Content-Type: multipart/form-data; boundary=B", "Content-Length: 1000000"]
        sock.sendall(request_bytes("POST /form", head + b"x" * 1_000, headers))
    event = door.wait_for(lambda event: event.get("filename") == "cut.png")
    assert (event["gone"], event["size"]) == (True, 1_000)


def test_sigterm_begins_the_draining_before_the_former_handler_runs():
    script = """
import os, signal
from app.web import draining
signal.signal(signal.SIGTERM, lambda *_: print("former", draining.begun()))
draining.start()
print("before", draining.begun())
os.kill(os.getpid(), signal.SIGTERM)
print("after", draining.begun())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split("\n")[:3] == ["before False", "former True", "after True"]

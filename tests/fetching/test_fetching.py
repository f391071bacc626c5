"""What comes back from a server, honest or not: the file, or one refusal, within bounds."""

import os
import socket
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import Code, UploadError
from app.core.timing import SOFT_LIMIT
from app.fetching import HttpFetcher
from app.fetching.refusals import BROKEN, ENCODED, NO_HTTP, SLOW, UNREACHABLE
from app.fetching.wire import Pace
from tests.fetching.conftest import LOOPBACK, MUCH, PACE, raises
from tests.fetching.servers import END, STEP, Server, always, chunked, endless, ok, silent, slowly, torn

FILE = bytes(range(256)) * 4000
HEAD = b"HTTP/1.1 200 OK" + END
SHORT = Pace(connect=10.0, silence=0.4, whole=30.0)  # nothing honest waits in these tests
BRIEF = Pace(connect=10.0, silence=20.0, whole=0.4)


# ---------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (ok(FILE), len(FILE)),
        (ok(FILE, "Content-Encoding: identity"), len(FILE)),
        (ok(FILE, "Content-Type: text/html", "Set-Cookie: a=b"), len(FILE)),
        (ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", framed=False), None),
        (ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", "Content-Length: 5", framed=False), None),
        (ok(FILE, framed=False), None),
        (HEAD.replace(b"1.1", b"1.0") + FILE, None),
        (ok(FILE) + b"more than was said", len(FILE)),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>" + END + ok(FILE), len(FILE)),
        (ok(b""), 0),
    ],
    ids=["length", "identity", "fields", "chunks", "both", "until closed", "HTTP/1.0", "longer", "hints", "nothing"],
)
def test_the_file_behind_a_url(serve, fetch, answer, length):
    server = serve(answer)
    with HttpFetcher(LOOPBACK).fetch(server.url(), MUCH) as body:
        assert body.length == length
        assert b"".join(body.chunks(MUCH)) == (FILE if length != 0 else b"")


def test_it_falls_into_a_file(serve, tmp_path):
    server, path = serve(ok(FILE)), tmp_path / "file"
    with path.open("wb") as file, HttpFetcher(LOOPBACK).fetch(server.url(), MUCH) as body:
        at = 10
        while got := body.into(file.fileno(), at, 1000):
            assert got <= 1000
            at += got
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
    assert path.read_bytes() == bytes(10) + FILE


def test_chunks_stop_at_a_limit_and_go_on_behind_it(serve):
    with HttpFetcher(LOOPBACK).fetch(serve(ok(FILE)).url(), MUCH) as body:
        pieces = [b"".join(body.chunks(limit)) for limit in (1, 70_000, MUCH, MUCH)]
    assert [len(piece) for piece in pieces] == [1, 70_000, len(FILE) - 70_001, 0]
    assert b"".join(pieces) == FILE


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_other_side_learns_nothing_of_us(serve, fetch, address, monkeypatch, tmp_path):
    """Neither a proxy, nor credentials, nor anything else that the environment knows."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password word")
    netrc.chmod(0o600)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = serve(ok(FILE), address)
    assert fetch(server.url("/a%20b/ü?c=d#e")) == FILE
    host = server.url("").removeprefix("http://")
    lines = [
        "GET /a%20b/%C3%BC?c=d HTTP/1.1",
        f"Host: {host}",
        "User-Agent: Slipway",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    assert server.heads == ["\r\n".join(lines).encode() + END]


# ---------------------------------------------------------------- how much


@pytest.mark.parametrize("framing", ["length", "chunks", "until closed"])
@pytest.mark.parametrize("beyond", [0, 1, 70_000])
def test_a_file_may_have_the_limit_and_no_byte_more(serve, fetch, framing, beyond):
    whole = {
        "length": ok(FILE),
        "chunks": ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", framed=False),
        "until closed": ok(FILE, framed=False),
    }
    server, limit = serve(whole[framing]), len(FILE) - beyond
    if not beyond:
        assert fetch(server.url(), limit) == FILE
        return
    with raises(Code.TOO_LARGE, limit=limit, **({"size": len(FILE)} if framing == "length" else {})):
        fetch(server.url(), limit)  # reads no further than the limit, and is told all the same


def test_what_says_that_it_is_too_large_is_not_read(serve, fetch):
    """It sends no byte of the body: who waited for one would wait for ever."""
    server = serve(silent(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000" + END))
    with raises(Code.TOO_LARGE, limit=1000, size=10**12), HttpFetcher(LOOPBACK, pace=PACE).fetch(server.url(), 1000):
        pass


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (HEAD, bytes(65536)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + END, b"10000\r\n" + bytes(65536) + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + END, b"1\r\nx\r\n" * 1000),
    ],
    ids=["bytes", "chunks", "crumbs"],
)
def test_a_file_without_an_end_ends_at_the_limit(serve, fetch, begin, piece):
    with raises(Code.TOO_LARGE, limit=70_000):
        fetch(serve(endless(begin, piece)).url(), 70_000)


@pytest.mark.parametrize(
    "answer",
    [
        ok(FILE, "Content-Encoding: gzip"),
        ok(FILE, "Content-Encoding: br"),
        ok(FILE, "content-encoding: identity, gzip"),
        ok(FILE, "Content-Encoding: identity", "Content-Encoding: deflate"),
        ok(FILE, "Content-Encoding: x"),
    ],
)
def test_nothing_is_unpacked(serve, fetch, answer):
    with raises(Code.FETCH_FAILED, reason=ENCODED):
        fetch(serve(answer).url())


# ---------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize(
    "answer",
    [
        always(ok(FILE)[:-1]),
        always(ok(FILE)[: -len(FILE)]),
        always(ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", framed=False)[:-1]),
        always(ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", framed=False)[:-5]),
        always(ok(b"5\r\nhello\r\nzz\r\n", "Transfer-Encoding: chunked", framed=False)),
        always(ok(b"5\r\nhelloworld", "Transfer-Encoding: chunked", framed=False)),
        torn(ok(FILE)[:-1]),
        torn(HEAD + FILE),
    ],
    ids=["a byte", "all", "chunked: a byte", "chunked: the last", "no chunk", "a longer chunk", "reset", "reset without length"],
)
def test_a_file_that_breaks_off_is_none(serve, fetch, answer):
    with raises(Code.FETCH_FAILED, reason=BROKEN):
        fetch(serve(answer).url())


def test_a_chunked_file_that_breaks_off_at_the_limit_is_none(serve, fetch):
    with raises(Code.FETCH_FAILED, reason=BROKEN):
        fetch(serve(ok(b"5\r\nhello", "Transfer-Encoding: chunked", framed=False)).url(), 5)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"hello" + END,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200\x00 OK" + END,
        b"HTTP/2 200 OK" + END,
        b"HTTP/1.1 2000 OK" + END,
        b"HTTP/1.1 101 Switching Protocols" + END,
        b"HTTP/1.1 200 OK\r\nno field" + END,
        b"HTTP/1.1 200 OK\r\nContent-Length: five" + END + b"hello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5" + END + b"hello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6" + END + b"hello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999" + END + b"hello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked" + END + b"0" + END,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + END,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + END,
    ],
)
def test_what_is_not_http_is_no_answer(serve, fetch, answer):
    with raises(Code.FETCH_FAILED, reason=NO_HTTP):
        fetch(serve(answer).url())


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 305, 400, 401, 403, 404, 407, 418, 500, 503, 599])
def test_a_status_other_than_200_is_no_file(serve, fetch, status):
    with raises(Code.FETCH_FAILED, reason=f"the answer has status {status}"):
        fetch(serve(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nLocation: /".encode() + END).url())


def test_a_reset_instead_of_an_answer(serve, fetch):
    with raises(Code.FETCH_FAILED, reason=BROKEN):
        fetch(serve(torn(b"")).url())


def test_the_connection_ends_with_the_block(serve):
    """The server of a file without an end gets to see it."""
    server = serve(endless(HEAD, bytes(65536)))
    with HttpFetcher(LOOPBACK).fetch(server.url(), MUCH) as body:
        next(body.chunks(MUCH))
    server.threads[-1].join(PACE.whole)
    assert not server.threads[-1].is_alive()


def test_what_the_caller_raises_passes_through(serve):
    with pytest.raises(OSError, match="the disk is full"), HttpFetcher(LOOPBACK).fetch(serve(ok(FILE)).url(), MUCH):
        raise OSError("the disk is full")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [*(bytes([byte]) for byte in b"\r\n\x00 :,;1x\xff"), b"HTTP/1.1 ", b"200", b"302", END, b"Location", b"Content-Length: 3"]
        )
    )
)
def test_whatever_a_server_says_ends_in_a_file_or_a_refusal(fetch, pieces):
    with closing(Server(always(b"".join(pieces)))) as server:
        try:
            found = len(fetch(server.url(), 10))
        except UploadError as refusal:
            found = refusal.code
    assert found in {*range(11), Code.FETCH_FAILED, Code.FETCH_REFUSED, Code.TOO_LARGE}


# ---------------------------------------------------------------- how long


@pytest.mark.parametrize(
    "answer",
    [silent(), silent(b"HTTP/1.1 2"), silent(HEAD), silent(ok(FILE)[:-1])],
    ids=["no answer", "half a line", "no body", "no last byte"],
)
def test_silence_ends_it(serve, fetch, answer):
    with raises(Code.FETCH_FAILED, reason=SLOW):
        fetch(serve(answer).url(), pace=SHORT)


LATE = 4.0  # seconds: longer than these fetches may take, shorter than any server waits
CRUMBS = 400  # would take 20 times as long as the whole fetch may


@pytest.mark.parametrize(
    "answer",
    [
        slowly(ok(b"", f"X: {'x' * CRUMBS}")),
        slowly(ok(bytes(CRUMBS)), len(ok(b"")) + 2),
        slowly(ok(bytes(CRUMBS), framed=False), len(HEAD)),
        slowly(ok(chunked(bytes(CRUMBS), 1), "Transfer-Encoding: chunked", framed=False), len(HEAD)),
        slowly((b"HTTP/1.1 103 Early Hints" + END) * 20 + ok(b"")),
    ],
    ids=["fields", "body", "body without length", "chunks", "hints"],
)
def test_a_drip_ends_it(serve, fetch, answer):
    """There is always something, and never enough: only the time of the whole ends it."""
    assert 10 * BRIEF.whole < CRUMBS * STEP
    with raises(Code.FETCH_FAILED, reason=SLOW):
        fetch(serve(answer).url(), pace=BRIEF)


def test_what_would_come_too_late_is_not_waited_for(serve, fetch):
    with raises(Code.FETCH_FAILED, reason=SLOW):
        fetch(serve(ok(b"late"), late=LATE).url(), pace=BRIEF)
    with raises(Code.FETCH_FAILED, reason=SLOW):
        fetch(serve(ok(b"late"), late=LATE).url(), pace=SHORT)


def test_nobody_listens(fetch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with raises(Code.FETCH_FAILED, reason=UNREACHABLE):
        fetch(f"http://127.0.0.1:{port}/")


def test_nobody_takes_the_connection(fetch):
    """A listener whose queue is full: what more comes is neither taken nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as waiting:
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(server.getsockname())
        with raises(Code.FETCH_FAILED, reason=UNREACHABLE):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", pace=Pace(connect=0.4, silence=20.0, whole=30.0))


def test_a_worker_has_time_left_to_say_so():
    assert Pace().connect < Pace().silence < Pace().whole < SOFT_LIMIT

import socket
import sys
from contextlib import contextmanager

import pytest

from app.core.errors import UploadError
from app.fetching import HttpFetcher
from app.fetching.wire import Pace
from tests.fetching.servers import Server, always

LOOPBACK = ("127.0.0.0/8", "::1/128")
MUCH = 10**9
PACE = Pace(connect=10.0, silence=20.0, whole=30.0)
_recording = []


def _hook(event, args):
    """CPython tells of every connection that is really made, whoever makes it."""
    if _recording and event == "socket.connect" and args[0].type == socket.SOCK_STREAM:
        _recording[-1].append(args[1][:2])


sys.addaudithook(_hook)


@pytest.fixture
def dialled():
    """Every address to which this process opened a TCP connection during the test, in order."""
    _recording.append([])
    yield _recording[-1]
    _recording.pop()


@pytest.fixture
def serve():
    """A server of one answer, or of what a function says."""
    servers = []

    def serve(answer, *where, **options):
        servers.append(Server(answer if callable(answer) else always(answer), *where, **options))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def fetch():
    """The bytes behind a URL, from loopback unless other networks are allowed."""

    def fetch(url, limit=MUCH, allow=LOOPBACK, pace=PACE, **options):
        with HttpFetcher(allow, pace=pace, **options).fetch(url, limit) as body:
            return b"".join(body.chunks(limit))

    return fetch


@contextmanager
def raises(code, **facts):
    """The block ends in this refusal, with these facts."""
    with pytest.raises(UploadError) as caught:
        yield
    assert (caught.value.code, dict(caught.value.problem.facts)) == (code, facts)

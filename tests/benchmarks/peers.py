"""The servers beside which ours is measured: @tus/server (Node, its file store) and tuspyserver (uvicorn), each on a port of its own.

`make bench` installs them; on a machine without Node the first is left out, and the table says so.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from tests.benchmarks.feeder import HERE, family
from tests.services.seaweed import free_ports
from tests.services.up import eventually

PEERS = HERE / "peers"
PYTHON = Path(sys.prefix) / "peers/bin/python"
PATCH = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


class Tus:
    """One tus server. `announce` makes uploads; a PATCH with the headers PATCH to each of their URLs sends the bytes."""

    def __init__(self, name: str, *command: str | Path) -> None:
        self.name, self._command = name, command
        self.folder = Path(tempfile.mkdtemp(prefix="tus-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        (self.port,) = free_ports(1)
        command = [*self._command, self.folder, str(self.port)]
        self._process = subprocess.Popen(command, cwd=PEERS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._answers, what=self.name)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        assert self._process is not None, "not started"
        return family(self._process.pid)

    def announce(self, size: int, count: int) -> list[str]:
        """The URLs of new uploads."""
        return [self._announced(size) for _ in range(count)]

    def clear(self) -> None:
        """Nothing of what came is kept."""
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()

    def _announced(self, size: int) -> str:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        wire.request("POST", "/files", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(size)})
        answer = wire.getresponse()
        assert answer.status == 201, answer.status
        return f"http://127.0.0.1:{self.port}{urlsplit(answer.getheader('Location') or '').path}"

    def _answers(self) -> bool:
        with suppress(OSError, AssertionError):
            return bool(self._announced(1))
        return False


def there() -> list[Tus]:
    """Those that are installed."""
    found = []
    if (PEERS / "node_modules").exists():
        found.append(Tus("@tus/server", shutil.which("node") or "node", PEERS / "tus.mjs"))
    if PYTHON.exists():
        found.append(Tus("tuspyserver", PYTHON, PEERS / "tuspy.py"))
    return found

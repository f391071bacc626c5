"""JavaScript client libraries, driven from Python: one node process a module of tests, which runs a call at a time (driver.mjs).

    with Node("squidex/driver.mjs") as node:
        client = node.door("client", {"url": …})
        asset = client("assets.postAsset", {"file": file(b"…", "a.png", "image/png")})
        asset["id"], asset.value

What the library throws is raised as `Refused`, with all that it says.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest

CLIENTS = Path(__file__).parent
INSTALLED = CLIENTS / "node_modules" / ".installed"  # written last by the Makefile


class Refused(Exception):
    """What a library threw: the class of the error, its name, the HTTP status that it has, its message and, where it keeps it, the body."""

    def __init__(self, kind: str, name: str, message: str, status: int | None = None, body: Any = None) -> None:
        super().__init__(f"{kind} {name} {status}: {message}")
        self.kind, self.name, self.message, self.status, self.body = kind, name, message, status, body


class Thing:
    """A result that lives in node: `value` is its JSON, a call speaks to it."""

    def __init__(self, node: Node, ref: int, value: Any) -> None:
        self.node, self.ref, self.value = node, ref, value

    def __call__(self, path: str, *args: Any) -> Thing:
        """Call the method that `path` names from here, or read what it names."""
        return self.node.ask({"on": self.ref, "path": path, "args": [_sent(arg) for arg in args]})

    def set(self, path: str, value: Any) -> None:
        """Assign to what `path` names from here."""
        self.node.ask({"on": self.ref, "path": path, "set": _sent(value)})

    def __getitem__(self, name: str | int) -> Any:
        return self.value[name]

    @property
    def bytes(self) -> bytes:
        """The content of a Blob or a Buffer."""
        return base64.b64decode(self.value["$bytes"])


class Node:
    """A node process that has loaded a driver below tests/clients."""

    def __init__(self, driver: str) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [found(), CLIENTS / driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, bufsize=1
        )
        self.door = Thing(self, 0, None)

    def ask(self, command: dict[str, Any]) -> Thing:
        """Have a command run. Raises Refused with what the library threw."""
        self._process.stdin.write(json.dumps(command) + "\n")
        line = self._process.stdout.readline()
        assert line, f"node ended:\n{self.said}"
        answer = json.loads(line)
        if error := answer.get("error"):
            raise Refused(**error)
        return Thing(self, answer["ref"], answer["value"])

    @property
    def said(self) -> str:
        """What it wrote to stderr; the libraries' warnings, too."""
        self._log.seek(0)
        return self._log.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._log.close()


def bytes_(content: bytes) -> dict[str, str]:
    """A Buffer."""
    return {"$bytes": _base64(content)}


def array_buffer(content: bytes) -> dict[str, str]:
    """An ArrayBuffer."""
    return {"$arrayBuffer": _base64(content)}


def stream(content: bytes) -> dict[str, str]:
    """A Readable, whose length nobody knows."""
    return {"$stream": _base64(content)}


def file(content: bytes, name: str, type: str = "") -> dict[str, str]:
    """A File."""
    return {"$file": _base64(content), "name": name, "type": type}


def blob(content: bytes, type: str = "") -> dict[str, str]:
    """A Blob: bytes without a name."""
    return {"$blob": _base64(content), "type": type}


@cache
def found() -> str:
    """The path of node, where it is new enough and the libraries are installed; else the test is skipped, which CI does not allow."""
    node = shutil.which("node")
    if not node or not INSTALLED.exists():
        pytest.skip("the JavaScript clients need Node 20 or newer with npm; `make test` installs them")
    return node


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _sent(value: Any) -> Any:
    if isinstance(value, Thing):
        return {"$ref": value.ref}
    if isinstance(value, dict):
        return {name: _sent(inner) for name, inner in value.items()}
    return [_sent(inner) for inner in value] if isinstance(value, list) else value

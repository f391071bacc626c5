"""The Nomad client, which needs a Python of its own, driven from ours (driver.py): one process a module of tests.

with Sdk(config()) as sdk:
    asset = sdk("get_asset", "id")
    sdk.log  # the errors that the last call logged
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import pytest

from tests.clients.keys import user
from tests.services.up import Up, shared

HOME = Path(sys.prefix) / "nomad"  # made by the Makefile
DRIVER = Path(__file__).with_name("driver.py")


class Raised(Exception):
    """What the client raised."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.message = kind, message


class Sdk:
    """The client in its process. `threads`: at most so many send parts at once.

    With more than one it now and then sends a part's bytes as another's: its threads share one file without a lock.
    """

    def __init__(self, config: dict[str, Any], threads: int = 1) -> None:
        self.log: list[str] = []
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [python(), DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, text=True, bufsize=1
        )
        self.begin(config, threads)

    def begin(self, config: dict[str, Any], threads: int = 1) -> None:
        """Make the client anew. Raises Raised, as a call does."""
        self._ask({"config": config, "threads": threads})

    def __call__(self, call: str, *args: Any, **named: Any) -> Any:
        """What a method of the client returns; None often means that something went wrong, and `log` says what."""
        return self._ask({"call": call, "args": args, "named": named})

    def keep(self, **state: Any) -> None:
        """Change what the client keeps: its token, for one."""
        self._ask({"set": state})

    def _ask(self, command: dict[str, Any]) -> Any:
        self._process.stdin.write(json.dumps(command) + "\n")
        line = self._process.stdout.readline()
        self._stderr.seek(0)
        assert line, f"the client's process ended:\n{self._stderr.read()}"
        answer = json.loads(line)
        self.log = answer["log"]
        if error := answer.get("error"):
            raise Raised(**error)
        return answer["value"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._stderr.close()


def config(up: Up | None = None, **more: Any) -> dict[str, Any]:
    """Of `Nomad_SDK`: a user's name and password, unless other credentials are given."""
    python()  # before anything is started for a client that is not there
    who = {} if "apiKey" in more else dict(zip(("username", "password"), user(), strict=True))
    return {"serviceApiUrl": f"{(up or shared()).url}/nomad", "apiType": "admin", "singleton": False, **who, **more}


def python() -> Path:
    """The Python of the client, where there is one; else the test is skipped, which CI does not allow."""
    if not (HOME / ".installed").exists():
        pytest.skip("the Nomad client needs Python 3.12 or newer; `make test` installs it where there is one")
    return HOME / "bin" / "python"

"""Machines on one machine: network namespaces, each with an address of its own, on a bridge that has one too.

with Machines(2) as machines:
    machines.here                       # the bridge's address: what all of them reach, and the test
    Up(host=machines.hosts[0], within=machines.within(0))
    machines.unplug(0)
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Self

import pytest

NETWORK = "10.203"  # of ours alone: nothing leaves this machine


class Machines:
    """So many namespaces. Skips the test where none can be made."""

    def __init__(self, count: int) -> None:
        mark = os.getpid() % 250 + 1
        self._bridge = f"slb{mark}"
        self._names = [f"slipway-{mark}-{number}" for number in range(count)]
        self._wires = [f"slw{mark}-{number}" for number in range(count)]
        self.here = f"{NETWORK}.{mark}.1"
        self.hosts = [f"{NETWORK}.{mark}.{number + 2}" for number in range(count)]

    def within(self, number: int) -> tuple[str, ...]:
        """The command that runs another one on this machine."""
        return ("ip", "netns", "exec", self._names[number])

    def unplug(self, number: int) -> None:
        """Nothing comes in or goes out."""
        _ip("link", "set", self._wires[number], "down")

    def plug(self, number: int) -> None:
        """As before."""
        _ip("link", "set", self._wires[number], "up")

    def __enter__(self) -> Self:
        if shutil.which("ip") is None:
            pytest.skip("`ip` is not installed (Debian: apt install iproute2)")
        made = subprocess.run(["ip", "link", "add", self._bridge, "type", "bridge"], capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"network namespaces need root: {made.stderr.strip()}")
        _ip("addr", "add", f"{self.here}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for name, wire, host in zip(self._names, self._wires, self.hosts, strict=True):
            _ip("netns", "add", name)
            _ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", wire, "master", self._bridge)
            _ip("link", "set", wire, "up")
            for words in (("link", "set", "lo", "up"), ("addr", "add", f"{host}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
                _ip("-n", name, *words)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self._bridge], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

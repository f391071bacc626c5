"""Bytes in, beside the peers: 256 MiB in one request, and eight times 32 MiB at once, to a local disk.

Every round asks each server in turn, so that what the machine does meanwhile hits all of them alike; the ratios are of one round. Ours is the whole
way with records: a PUT to an announced upload's URL, until its 202. Between two turns the worker has done its part, and nothing is kept.
The peers sync nothing to disk. Ours does by default; it is measured with and without.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import psutil
import pytest
import requests

from tests.benchmarks import peers
from tests.benchmarks.dav import Dav
from tests.benchmarks.feeder import GIB, MIB, Cost, feed
from tests.services.up import Up, eventually

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SHAPES = {"1 x 256 MiB": (256 * MIB, 1), "8 x 32 MiB": (32 * MIB, 8)}
ANY_FILE = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": str(8 * GIB)}


@dataclass
class Side:
    """A server: what makes `count` URLs for bodies of `size` bytes, and how they are sent; `after` every turn."""

    name: str
    urls: Callable[[int, int], list[str]]
    processes: Callable[[], list[psutil.Process]]
    method: str = "PUT"
    headers: dict[str, str] = field(default_factory=dict)
    after: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Turn:
    """MB/s, seconds of processor and minor faults for each GiB, MB that the largest process grew."""

    rate: float
    cpu: float
    faults: float
    grown: float


class Ours:
    """A `slipway up`, and the uploads that it was announced."""

    def __init__(self, up: Up) -> None:
        self.up, self._begun = up, []
        self._session = requests.Session()
        self._session.headers.update(up.bearer)

    def urls(self, size: int, count: int) -> list[str]:
        wanted = {"filename": "film.bin", "size": size}
        self._begun = [self._session.post(f"{self.up.url}/v1/uploads", json=wanted, timeout=30).json() for _ in range(count)]
        return [begun["upload"]["uploadUrl"] for begun in self._begun]

    def web(self) -> list[psutil.Process]:
        leader = self.up.leader("web")
        return [leader, *leader.children(recursive=True)]

    def settle(self) -> None:
        """Every upload is an asset, and is deleted; its bytes go later, so they are cut here."""
        for begun in self._begun:
            eventually(lambda begun=begun: self._ended(begun["id"]), 120, "the worker")
        for blob in (self.up.data / "store/blobs").rglob("*"):
            if blob.is_file():
                os.truncate(blob, 0)

    def _ended(self, operation: str) -> bool:
        found = self._session.get(f"{self.up.url}/v1/operations/{operation}", timeout=30).json()
        assert found["status"] != "failed", found
        return found["status"] == "completed"


def turn(side: Side, size: int, count: int) -> Turn:
    urls = side.urls(size, count)
    with Cost(side.processes()) as cost:
        fed = feed(urls, size, connections=count, headers=side.headers, method=side.method)
    assert all(200 <= status < 300 for status in fed.statuses), (side.name, fed.statuses)
    side.after()
    cpu, faults = cost.per_gib(fed.bytes)
    return Turn(fed.rate, cpu, faults, cost.rss_added / 1e6)


def dav_side(dav: Dav) -> Side:
    def clear() -> None:
        for path in dav.root.iterdir():
            path.unlink()

    return Side("nginx DAV", lambda _, count: [f"{dav.url}/{n}" for n in range(count)], dav.processes, after=clear)


def tus_side(tus: peers.Tus) -> Side:
    return Side(tus.name, tus.announce, tus.processes, "PATCH", peers.PATCH, tus.clear)


def our_side(name: str, up: Up) -> Side:
    ours = Ours(up)
    return Side(name, ours.urls, ours.web, after=ours.settle)


def show(shape: str, rounds: list[dict[str, Turn]]) -> None:
    print(f"\n{shape}, median of {len(rounds)} interleaved rounds (min-max)")
    print(f"    {'':<22}{'MB/s':>20}{'CPU s/GiB':>12}{'faults/GiB':>12}{'grown MB':>10}   ratio of ours to it")
    for name in rounds[0]:
        turns = [each[name] for each in rounds]
        rates = [turn.rate for turn in turns]
        against = [each["ours, no fsync"].rate / each[name].rate for each in rounds]
        told = f"{statistics.median(against):5.2f} ({min(against):.2f}-{max(against):.2f})" if name != "ours, no fsync" else ""
        speed = f"{statistics.median(rates):7.0f} ({min(rates):.0f}-{max(rates):.0f})"
        cpu, faults, grown = (statistics.median(getattr(turn, what) for turn in turns) for what in ("cpu", "faults", "grown"))
        print(f"    {name:<22}{speed:>20}{cpu:12.2f}{faults:12.0f}{grown:10.1f}   {told}")


def warm(size: int) -> None:
    """The machine gives free pages back to its host: touch as many as the run needs."""
    for _ in range(2):
        memory = bytearray(size)
        memory[::4096] = b"x" * len(memory[::4096])


@pytest.mark.timeout(1800)
def test_bytes_in_beside_the_peers():
    with ExitStack() as stack:
        sides = [
            our_side("ours, no fsync", stack.enter_context(Up(SLIPWAY_FSYNC="off", **ANY_FILE))),
            our_side("ours, fsync", stack.enter_context(Up(**ANY_FILE))),
            dav_side(stack.enter_context(Dav())),
            *(tus_side(stack.enter_context(tus)) for tus in peers.there()),
        ]
        for shape, (size, count) in SHAPES.items():
            warm(4 * size * count)
            for side in sides:
                turn(side, size, count)  # the first of each does not count
            show(shape, [{side.name: turn(side, size, count) for side in sides} for _ in range(ROUNDS)])

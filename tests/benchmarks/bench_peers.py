"""Bytes in, beside the peers: 256 MiB in one request, and eight times 32 MiB at once, to a local disk.

Every round asks each server in turn, so that what the machine does meanwhile hits all of them alike; the ratios are of one round. Ours is the whole
way with records: a PUT to an announced upload's URL, until its 202. The workers stand still meanwhile, and what was sent is cancelled.
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
from tests.benchmarks.feeder import GIB, MIB, Cost, family, feed
from tests.services.up import Up

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SHAPES = {"1 x 256 MiB": (256 * MIB, 1), "8 x 32 MiB": (32 * MIB, 8)}
ANY_FILE = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": str(8 * GIB), "SLIPWAY_MAX_WAIT": "100000"}


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
    """A `slipway up` whose workers stand still, and the uploads that it was announced."""

    def __init__(self, up: Up) -> None:
        self.up, self._begun = up, []
        self._session = requests.Session()
        self._session.headers.update(up.bearer)
        for name in ("worker", "keeper"):
            for process in family(up.leader(name).pid):
                process.suspend()

    def urls(self, size: int, count: int) -> list[str]:
        wanted = {"filename": "film.bin", "size": size}
        self._begun = [self._session.post(f"{self.up.url}/v1/uploads", json=wanted, timeout=30).json() for _ in range(count)]
        return [begun["upload"]["uploadUrl"] for begun in self._begun]

    def cancel(self) -> None:
        for begun in self._begun:
            answer = self._session.delete(f"{self.up.url}/v1/operations/{begun['id']}", timeout=30)
            assert answer.json()["status"] == "cancelled", answer.text


def turn(side: Side, size: int, count: int) -> Turn:
    urls = side.urls(size, count)
    with Cost(side.processes()) as cost:
        fed = feed(urls, size, connections=count, headers=side.headers, method=side.method)
    assert all(200 <= status < 300 for status in fed.statuses), (side.name, fed.statuses)
    side.after()
    cpu, faults = cost.per_gib(fed.bytes)
    return Turn(fed.rate, cpu, faults, cost.rss_added / 1e6)


def one_round(sides: list[Side], size: int, count: int) -> dict[str, Turn]:
    found = {}
    for side in sides:
        warm(size * count + 64 * MIB)
        found[side.name] = turn(side, size, count)
    return found


def dav_side(dav: Dav) -> Side:
    def clear() -> None:
        for path in dav.root.iterdir():
            path.unlink()

    return Side("nginx DAV", lambda _, count: [f"{dav.url}/{n}" for n in range(count)], dav.processes, after=clear)


def tus_side(tus: peers.Tus) -> Side:
    return Side(tus.name, tus.announce, tus.processes, "PATCH", peers.PATCH, tus.clear)


def our_side(name: str, up: Up) -> Side:
    ours = Ours(up)
    return Side(name, ours.urls, lambda: family(up.leader("web").pid), after=ours.cancel)


def show(shape: str, rounds: list[dict[str, Turn]]) -> None:
    print(f"\n{shape}, median of {len(rounds)} interleaved rounds (min-max)")
    print(f"    {'':<22}{'MB/s':>20}{'CPU s/GiB':>12}{'faults/GiB':>12}{'grown MB':>10}   ratio of ours to it")
    for name in sorted(rounds[0], key=list(rounds[0]).index):
        turns = [each[name] for each in rounds]
        rates = [turn.rate for turn in turns]
        against = [each["ours, no fsync"].rate / each[name].rate for each in rounds]
        told = f"{statistics.median(against):5.2f} ({min(against):.2f}-{max(against):.2f})" if name != "ours, no fsync" else ""
        speed = f"{statistics.median(rates):7.0f} ({min(rates):.0f}-{max(rates):.0f})"
        cpu, faults, grown = (statistics.median(getattr(turn, what) for turn in turns) for what in ("cpu", "faults", "grown"))
        print(f"    {name:<22}{speed:>20}{cpu:12.2f}{faults:12.0f}{grown:10.1f}   {told}")


def warm(size: int) -> None:
    """The machine gives free pages back to its host, and touching them again is slow and uneven: have as many as the turn needs."""
    memory = bytearray(size)
    memory[::4096] = b"x" * len(memory[::4096])


@pytest.mark.timeout(1800)
def test_bytes_in_beside_the_peers():
    with ExitStack() as stack:
        sides = [
            our_side("ours, no fsync", stack.enter_context(Up(SLIPWAY_FSYNC="off", **ANY_FILE))),
            our_side("ours, no sums either", stack.enter_context(Up(SLIPWAY_FSYNC="off", SLIPWAY_SUMS="off", **ANY_FILE))),
            our_side("ours, fsync", stack.enter_context(Up(**ANY_FILE))),
            dav_side(stack.enter_context(Dav())),
            *(tus_side(stack.enter_context(tus)) for tus in peers.there()),
        ]
        for shape, (size, count) in SHAPES.items():
            for side in sides:
                turn(side, size, count)  # the first of each does not count
            show(shape, [one_round(sides[n % len(sides) :] + sides[: n % len(sides)], size, count) for n in range(ROUNDS)])

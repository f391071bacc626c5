"""The way in, against nginx: POST of large bodies to `/v1/uploads`, whole with records, with sums and without. `make bench` prints it.

ROUNDS (5), MIBS (256) and FSYNC (off) come from the environment. The sides take turns in every round, after the memory that a run needs was
touched; workers are stopped meanwhile, and what was sent is cancelled. Each figure is a median, ratios are of pairs in one round.
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import psutil
import pytest
import requests

from tests.benchmarks.dav import Dav
from tests.benchmarks.feeder import GIB, MIB, Cost, Result, family, feed
from tests.services.up import Up

ROUNDS = int(os.environ.get("ROUNDS", "5"))
MIBS = int(os.environ.get("MIBS", "256"))
OPEN = {
    "SLIPWAY_V1_MEDIA_TYPES": "*/*",
    "SLIPWAY_V1_JUDGE": "off",
    "SLIPWAY_V1_MAX_BYTES": str(8 * GIB),
    "SLIPWAY_FSYNC": os.environ.get("FSYNC", "off"),
}


@dataclass
class Side:
    """Something that takes bodies: where, what it costs, and how what it took is got rid of."""

    url: str
    method: str
    headers: dict[str, str]
    processes: list[psutil.Process]
    clear: Callable[[Result], None]


def ours(up: Up) -> Side:
    for name in ("worker", "keeper"):
        for process in family(up.leader(name).pid):
            process.suspend()

    def clear(result: Result) -> None:
        for answer in result.answers:
            assert requests.delete(answer.location, headers=up.bearer, timeout=30).status_code < 300

    return Side(f"{up.url}/v1/uploads?filename=f{{n}}", "POST", up.bearer, family(up.leader("web").pid), clear)


def nginx(dav: Dav) -> Side:
    def clear(result: Result) -> None:
        for n in range(len(result.answers)):
            (dav.root / f"f{n}").unlink()

    return Side(f"{dav.url}/f{{n}}", "PUT", {}, dav.processes(), clear)


def touch(size: int) -> None:
    """The host takes free pages back, and giving them again is slow and uneven: have them now."""
    held = bytearray(size)
    held[::4096] = b"x" * len(held[::4096])


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("size", "at_once"), [(MIBS, 1), (MIBS // 8, 8)], ids=["one", "eight at once"])
def test_the_way_in(size, at_once):
    seen: dict[str, list[tuple[float, float, float, int]]] = defaultdict(list)
    with ExitStack() as open_until:
        sides = {
            "nginx DAV": nginx(open_until.enter_context(Dav())),
            "without sums": ours(open_until.enter_context(Up(**OPEN, SLIPWAY_SUMS="off"))),
            "with sums": ours(open_until.enter_context(Up(**OPEN))),
        }
        for turn in range(ROUNDS + 1):
            for name in sorted(sides, key=lambda name, turn=turn: (list(sides).index(name) + turn) % len(sides)):
                side = sides[name]
                touch((size * at_once + 64) * MIB)
                with Cost(side.processes) as cost:
                    result = feed(side.url, size * MIB, at_once, at_once, side.headers, side.method)
                assert all(200 <= status < 300 for status in result.statuses), result
                side.clear(result)
                if turn:  # the first round warms up
                    seen[name].append((result.rate, *cost.per_gib(result.bytes), cost.rss_added))
    print(f"\n{at_once} x {size} MiB, {ROUNDS} rounds, fsync {OPEN['SLIPWAY_FSYNC']}")
    for name, rows in seen.items():
        rate, cpu, faults, rss = (statistics.median(column) for column in zip(*rows, strict=True))
        low, high = min(row[0] for row in rows), max(row[0] for row in rows)
        ratios = [statistics.median(a[0] / b[0] for a, b in zip(rows, seen[other], strict=True)) for other in ("nginx DAV", "without sums")]
        print(
            f"    {name:<13} {rate:5.0f} MB/s ({low:.0f}-{high:.0f})  x nginx {ratios[0]:.2f}  x without {ratios[1]:.2f}"
            f"  {cpu:.2f} s/GiB  {faults:.0f} faults/GiB  rss +{rss / 1e6:.1f} MB"
        )

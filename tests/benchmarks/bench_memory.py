"""What uploads add to the memory of a web process: one of 4 GiB, and 64 of 16 MiB at once. `make bench` prints it.

GIBS (4) comes from the environment. Each is done twice: what a process has taken once, it uses again.
"""

from __future__ import annotations

import os

import pytest
import requests

from tests.benchmarks.feeder import GIB, MIB, Cost, family, feed
from tests.services.up import Up

GIBS = int(os.environ.get("GIBS", "4"))
OPEN = {
    "SLIPWAY_V1_MEDIA_TYPES": "*/*",
    "SLIPWAY_V1_JUDGE": "off",
    "SLIPWAY_V1_MAX_BYTES": str(2 * GIBS * GIB),
    "SLIPWAY_FSYNC": "off",
    "SLIPWAY_MAX_WAIT": "100000",
}


@pytest.mark.timeout(900)
def test_what_uploads_add_to_a_web_process():
    print("\nMB that a web process grew by, the one that grew most; goals: 3 for one of 4 GiB, 16 for 64 at once")
    with Up(**OPEN) as up:
        for name in ("worker", "keeper"):
            for process in family(up.leader(name).pid):
                process.suspend()
        for told, size, count in ((f"1 x {GIBS} GiB", GIBS * GIB, 1), ("64 x 16 MiB at once", 16 * MIB, 64)):
            for turn in ("first", "again"):
                with Cost(family(up.leader("web").pid)) as cost:
                    fed = feed(f"{up.url}/v1/uploads?filename=f{{n}}", size, count, count, up.bearer, "POST")
                assert set(fed.statuses) == {202}, fed.statuses
                print(
                    f"    {told:<20} {turn}: {cost.rss_added / 1e6:5.1f}   ({fed.rate:.0f} MB/s, {cost.per_gib(fed.bytes)[0]:.2f} CPU s/GiB)"
                )
                for answer in fed.answers:
                    assert requests.delete(answer.location, headers=up.bearer, timeout=60).ok

"""How soon who waits hears, and how soon a small photograph is completed, over a real `slipway up`. `make bench` prints it.

*Heard*: from the settling's commit to the waiter's return, in this process, over a Redis of its own. *Completed*: from before the POST of a
JPEG of one megapixel to the answer of `Prefer: wait`, one after the other.
"""

from __future__ import annotations

import os
import threading
import time

import pytest
import requests

from app.core import keys, operation
from app.core.operation import INGEST, Operation, Status
from app.core.ports import Change
from app.core.waiting import Waiting
from app.records import open_records
from tests.benchmarks.bench_publish import quantile
from tests.services import pictures
from tests.services.redis_server import RedisServer
from tests.services.up import Up

COUNT = int(os.environ.get("COUNT", "200"))


def told(name: str, milliseconds: list[float]) -> None:
    print(f"    {name:<10} p50 {quantile(milliseconds, 0.5):6.2f} ms, p99 {quantile(milliseconds, 0.99):6.2f} ms, of {len(milliseconds)}")


def heard(records, waiting: Waiting) -> float:
    """Milliseconds from the commit that settles to the waiter's return."""
    now = records.now()
    new = Operation(keys.new_id(), "bench", "me", INGEST, now, now, now + 600, status=Status.STARTED)
    records.commit([new.ref], lambda _none: Change(put=(new,)))
    returned: list[float] = []

    def wait() -> None:
        assert waiting.wait(new, 20).final
        returned.append(time.perf_counter())

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.02)  # until it waits; where it does not yet, it reads what is settled, and is no worse

    records.commit([new.ref], lambda op: Change(put=(operation.finish(op, Status.COMPLETED, records.now()),)))
    settled = time.perf_counter()
    waiter.join()
    return (returned[0] - settled) * 1000


@pytest.mark.timeout(120)
def test_who_waits_hears():
    with RedisServer() as server:
        room, settling = open_records(server.url_of(1)), open_records(server.url_of(1))
        waiting = Waiting(room.records, room.signals, 8, lambda: False)
        took = [heard(settling.records, waiting) for _ in range(COUNT)]
        room.signals.close()
    print("\nfrom the settling to the waiter")
    told("heard", took[5:])


@pytest.mark.timeout(240)
def test_a_small_photograph_is_completed():
    jpeg = pictures.photo(1_000, 1_000, pictures.JPEG, quality=80)
    took = []
    with Up() as up, requests.Session() as session:
        for number in range(COUNT):
            began = time.perf_counter()
            body = jpeg[:-2] + number.to_bytes(4, "big") + jpeg[-2:]  # never the same bytes twice
            op = session.post(f"{up.url}/v1/uploads", data=body, headers={**up.bearer, "Content-Type": "image/jpeg"}, timeout=30)
            done = session.get(op.headers["Location"], headers={**up.bearer, "Prefer": "wait=10"}, timeout=30).json()
            took.append((time.perf_counter() - began) * 1000)
            assert done["status"] == "completed", done
    print(f"\nfrom a JPEG of one megapixel ({len(jpeg) // 1000} KB) to completed")
    told("completed", took[5:])

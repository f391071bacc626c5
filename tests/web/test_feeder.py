"""The client of the benchmarks sends what it says it sends, with a compiler and without."""

import hashlib
import os

import pytest

from tests.benchmarks import feeder
from tests.benchmarks.feeder import MIB, Cost, family, feed, sha256


@pytest.fixture(params=["c", "python"])
def client(request, monkeypatch):
    if request.param == "python":
        monkeypatch.setattr(feeder, "_compiled", lambda: None)
    elif feeder._compiled() is None:
        pytest.skip("no C compiler on this machine")


@pytest.mark.parametrize("size", [0, 10, MIB, 3 * MIB + 5])
def test_every_body_is_the_same_and_whole(door, client, size):
    name = f"fed-{os.urandom(4).hex()}"
    result = feed(f"http://127.0.0.1:{door.port}/take?name={name}-{{n}}", size, count=3, connections=2)
    assert (result.statuses, result.bytes) == ([200] * 3, 3 * size)
    for n in range(3):
        event = door.wait_for(lambda event, n=n: event.get("sha256") and event.get("name") == f"{name}-{n}")
        assert (event["size"], event["sha256"]) == (size, sha256(size))


def test_a_refusal_is_a_status_and_the_next_request_goes_on(door, client):
    urls = [f"http://127.0.0.1:{door.port}/{path}" for path in ("refuse", "take", "refuse", "take")]
    assert feed(urls, 2 * MIB).statuses == [413, 200, 413, 200]


def test_the_digest_is_that_of_the_block():
    assert sha256(10) == hashlib.sha256(feeder.block()[:10]).hexdigest()


def test_what_processes_spend_is_counted():
    with Cost(family(os.getpid())) as cost:
        held = os.urandom(64 * MIB)
        hashlib.sha256(held).digest()
    assert cost.cpu_seconds > 0
    assert cost.minor_faults >= 0
    assert cost.rss_added >= 32 * MIB

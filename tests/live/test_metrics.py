"""What a real house exports: over both web processes, both children, and past the death of any of them."""

import re
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from app.metrics import FAMILIES
from tests.services.pictures import photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

NAMES = {family.name for family in FAMILIES}


@pytest.fixture(scope="module")
def up():
    """One of its own: its numbers are ours alone, and its processes are killed."""
    with Up() as up:
        yield up


def url(up):
    """Where `slipway up` says that metrics are."""
    return next(found[1] for line in up.lines if (found := re.match(r"  Metrics +(\S+)", line)))


def scrape(up):
    """Sample by sample; every metric has its HELP."""
    answer = requests.get(url(up), timeout=10)
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    assert {family.name + ("_total" if family.type == "counter" else "") for family in families} <= NAMES
    return {(sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples}


def value(up, *key):
    return scrape(up).get((f"slipway_{key[0]}", *sorted(key[1:])), 0.0)


def send(up, content):
    answer = requests.post(f"{up.url}/v1/uploads", files={"file": ("a.jpg", content)}, headers=up.bearer, timeout=60)
    assert answer.status_code == 202
    return answer.headers["Location"]


def settled(up, *key):
    return value(up, "operations_settled_total", "v1", "ingest", *key)


def children(up, name):
    return {child.pid for child in up.leader(name).children()}


def test_numbers_are_those_of_what_happened_wherever_it_happened(up):
    good, cut = photo(), photo()[:-100]
    contents = [good] * 12 + [cut] * 5 + [b"no image at all"] * 3
    with ThreadPoolExecutor(8) as pool:  # over both web processes
        list(pool.map(lambda content: send(up, content), contents))
    eventually(lambda: sum(settled(up, *end) for end in ENDS) == len(contents), what="the end of all operations")
    assert {end: settled(up, *end) for end in ENDS} == {
        ("completed", "none"): 12,
        ("failed", "truncated"): 5,
        ("failed", "not_an_image"): 3,
    }
    found = scrape(up)
    assert found["slipway_operations_promised_total", "ingest", "v1"] == len(contents)
    assert found["slipway_uploaded_bytes_total", "v1"] == sum(map(len, contents))
    assert found["slipway_http_requests_total", "202", "POST", "v1"] == len(contents)
    assert found["slipway_queue_wait_seconds_count", "ingest"] == len(contents)
    assert found["slipway_stage_seconds_count", "signature"] == len(contents)
    assert found["slipway_stage_seconds_count", "settle"] == found["slipway_stage_seconds_count", "promote"] == 12
    received = {key: number for key, number in found.items() if key[0] == "slipway_received_bytes_total" and "v1" in key}
    assert sum(received.values()) > sum(map(len, contents))  # with what forms add
    eventually(lambda: value(up, "operations", "queued") == value(up, "operations", "started") == 0, what="nothing under way")


ENDS = (("completed", "none"), ("failed", "truncated"), ("failed", "not_an_image"))


def test_refusals_are_counted_by_their_code_and_unknown_methods_as_one(up):
    before = value(up, "refusals_total", "v1", "unauthenticated")
    requests.get(f"{up.url}/v1/assets/none", timeout=10)
    for method in ("BREW", "WHEN"):
        requests.request(method, f"{up.url}/v1/uploads", headers=up.bearer, timeout=10)
    found = scrape(up)
    assert found["slipway_refusals_total", "unauthenticated", "v1"] == before + 1
    assert sum(number for key, number in found.items() if key[0] == "slipway_http_requests_total" and "other" in key) == 2
    assert not [key for key in found if {"BREW", "demo", "none/none"} & set(key)]


def test_a_killed_child_takes_no_total_along_and_its_successor_goes_on_counting(up):
    before = settled(up, "completed", "none")
    for child in children(up, "worker"):
        old = children(up, "worker")
        psutil.Process(child).kill()
        eventually(lambda old=old: len(children(up, "worker") - old) == 1, what="a new child")
    assert settled(up, "completed", "none") == before
    send(up, photo())
    eventually(lambda: settled(up, "completed", "none") == before + 1, what="one more")


def holder(up):
    """The process that has the port of metrics at the moment."""
    port = int(re.search(r":(\d+)/metrics", url(up))[1])
    return next(p for p in up.everybody() if any(c.laddr.port == port and c.status == "LISTEN" for c in p.net_connections("tcp")))


def test_who_has_the_port_may_die_and_another_answers_with_the_same_totals(up):
    before, had = scrape(up), holder(up)
    had.kill()
    had.wait(10)

    def answers():
        try:
            return scrape(up)
        except requests.RequestException:
            return None

    eventually(answers, what="an answer at the port of metrics")
    after = scrape(up)
    totals = [key for key in before if key[0].endswith(("_total", "_count"))]
    assert totals
    assert not [key for key in totals if after.get(key, 0.0) < before[key]]
    assert holder(up).pid != had.pid


def test_every_part_is_up(up):
    eventually(lambda: value(up, "up", "redis") == value(up, "up", "store") == 1, what="redis and store up")
    found = scrape(up)
    assert found["slipway_up", "broker"] == found["slipway_up", "disk"] == 1
    assert found["slipway_queue_messages", "processing"] == 0
    assert found["slipway_disk_free_bytes", "store"] > 0


def test_a_scrape_is_answered_while_redis_is_away(up):
    redis, told = up.leader("redis"), {}
    redis.suspend()  # it does not even refuse
    try:
        eventually(lambda: (found := scrape(up))["slipway_up", "redis"] == 0 and told.update(found) is None, what="redis reported down")
        assert told["slipway_operations_settled_total", "completed", "ingest", "none", "v1"] > 0
    finally:
        redis.resume()
    eventually(lambda: value(up, "up", "redis") == 1, what="redis reported up")

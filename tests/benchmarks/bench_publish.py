"""What handing a message to the workers costs: one by one under 16 threads, and as part of a small upload. `make bench` prints it.

A small upload is a POST of 100 KB, durable, answered with 202: 2 processes, 16 connections of a client in C. Beside it the same door that
publishes nothing, and one that publishes as Celery does when nobody thinks about it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from app.core.refs import Kind, Ref
from app.jobs import CeleryJobs, names
from app.settings import from_env
from app.wiring import build
from tests.benchmarks.doors import Stock
from tests.benchmarks.feeder import Result, feed
from tests.services.redis_server import RedisServer
from tests.services.seaweed import free_ports
from tests.services.up import clean_environment, eventually

ROUNDS, THREADS, EACH = 5, 16, 60
COUNT, SIZE = int(os.environ.get("COUNT", "600")), 100_000
GUNICORN = Path(sys.executable).with_name("gunicorn")
HERE = Path(__file__).parents[2]
OPERATION = Ref(Kind.OPERATION, "acme", "0190d6e5-0000-7000-8000-000000000000")


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


# ---------------------------------------------------------------- the message alone


def crowd(send: Callable[[], None]) -> tuple[float, float]:
    """Microseconds of processor time a message, and messages a second."""

    def run() -> None:
        for _ in range(EACH):
            send()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    cpu, began = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.process_time() - cpu) / (THREADS * EACH) * 1e6, THREADS * EACH / (time.perf_counter() - began)


def test_messages():
    with RedisServer() as server:
        settings = from_env({"SLIPWAY_SECRET": "sixteen letters or more", "SLIPWAY_BROKER": server.url})
        ours, stock, client = CeleryJobs(settings.broker), Stock(settings.broker), server.client
        ours.process(OPERATION)
        raw = client.lrange(names.PROCESSING, 0, 0)[0]
        ways = {
            "stock send_task": lambda: stock.process(OPERATION),
            "ours": lambda: ours.process(OPERATION),
            "raw LPUSH": lambda: client.lpush(names.PROCESSING, raw),
        }
        rounds = [{name: crowd(send) for name, send in ways.items()} for _ in range(ROUNDS)]
    print(f"\na message, {THREADS} threads, median of {ROUNDS} interleaved rounds")
    for name in ways:
        cpu, rate = (statistics.median(each[name][at] for each in rounds) for at in (0, 1))
        print(f"    {name:<16} {cpu:6.0f} us of processor time, {rate:6.0f} a second")


# ---------------------------------------------------------------- a small upload


@contextmanager
def doors(way: str, env: dict[str, str]) -> Iterator[str]:
    """A door of its own, with what it shares in `env`."""
    (port,) = free_ports(1)
    command = [GUNICORN, "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", f"tests.benchmarks.doors:door('{way}')"]
    process = subprocess.Popen(command, cwd=HERE, env=clean_environment(**env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(url), 60, way)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def uploads(url: str, key: str) -> Result:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a.png"'}
    fed = feed(f"{url}/v1/uploads", SIZE, COUNT, THREADS, headers, "POST")
    assert set(fed.statuses) == {202}, fed.statuses
    return fed


@pytest.mark.timeout(300)
def test_small_uploads(tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(RedisServer(durable=True))
        env = {
            "SLIPWAY_SECRET": "sixteen letters or more",
            "SLIPWAY_REDIS": server.url_of(1),
            "SLIPWAY_BROKER": server.url_of(0),
            "SLIPWAY_STORE": f"file://{tmp_path}",
            "SLIPWAY_V1_REQUESTS_PER_SECOND": "0",
            "SLIPWAY_V1_REQUESTS_PER_HOUR": "0",
            "SLIPWAY_V1_UPLOAD_TTL": "86400",
            "SLIPWAY_FSYNC": os.environ.get("FSYNC", "on"),
        }
        access = build(from_env(env)).access
        access.add_tenant("bench")
        key = access.add_key("bench", "editor")[0]
        urls = {way: stack.enter_context(doors(way, env)) for way in ("nothing", "stock", "ours")}
        for url in urls.values():
            uploads(url, key)
        rounds = [{way: uploads(url, key) for way, url in urls.items()} for _ in range(ROUNDS)]
    print(f"\nPOST of {SIZE // 1000} KB to 202, {THREADS} connections, 2 processes, fsynced, median of {ROUNDS} interleaved rounds")
    for way in urls:
        rates = [COUNT / each[way].seconds for each in rounds]
        ratios = [each["nothing"].seconds / each[way].seconds for each in rounds]
        took = [answer.seconds * 1000 for each in rounds for answer in each[way].answers]
        said = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) of publishing nothing"
        print(
            f"    {way:<8} {statistics.median(rates):5.0f}/s, p50 {quantile(took, 0.5):5.1f} ms, p99 {quantile(took, 0.99):6.1f} ms, {said}"
        )

"""1,000 MB in parallel parts of 8 MiB, on local storage and on S3: how long, and how much memory each process took. `make bench` prints it."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
import requests

from tests.services.seaweed import Seaweed
from tests.services.up import Up, eventually

SIZE = int(os.environ.get("SIZE", "1000000000"))
RAISED = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": str(2 * SIZE)}
ROLES = {"gunicorn": "web", "worker@": "worker", "keeper@": "keeper", "flower": "flower", " beat": "beat", "redis-server": "redis"}


def role(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    return "up" if " up " in line else next((name for mark, name in ROLES.items() if mark in line), "other")


class Memory(threading.Thread):
    """The resident set of every process, before and at its peak, in MB."""

    def __init__(self, up: Up) -> None:
        super().__init__(daemon=True)
        self.processes = {process: role(process) for process in up.everybody()}
        self.before = self.now()
        self.peak = dict(self.before)
        self.done = threading.Event()

    def now(self) -> dict[psutil.Process, float]:
        return {process: process.memory_info().rss / 1e6 for process in self.processes if process.is_running()}

    def run(self) -> None:
        while not self.done.wait(0.05):
            for process, size in self.now().items():
                self.peak[process] = max(self.peak[process], size)

    def table(self) -> str:
        rows = [
            f"    {name:<8}{self.before[p]:7.0f} -> {self.peak[p]:7.0f} MB"
            for p, name in sorted(self.processes.items(), key=lambda i: i[1])
        ]
        return "\n".join(rows)


@contextmanager
def local():
    yield RAISED


@contextmanager
def s3():
    with Seaweed() as server:
        yield {**RAISED, "SLIPWAY_STORE": server.store_url(server.bucket(), "bench"), **server.environment}


def send(up: Up, block: bytes) -> tuple[float, float, float, dict]:
    """Seconds for the parts, for the answer of complete, and from there to completed; the operation."""
    wanted = {"filename": "thousand.bin", "size": SIZE, "parts": True}
    began = requests.post(f"{up.url}/v1/uploads", json=wanted, headers=up.bearer, timeout=60).json()
    local_session = threading.local()

    def put(part) -> int:
        session = local_session.__dict__.setdefault("session", requests.Session())
        return session.put(part["url"], data=block[: part["size"]], timeout=120).status_code

    start = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(put, began["upload"]["parts"])) == {200}
    sent = time.perf_counter()
    assert requests.post(began["upload"]["completeUrl"], headers=up.bearer, timeout=60).status_code == 202
    answered = time.perf_counter()
    found: dict = {}

    def final() -> bool:
        headers = {**up.bearer, "Prefer": "wait=10"}
        found.update(requests.get(f"{up.url}/v1/operations/{began['id']}", headers=headers, timeout=60).json())
        return found["status"] in {"completed", "failed"}

    eventually(final, 140, "the end")
    return sent - start, answered - sent, time.perf_counter() - answered, found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", [local, s3], ids=["local", "s3"])
def test_thousand_megabytes_in_parts(store):
    block = os.urandom(8 * 1024 * 1024)
    with store() as env, Up(**env) as up:
        memory = Memory(up)
        memory.start()
        parts, complete, worked, done = send(up, block)
        memory.done.set()
        assert done["status"] == "completed", done
        asset = requests.get(done["resourceUrl"], headers=up.bearer, timeout=60).json()
        whole = hashlib.sha256()
        for at in range(0, SIZE, len(block)):
            whole.update(block[: min(len(block), SIZE - at)])
        assert asset["digest"] == f"sha256:{whole.hexdigest()}"
        print(f"\n{SIZE / 1e6:.0f} MB in parts of 8 MiB, 4 at a time, {store.__name__}")
        print(
            f"    parts {parts:.1f} s ({SIZE / 1e6 / parts:.0f} MB/s), complete {complete * 1000:.0f} ms, then {worked:.1f} s to completed"
        )
        print(memory.table())

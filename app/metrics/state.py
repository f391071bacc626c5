"""What the house is like at the moment somebody scrapes: asked of Redis, the broker, the store and the disks, by whoever is asked.

All machines share Redis, so each of them exports the same: take `max`, never `sum`, over machines. A scrape waits PATIENCE seconds for what does
not answer, and says `slipway_up 0` then; what it asked goes on being waited for, once, however many scrapes follow.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric

from app.core.errors import Fault
from app.core.ports import Jobs, Pulse, Records, Store
from app.core.refs import Index
from app.metrics.catalogue import BY_WHAT

log = logging.getLogger(__name__)

FRESH = 1.0  # seconds for which what was found is told again
PATIENCE = 3.0  # seconds that a scrape waits; Prometheus' own patience is 10
WORK: Mapping[Index, str] = {
    Index.EXPIRY_UPLOADS: "expire_uploads",
    Index.EXPIRY_ASSETS: "expire_assets",
    Index.EXPIRY_OPERATIONS: "expire_operations",
    Index.QUEUED: "resend",
    Index.LEASE: "take_over",
    Index.EMPTYING: "empty_folders",
    Index.DOOMED: "delete_doomed",
    Index.MANIFEST: "write_manifests",
}
STATES: Mapping[Index, str] = {Index.QUEUED: "queued", Index.LEASE: "started"}
CONSUMERS = ("worker", "keeper", "beat")

Value = tuple[str, tuple[str, ...], float]  # what, values of its labels, number


class Look:
    """One part: what it is like, found by a thread of its own, at most once in FRESH seconds."""

    def __init__(self, part: str, ask: Callable[[], Iterable[Value]], clock: Callable[[], float] = time.monotonic) -> None:
        self.part = part
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._done.set()
        self._found: Sequence[Value] = ()
        self._at = -math.inf

    def begin(self) -> None:
        """Ask, unless somebody does, or just did."""
        with self._lock:
            if self._done.is_set() and self._clock() - self._at >= FRESH:
                self._done.clear()
                threading.Thread(target=self._run, name=f"look-{self.part}", daemon=True).start()

    def found(self, until: float) -> Sequence[Value]:
        """What was found, with `up`; waits until then, by the monotonic clock, for what is being asked."""
        if not self._done.wait(max(0.0, until - time.monotonic())):
            return (("up", (self.part,), 0.0),)
        return self._found

    def _run(self) -> None:
        try:
            self._found = [*self._ask(), ("up", (self.part,), 1.0)]
        except Fault:
            self._found = (("up", (self.part,), 0.0),)
        except Exception:  # a bug of ours must not end all looks that follow
            log.exception("state not found", extra={"part": self.part})
            self._found = (("up", (self.part,), 0.0),)
        self._at = self._clock()
        self._done.set()


@dataclass(frozen=True, slots=True)
class State:
    """All of it. `folders`: names of folders whose disks are watched, each with its path."""

    records: Records
    pulse: Pulse
    jobs: Jobs
    store: Store
    folders: Mapping[str, Path] = field(default_factory=dict)

    def looks(self) -> tuple[Look, ...]:
        """One for each part."""
        return (Look("redis", self._redis), Look("broker", self._broker), Look("store", self._store), Look("disk", self._disks))

    def _redis(self) -> Iterator[Value]:
        self.records.ping()
        now = self.records.now()
        for index, work in WORK.items():
            waiting = self.records.count(index)
            yield "pending", (work,), waiting
            yield "pending_overdue_seconds", (work,), max((now - at for _, at in self.records.due(index, now, 1)), default=0.0)
            if index in STATES:
                yield "operations", (STATES[index],), waiting
        memory = self.records.memory()
        if memory is not None:
            yield "redis_memory_ratio", (), memory
        for consumer in CONSUMERS:
            age = self.pulse.age(consumer)
            if age is not None:
                yield "canary_age_seconds", (consumer,), age

    def _broker(self) -> Iterator[Value]:
        for queue, waiting in self.jobs.backlogs().items():
            yield "queue_messages", (queue,), waiting

    def _store(self) -> Iterator[Value]:
        self.store.ping()
        yield from ()

    def _disks(self) -> Iterator[Value]:
        for name, folder in self.folders.items():
            if folder.is_dir():
                disk = os.statvfs(folder)
                yield "disk_free_bytes", (name,), disk.f_bavail * disk.f_frsize
                yield "disk_size_bytes", (name,), disk.f_blocks * disk.f_frsize


def collected(looks: Sequence[Look]) -> Iterator[Metric]:
    """What all looks found, as the library wants it."""
    for look in looks:
        look.begin()
    until = time.monotonic() + PATIENCE
    made = dict[str, GaugeMetricFamily]()
    for what, labels, number in [value for look in looks for value in look.found(until)]:
        family = BY_WHAT[what]
        made.setdefault(what, GaugeMetricFamily(family.name, family.help, labels=family.labels)).add_metric(labels, number)
    yield from made.values()

"""Every metric that the house exports: its name without the prefix, its labels, its meaning. docs/metrics.md is a table of the same.

Labels take few values each: dialects, kinds and states of operations, codes of refusals, methods and statuses of HTTP. Never a tenant, an id or a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "slipway_"
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)  # seconds
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 150.0, 600.0, 3600.0)


class Type(StrEnum):
    """How a metric is kept. COUNTER, HISTOGRAM and LIVE by each process in its slot; STATE is asked for when somebody scrapes."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    LIVE = "gauge_livesum"
    STATE = "gauge"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `bounds`: the upper ends of a histogram's buckets; `names`: the exported name, and those of its samples."""

    what: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """As it is exported."""
        return f"{PREFIX}{self.what}_total" if self.type is Type.COUNTER else PREFIX + self.what

    @property
    def root(self) -> str:
        """As the library calls it: a counter without its suffix."""
        return PREFIX + self.what


def _counter(what: str, help: str, *labels: str) -> Family:
    return Family(what, Type.COUNTER, help, labels)


def _histogram(what: str, help: str, bounds: tuple[float, ...], *labels: str) -> Family:
    return Family(what, Type.HISTOGRAM, help, labels, bounds)


def _live(what: str, help: str, *labels: str) -> Family:
    return Family(what, Type.LIVE, help, labels)


def _state(what: str, help: str, *labels: str) -> Family:
    return Family(what, Type.STATE, help, labels)


FAMILIES = (
    _counter("operations_promised", "Operations queued for the first time: what a 202 promised.", "dialect", "kind"),
    _counter("operations_settled", "Operations that ended, by how: `code` is the refusal's, or none.", "dialect", "kind", "status", "code"),
    _counter("operations_faulted", "Times that Redis or the store failed an operation, which is then tried again.", "kind"),
    _counter("workers_lost", "Leases taken over from workers that stopped renewing them.", "kind"),
    _counter("messages_resent", "Messages sent again, because nobody picked up the operation."),
    _counter("uploaded_bytes", "Bytes of uploads that were finished, whichever way they came, straight to S3 too.", "dialect"),
    _counter("deleted_bytes", "Bytes at rest that were removed."),
    _counter("received_bytes", "Bytes of request bodies that were taken in, by the way they were read.", "dialect", "tier"),
    _counter("sent_bytes", "Bytes of answers, as announced by their Content-Length.", "dialect"),
    _counter("http_requests", "Requests answered.", "dialect", "method", "status"),
    _counter("refusals", "Requests refused, by the code of the refusal.", "dialect", "code"),
    _counter("faults", "Calls that Redis, the store or the broker failed.", "part"),
    _counter("swept", "What the sweeps dealt with.", "sweep"),
    _counter("sweep_leftovers", "What a sweep could not deal with and left for the next.", "sweep"),
    _histogram("http_request_seconds", "Seconds from a request's head to its answer's.", QUICK, "dialect", "method"),
    _histogram("queue_wait_seconds", "Seconds from queued to claimed by a worker.", QUICK + SLOW[-4:], "kind"),
    _histogram("work_seconds", "Seconds from claimed to the end.", SLOW, "kind", "status"),
    _histogram("stage_seconds", "Seconds of a stage of a worker's work.", QUICK, "stage"),
    _histogram("sweep_seconds", "Seconds of one pass of a sweep.", SLOW, "sweep"),
    _live("http_requests_running", "Requests that hold a thread at the moment."),
    _live("waiters", "Requests that wait for an operation at the moment.", "reason"),
    _state("up", "Whether a part answers: 1, or 0.", "part"),
    _state("operations", "Operations that are queued, or in the hands of a worker.", "state"),
    _state("pending", "What stands in an index, to be dealt with when its time comes.", "work"),
    _state("pending_overdue_seconds", "How long the oldest of it has been due.", "work"),
    _state("canary_age_seconds", "Seconds since a canary, or a message of beat's, was last read.", "consumer"),
    _state("queue_messages", "Messages that wait in a queue of the broker.", "queue"),
    _state("redis_memory_ratio", "How much of its maxmemory the Redis of the records uses, from 0 to 1; nothing where it has none."),
    _state("disk_free_bytes", "Bytes that may still be written to the disk of a folder.", "folder"),
    _state("disk_size_bytes", "Bytes of the disk of a folder.", "folder"),
)
BY_WHAT = {family.what: family for family in FAMILIES}
BY_ROOT = {family.root: family for family in FAMILIES}

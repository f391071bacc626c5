"""The Celery app of `worker`, `keeper`, `beat` and `flower`: its settings, each with its why, and one House a process."""

from __future__ import annotations

import ctypes
import logging
import resource
import signal
from functools import cache
from typing import Any

from celery import Celery, signals
from celery.exceptions import SoftTimeLimitExceeded
from kombu import Queue

from app import logs
from app.core import timing
from app.jobs import names
from app.jobs.broker import TRANSPORT, address
from app.settings import Settings, from_env
from app.wiring import House, build, hold_metrics, serve_metrics

GIB = 1024**3
ADDRESS_SPACE = 2 * GIB  # of a child that decodes: a bomb ends its own decode, not the machine; the decoders need 1.5 GiB at most
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)

# Seconds between two runs. A message expires after that time: a keeper that was away does not find a heap of them.
SCHEDULE = {
    "slipway.requeue_stalled": 5.0,
    "slipway.write_manifests": 10.0,
    "slipway.empty_folders": 10.0,
    "slipway.send_canaries": 30.0,
    "slipway.expire_uploads": 60.0,
    "slipway.delete_doomed": 60.0,
    "slipway.purge_assets": 300.0,
    "slipway.purge_operations": 300.0,
    "slipway.recount": 3600.0,  # once a day, as the next one
    "slipway.sweep_orphans": 3600.0,  # works once a day (see there): a beat that is started anew every hour still gets to it
}


@cache
def settings() -> Settings:
    """The environment of this process."""
    return from_env()


@cache
def house() -> House:
    """The house of this process: each child of the pool builds its own, the parent none."""
    return build(settings(), interrupts=(SoftTimeLimitExceeded,))


def configuration() -> dict[str, Any]:
    """Every setting that differs from Celery's, and why."""
    broker, transport = address(settings().broker, TRANSPORT)
    return {
        "broker_url": broker,
        "broker_transport_options": transport,
        "visibility_timeout": timing.VISIBILITY,  # Celery wants it in both places
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # Redis may be away for longer than any count
        "include": ["workers.tasks", "workers.sweeps"],
        "task_queues": [Queue(name, routing_key=name) for name in names.CONSUMERS],
        "task_default_queue": names.HOUSEKEEPING,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_backend": None,  # the records say how it went; a backend would cost 350 us a message
        "result_expires": None,  # else beat sends a cleaning task of Celery's own
        "task_ignore_result": True,
        # one retry mechanism, the lease's: a message is a hint, and its double dies at queued -> started
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_retry_on_worker_lost": False,
        "task_reject_on_worker_lost": False,
        "worker_deduplicate_successful_tasks": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # else every hiccup of Redis kills decodes
        "worker_prefetch_multiplier": 1,  # a message waits in the queue, where another worker finds it
        "worker_disable_prefetch": True,
        # a decode that takes too long is asked to end, then killed; both before the broker would hand its message out again
        "task_soft_time_limit": timing.SOFT_LIMIT,
        "task_time_limit": timing.HARD_LIMIT,
        # a decoder's leaks go with its child
        "worker_max_tasks_per_child": 1000,
        "worker_max_memory_per_child": 700_000,  # kB, looked at after each task
        "worker_proc_alive_timeout": 30.0,  # a child imports Pillow and boto3 first; on a busy machine that takes more than Celery's 4 s
        "worker_soft_shutdown_timeout": settings().grace,  # the Procfile maps SIGTERM to it; what is under way then goes to another worker
        "worker_enable_soft_shutdown_on_idle": False,  # it is a plain sleep: an idle node would take it too
        # Flower sees what happens
        "task_track_started": True,
        "worker_send_task_events": True,
        "worker_redirect_stdouts": False,  # our logs are JSON already
        "beat_schedule": {name: _entry(name, period) for name, period in SCHEDULE.items()},
        "beat_scheduler": "celery.beat:Scheduler",  # in memory: no file to be stale, broken, locked or lost
        "beat_max_loop_interval": 5.0,
        "timezone": "UTC",
    }


def _entry(name: str, period: float) -> dict[str, Any]:
    return {"task": name, "schedule": period, "options": {"queue": names.HOUSEKEEPING, "expires": period}}


app = Celery("slipway")
app.add_defaults(configuration)  # called when first needed: importing this module reads no environment

_process = ["beat"]  # the name under which this process logs; a worker's node name comes before its logging is set up


@signals.celeryd_init.connect
def _named(sender: str | None = None, **_: Any) -> None:
    _process[0] = str(sender).partition("@")[0]
    _log()  # before Celery warns of anything


@signals.setup_logging.connect
def _log(**_: Any) -> None:
    logs.configure(settings().log_level, _process[0])
    logging.getLogger("celery.worker.strategy").setLevel("WARNING")  # a line for every message received says nothing
    logging.getLogger("celery.app.trace").setLevel("WARNING")
    logging.getLogger("celery.beat").setLevel("WARNING")


@signals.heartbeat_sent.connect
def _turning(**_: Any) -> None:
    """Every two seconds, from the loop that takes messages and only while it has a broker: what a probe can see of it without asking anybody."""
    file = settings().alive
    if file:
        file.touch()


@signals.worker_init.connect
def _count(**_: Any) -> None:
    """Before the first child is forked."""
    hold_metrics(settings())


@signals.worker_ready.connect
def _show(**_: Any) -> None:
    """In the parent of the pool: children come and go."""
    serve_metrics(settings())


@signals.worker_process_init.connect
def _confine(**_: Any) -> None:
    """In each child of the prefork pool, never in a process that serves threads: dies with its parent, and has only so much memory."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE if hard == resource.RLIM_INFINITY else min(ADDRESS_SPACE, hard), hard))
    house()  # before the first message, not with it

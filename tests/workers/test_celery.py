"""What the Celery app is told, and that both sides of the broker call things by the same names."""

import json
import os
import resource
import subprocess
import sys

import pytest

from app.core import timing
from app.jobs import names
from app.jobs.broker import DOOR, TRANSPORT
from tests.house.source import ROOT
from tests.services.up import clean_environment
from workers.celery import SCHEDULE, app

PERIODS = {
    "slipway.requeue_stalled": 5,
    "slipway.write_manifests": 10,
    "slipway.empty_folders": 10,
    "slipway.send_canaries": 30,
    "slipway.expire_uploads": 60,
    "slipway.delete_doomed": 60,
    "slipway.purge_assets": 300,
    "slipway.purge_operations": 300,
    "slipway.recount": 3600,
    "slipway.sweep_orphans": 3600,
}


@pytest.fixture(scope="module")
def conf():
    """The configuration as a process of its own has it, with nothing of ours in its environment but a secret."""
    program = (
        "import json; from workers.celery import app; app.loader.import_default_modules(); c = app.conf;"
        "print(json.dumps({'conf': {k: repr(c[k]) for k in c}, 'tasks': [n for n in app.tasks], 'beat': c.beat_schedule,"
        "'queues': [[q.name, q.routing_key] for q in c.task_queues], 'transport': c.broker_transport_options}, default=str))"
    )
    env = clean_environment(SLIPWAY_SECRET="sixteen letters or more", SLIPWAY_BROKER="redis://nowhere.invalid/0", SLIPWAY_GRACE="7")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_every_name_that_the_app_sends_is_registered(conf):
    assert {names.PROCESS, names.CANARY} <= set(conf["tasks"])


def test_every_name_that_beat_sends_is_registered_and_expires_with_its_period(conf):
    assert {name: entry["schedule"] for name, entry in conf["beat"].items()} == PERIODS == SCHEDULE
    assert {entry["task"] for entry in conf["beat"].values()} <= set(conf["tasks"])
    assert all(entry["options"] == {"queue": names.HOUSEKEEPING, "expires": entry["schedule"]} for entry in conf["beat"].values())


def test_every_queue_is_consumed_by_a_line_of_the_procfile(conf):
    procfile = (ROOT / "Procfile").read_text()
    assert conf["queues"] == [[name, name] for name in names.CONSUMERS]
    for queue, consumer in names.CONSUMERS.items():
        (line,) = (line for line in procfile.splitlines() if line.startswith(f"{consumer}:"))
        assert f"--queues {queue} " in line
        assert f"--hostname {consumer}@" in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("task_acks_late", "True"),
        ("task_reject_on_worker_lost", "False"),
        ("task_retry_on_worker_lost", "False"),
        ("worker_cancel_long_running_tasks_on_connection_loss", "False"),
        ("worker_prefetch_multiplier", "1"),
        ("worker_soft_shutdown_timeout", "7.0"),
        ("worker_enable_soft_shutdown_on_idle", "False"),
        ("result_backend", "None"),
        ("accept_content", "['json']"),
        ("broker_connection_max_retries", "None"),
        ("visibility_timeout", str(timing.VISIBILITY)),
        ("worker_send_task_events", "True"),
    ],
)
def test_a_setting_stands(conf, setting, value):
    assert conf["conf"][setting] == value


def test_limits_are_in_the_order_that_the_lease_relies_on():
    assert timing.SOFT_LIMIT < timing.HARD_LIMIT < timing.VISIBILITY
    assert timing.HARD_LIMIT < timing.GRACE
    assert TRANSPORT["visibility_timeout"] == timing.VISIBILITY
    assert 0 < DOOR["socket_timeout"] <= 5
    assert DOOR["max_retries"] == 0


def test_a_child_of_the_pool_is_confined_and_the_parent_is_not():
    """In a process of its own: the limit cannot be taken back."""
    program = (
        "import resource; from workers import celery as c; c.house = lambda: None; c._confine();"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0]);"
        "\ntry: bytearray(3 * 1024**3)\nexcept MemoryError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(2 * 1024**3), "refused"]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 2 * 1024**3
    assert app.main == "slipway"


def test_a_probe_sees_that_the_loop_turns(tmp_path):
    program = "from celery.signals import heartbeat_sent; import workers.celery; heartbeat_sent.send(sender=None)"
    env = clean_environment(SLIPWAY_SECRET="sixteen letters or more", SLIPWAY_ALIVE=str(tmp_path / "alive"))
    assert ran_healthy(env) == 1
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, check=True)
    assert ran_healthy(env) == 0
    os.utime(tmp_path / "alive", (0, 0))
    assert ran_healthy(env) == 1


def ran_healthy(env):
    return subprocess.run([ROOT / "deploy/healthy", "worker"], env=env, stderr=subprocess.DEVNULL, check=False).returncode

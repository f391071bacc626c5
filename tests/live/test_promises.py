"""What a 202 promised is kept, and no longer than it was promised: deadlines by a clock that is moved, parts of the house that go away."""

import signal

import psutil
import pytest
import requests

from app.records import keys
from tests.live.conftest import CLOCK, records_of
from tests.services.pictures import gif_bomb, photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

SLOW = {"frames": 6000, "width": 1500, "height": 1500}  # seconds of decoding in a small file


@pytest.fixture(scope="module")
def up():
    """One whose clock moves, and which takes images that are slow to judge."""
    with Up(SLIPWAY_V1_MAX_PIXELS=str(10**12), SLIPWAY_CLOCK_KEY=CLOCK) as up:
        yield up


def send(up, content, name="photo.jpg"):
    answer = requests.post(f"{up.url}/v1/uploads", files={"file": (name, content)}, headers=up.bearer, timeout=60)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def look(up, location):
    return requests.get(location, headers=up.bearer, timeout=30).json()


def status(up, location):
    return look(up, location)["status"]


def completed(up, location, seconds=30.0):
    eventually(lambda: status(up, location) in {"completed", "failed", "cancelled"}, seconds, f"the end of {location}")
    assert status(up, location) == "completed", look(up, location)
    return look(up, location)


def content(up, operation):
    return requests.get(operation["resourceUrl"] + "/content", headers=up.bearer, timeout=30).content


def test_the_records_killed_while_work_is_queued(up):
    location = send(up, photo(seed=2))
    before = up.kill("redis")
    eventually(lambda: (now := up.leader("redis")) and now.pid != before, what="a new Redis")
    eventually(lambda: requests.get(f"{up.url}/readyz?for=door", timeout=10).ok, what="the door")
    records_of(up).incrbyfloat(CLOCK, 60)
    completed(up, location, 90)  # celery waits longer from one try to connect to the next


def test_a_cancel_while_started(up):
    location = send(up, gif_bomb(**SLOW), "slow.gif")
    eventually(lambda: status(up, location) == "started", what="the start of the work")
    assert requests.delete(location, headers=up.bearer, timeout=30).json()["status"] == "cancelled"
    assert requests.delete(location, headers=up.bearer, timeout=30).status_code == 409
    upload = look(up, location)["uploadId"]
    assert not (up.data / "store/staging/demo" / upload).exists()
    completed(up, send(up, photo(seed=5)), 60)
    assert status(up, location) == "cancelled"


def test_the_deadline_of_an_upload_and_of_an_asset(up):
    kept, unkept = (completed(up, send(up, photo(seed=n)))["resourceUrl"] for n in (6, 7))
    assert requests.patch(kept, json={"keep": True}, headers=up.bearer, timeout=30).status_code == 200
    announced = requests.post(f"{up.url}/v1/uploads", json={"filename": "late.jpg"}, headers=up.bearer, timeout=30).json()
    records_of(up).incrbyfloat(CLOCK, 601)
    late = requests.put(announced["upload"]["uploadUrl"], data=photo(), timeout=30)
    assert late.status_code == 403, late.text  # the URL is no longer than the upload
    sweep(up, "slipway.expire_uploads")
    eventually(lambda: status(up, f"{up.url}/v1/operations/{announced['id']}") == "failed", what="the expiry")
    assert look(up, f"{up.url}/v1/operations/{announced['id']}")["problem"]["code"] == "upload_expired"
    assert requests.get(announced["upload"]["url"], headers=up.bearer, timeout=30).status_code == 410
    records_of(up).incrbyfloat(CLOCK, 86400)
    assert requests.get(unkept, headers=up.bearer, timeout=30).status_code == 410
    assert requests.get(kept, headers=up.bearer, timeout=30).status_code == 200
    sweep(up, "slipway.purge_assets")
    deadline = f"as:demo:{unkept.rpartition('/')[2]}"
    eventually(lambda: records_of(up).zscore("ix:expiry:as", deadline) is None, what="the purge")
    blob = up.data / "store/blobs/demo"
    before = len(list(blob.iterdir()))
    records_of(up).incrbyfloat(CLOCK, 3600)
    eventually(lambda: records_of(up).zcard("ix:manifest") == 0, what="the manifests")
    sweep(up, "slipway.delete_doomed")
    eventually(lambda: len(list(blob.iterdir())) < before, what="the bytes' end")
    assert requests.get(kept + "/content", headers=up.bearer, timeout=30).content == photo(seed=6)


def sweep(up, name):
    """Beat's message, now."""
    from celery import Celery

    app = Celery(broker=f"redis+socket://{up.data / 'redis.sock'}", set_as_current=False)
    app.send_task(name, queue="housekeeping", exchange="", ignore_result=True)


def test_a_part_of_the_house_that_is_down_is_named(up):
    leader = up.leader("keeper")
    for process in [leader, *leader.children(recursive=True)]:
        process.send_signal(signal.SIGSTOP)
    try:
        records_of(up).delete(keys.pulse("keeper"))  # its last sign of life, so that no test waits until it is old

        def keeper_down():
            answer = requests.get(f"{up.url}/readyz?canary=1", timeout=10)
            parts = answer.json()["parts"]
            return answer.status_code == 503 and not parts["keeper"]["ok"] and parts["redis"]["ok"] and parts["store"]["ok"]

        eventually(keeper_down, what="the keeper's name")
        assert requests.get(f"{up.url}/readyz?for=door", timeout=10).status_code == 200
    finally:
        for process in [leader, *leader.children(recursive=True)]:
            process.send_signal(signal.SIGCONT)
    eventually(lambda: requests.get(f"{up.url}/readyz?canary=1", timeout=10).ok, what="readiness")


def test_no_process_was_left_by_all_this(up):
    named = [up.leader(name) for name in ("web", "worker", "keeper", "beat", "flower", "redis")]
    assert all(named), up.said
    assert all(process.status() != psutil.STATUS_ZOMBIE for process in up.everybody()), up.everybody()

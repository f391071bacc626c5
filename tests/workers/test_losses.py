"""Real processes, and everything that gets lost between them."""

import pytest
import redis
import requests
from kombu import Connection

from app.core.refs import Kind, Ref
from app.jobs import CeleryJobs, names
from app.settings import embedded_socket, from_env
from tests.services.pictures import gif_bomb, photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live
SHIFT = "test:shift"


@pytest.fixture(scope="module")
def house():
    with Up(SLIPWAY_V1_MAX_PIXELS=str(10**12), SLIPWAY_CLOCK_KEY=SHIFT) as up:
        yield up


def raw(up, db):
    return redis.Redis(unix_socket_path=str(embedded_socket(up.data)), db=db, decode_responses=True)


def slow(frames=1800):
    """Some seconds of decoding in a few bytes."""
    return gif_bomb(frames, width=1500, height=1500)


def upload(up, content, name="a.jpg"):
    answer = requests.post(f"{up.url}/v1/uploads", files={"file": (name, content)}, headers=up.bearer, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def status(up, location):
    return requests.get(location, headers=up.bearer, timeout=30).json()["status"]


def attempts(up, location):
    return raw(up, 1).hget(f"op:demo:{location.rpartition('/')[2]}", "attempt")


def reaches(up, location, wanted, seconds=30.0):
    eventually(lambda: status(up, location) == wanted, seconds, f"{wanted}, and not {status(up, location)}")


def test_a_worker_killed_in_the_middle_is_replaced_within_30_seconds(house):
    location = upload(house, slow(frames=1000), "slow.gif")
    reaches(house, location, "started")
    house.kill("worker")
    reaches(house, location, "completed", 30)
    assert attempts(house, location) == "2"


def test_a_child_killed_in_the_middle_is_replaced_too(house):
    location = upload(house, slow(), "slow.gif")
    reaches(house, location, "started")
    for child in house.leader("worker").children():
        child.kill()
    reaches(house, location, "completed", 40)


def test_a_broker_that_lost_its_messages_is_made_up_for(house):
    broker, stopped = raw(house, 0), [house.leader("worker"), *house.leader("worker").children()]
    for process in stopped:
        process.suspend()
    for client in broker.client_list():
        if client["cmd"] == "brpop":  # Redis would still hand the message to the one that is stopped
            broker.client_kill_filter(_id=client["id"])
    location = upload(house, photo(seed=3))
    eventually(lambda: broker.llen(names.PROCESSING) == 1, what="the message")
    broker.flushdb()
    for process in stopped:
        process.resume()
    raw(house, 1).set(SHIFT, 60)  # past the 45 seconds after which it is sent again
    reaches(house, location, "completed")


def test_a_doubled_message_is_worked_on_once(house):
    jobs = CeleryJobs(from_env({"SLIPWAY_DATA": str(house.data)}).broker)
    location = upload(house, slow(), "slow.gif")
    ref = Ref(Kind.OPERATION, "demo", location.rpartition("/")[2])
    for _ in range(5):
        jobs.process(ref)
    reaches(house, location, "completed")
    jobs.process(ref)
    eventually(lambda: jobs.backlog() == 0, what="an empty queue")
    assert attempts(house, location) == "1"


def test_a_cancel_while_started_stands(house):
    location = upload(house, slow(frames=6000), "slow.gif")
    reaches(house, location, "started")
    assert requests.delete(location, headers=house.bearer, timeout=10).status_code in {200, 202, 204}
    assert status(house, location) == "cancelled"
    its = f'"operation": "{location.rpartition("/")[2]}"'
    eventually(lambda: any("no longer ours" in line and its in line for line in house.lines), 40, "the end of the work")
    assert status(house, location) == "cancelled"


def test_a_message_that_nobody_can_read_does_not_stop_the_queue(house):
    with Connection(from_env({"SLIPWAY_DATA": str(house.data)}).broker) as connection:
        producer = connection.Producer()
        producer.publish({"nonsense": True}, routing_key=names.PROCESSING)
        producer.publish("not json {", routing_key=names.PROCESSING, content_type="application/x-unknown", content_encoding="utf-8")
    location = upload(house, photo(seed=4))
    reaches(house, location, "completed")

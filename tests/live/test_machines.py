"""Two machines, each a network namespace with all its processes, behind nginx, over one Redis and one S3: they behave as one.

Under load every process of both is replaced, one after the other, then each machine as a whole, as in an upgrade; then one is cut off.
Nothing that was promised is lost.
"""

import contextlib
import threading
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from tests.services.namespaces import Machines
from tests.services.nginx import MISSING, NGINX, Nginx
from tests.services.pictures import photo
from tests.services.redis_server import RedisServer
from tests.services.seaweed import Seaweed, free_ports
from tests.services.up import Up, eventually

pytestmark = [pytest.mark.live, pytest.mark.skipif(NGINX is None, reason=MISSING)]
AWAY = {502, 503, 504}  # what a client is told to come again for


class Town:
    """Both machines, and the one door before them."""

    def __init__(self, machines, ups, front) -> None:
        self.machines, self.ups, self.url = machines, ups, front.url
        self.bearer = ups[0].bearer

    def ask(self, method: str, path: str, **sent):
        """The answer, as soon as somebody answers; a connection that breaks is a request that is made again."""
        answers: list[requests.Response] = []

        def answered() -> bool:
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                answers.append(requests.request(method, self.url + path, **{"headers": self.bearer, "timeout": 20, **sent}))
            return bool(answers) and answers[-1].status_code not in AWAY

        eventually(answered, 90, f"an answer to {method} {path}: {[a.status_code for a in answers]}")
        return answers[-1]


@pytest.fixture(scope="module")
def town():
    with contextlib.ExitStack() as stack:
        machines = stack.enter_context(Machines(2))
        redis_port, front_port = free_ports(2)
        seaweed = stack.enter_context(Seaweed(machines.here))
        stack.enter_context(RedisServer(listen=(machines.here, redis_port)))
        shared = {
            "SLIPWAY_REDIS": f"redis://{machines.here}:{redis_port}/1",
            "SLIPWAY_BROKER": f"redis://{machines.here}:{redis_port}/0",
            "SLIPWAY_STORE": seaweed.store_url(seaweed.bucket(), "town"),
            "SLIPWAY_SECRET": "the same on every machine",
            "SLIPWAY_TRUSTED_PROXIES": "1",
            **seaweed.environment,
        }
        ups = [Up(host=host, port=8080, within=machines.within(number), **shared) for number, host in enumerate(machines.hosts)]
        for up in ups:
            stack.callback(up.close)
        with_starts = [threading.Thread(target=up.start) for up in ups]
        for thread in with_starts:
            thread.start()
        for thread in with_starts:
            thread.join()
        front = stack.enter_context(Nginx([urlsplit(up.url).netloc for up in ups], front_port))
        yield Town(machines, ups, front)


class Client(threading.Thread):
    """Uploads a picture after the other until it is told to stop, and sees to the end of each. `done`: the operations that it was promised."""

    def __init__(self, town: Town, seed: int) -> None:
        super().__init__(daemon=True)
        self.town, self.content = town, photo(seed=seed)
        self.enough, self.done, self.trouble = threading.Event(), [], []

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                self.done.append(self.one())
            except BaseException as trouble:  # noqa: BLE001 - whatever it is, the test is told
                self.trouble.append(trouble)
                return

    def one(self) -> str:
        headers = {**self.town.bearer, "Idempotency-Key": uuid4().hex}
        while (sent := self.town.ask("POST", "/v1/uploads?filename=cat.jpg", data=self.content, headers=headers)).status_code == 409:
            self.enough.wait(0.5)  # the door that had it first went in the middle: its mark ends by itself
        assert sent.status_code == 202, sent.text
        path = urlsplit(sent.headers["Location"]).path
        eventually(lambda: self.town.ask("GET", path).json()["status"] == "completed", 90, f"the end of {path}")
        return path


@pytest.fixture
def load(town):
    clients = [Client(town, seed) for seed in (1, 2)]
    for client in clients:
        client.start()
    yield clients
    for client in clients:
        client.enough.set()
    for client in clients:
        client.join(120)
        assert (client.trouble, client.is_alive()) == ([], False)
        for path in client.done:
            operation = town.ask("GET", path).json()
            assert operation["status"] == "completed", operation
            content = town.ask("GET", urlsplit(operation["resourceUrl"]).path + "/content").content
            assert content == client.content


def served(clients, more: int = 2) -> None:
    """Every client got that many more promises kept."""
    before = [len(client.done) for client in clients]

    def all_got() -> bool:
        troubles = [trouble for client in clients for trouble in client.trouble]
        assert not troubles, troubles
        return all(len(client.done) >= count + more for client, count in zip(clients, before, strict=True))

    eventually(all_got, 120, "clients that are served")


def test_every_process_is_replaced_under_load(town, load):
    served(load)
    for up in town.ups:
        for name in ("web", "worker", "keeper", "beat", "flower"):
            old = up.leader(name)
            old.terminate()
            eventually(lambda up=up, name=name, old=old: (new := up.leader(name)) and new.pid != old.pid, 40, f"another {name}")
        served(load)


def test_each_machine_is_replaced_under_load(town, load):
    for up in town.ups:
        served(load, 1)
        up.stop()
        served(load, 1)
        up.start()
    served(load, 1)


def test_a_machine_that_is_cut_off_is_done_without_and_comes_back(town, load):
    served(load, 1)
    town.machines.unplug(0)
    try:
        served(load, 1)
    finally:
        town.machines.plug(0)
    eventually(lambda: requests.get(f"{town.ups[0].url}/readyz?for=door", timeout=10).ok, 60, "the machine that was cut off")
    served(load, 1)


def test_what_was_begun_at_one_machine_goes_on_at_the_other(town):
    content = photo(800, 600, seed=5)
    announced = requests.post(
        f"{town.ups[0].url}/v1/uploads", json={"filename": "a.jpg", "size": len(content)}, headers=town.bearer, timeout=20
    )
    path = urlsplit(announced.json()["upload"]["uploadUrl"])
    half = len(content) // 2
    for up, first, last in ((town.ups[0], 0, half), (town.ups[1], half, len(content))):
        headers = {"Content-Range": f"bytes {first}-{last - 1}/{len(content)}"}
        sent = requests.put(f"{up.url}{path.path}?{path.query}", data=content[first:last], headers=headers, timeout=20)
        assert sent.status_code in {202, 204}, sent.text
    done = town.ask("GET", f"/v1/operations/{announced.json()['id']}", headers={**town.bearer, "Prefer": "wait=20"}, timeout=40).json()
    assert done["status"] == "completed", done
    assert town.ask("GET", urlsplit(done["resourceUrl"]).path + "/content").content == content

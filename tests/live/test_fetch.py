"""A remote file through real processes: a worker fetches it from where it may, and from nowhere else."""

from contextlib import closing

import pytest
import requests

from tests.fetching.servers import END, Server, always, by_path, chunked, moved, ok, silent
from tests.services.pictures import photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

OPEN, CLOSED = "127.0.0.2", "127.0.0.1"  # the one that is allowed stands for the world, the other for what is ours


@pytest.fixture(scope="module")
def up():
    with Up(SLIPWAY_FETCH_ALLOW=f"{OPEN}/32") as up:
        yield up


@pytest.fixture
def serve():
    servers = []

    def serve(answer, address=OPEN):
        servers.append(Server(answer if callable(answer) else always(answer), address))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


class Asset:
    """An asset of the Contentful door whose file a worker is asked to fetch from `url`."""

    def __init__(self, up, url):
        master = f"{up.url}/contentful/spaces/demo/environments/master"
        file = {"contentType": "image/jpeg", "fileName": "photo.jpg", "upload": url}
        made = requests.post(f"{master}/assets", json={"fields": {"file": {"en-US": file}}}, headers=up.bearer, timeout=30)
        assert made.status_code == 201, made.text
        self.headers = up.bearer
        self.where = f"{master}/assets/{made.json()['sys']['id']}"
        begun = requests.put(f"{self.where}/files/en-US/process", headers={**up.bearer, "Prefer": "respond-async"}, timeout=30)
        assert begun.status_code == 202, begun.text
        self.monitor = begun.headers["Location"]

    def look(self):
        return requests.get(self.monitor, headers=self.headers, timeout=30)

    def end(self, seconds=40.0):
        """The last answer of its monitor."""
        eventually(lambda: self.look().status_code != 202, seconds, f"the end of {self.monitor}")
        return self.look()

    def content(self, seconds=40.0):
        """The bytes that became of it."""
        assert self.end(seconds).status_code < 300, self.look().text
        file = requests.get(self.where, headers=self.headers, timeout=30).json()["fields"]["file"]["en-US"]
        assert "upload" not in file
        return requests.get(f"http:{file['url']}", timeout=30).content

    def refusal(self):
        """Why nothing became of it: the status and the kind of error of the vendor, and our sentence."""
        answer = self.end()
        file = requests.get(self.where, headers=self.headers, timeout=30).json()["fields"]["file"]["en-US"]
        assert "url" not in file
        error = answer.json()
        said = error.get("details", {}).get("errors", [{"details": error.get("message")}])
        return answer.status_code, error["sys"]["id"], said[0]["details"]


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_worker_fetches_what_lies_elsewhere(up, serve, framing):
    file = photo()
    whole = ok(file) if framing == "length" else ok(chunked(file, 1000), "Transfer-Encoding: chunked", framed=False)
    server = serve(by_path(here=moved("/there"), there=whole))
    assert Asset(up, server.url("/here")).content() == file
    assert server.connections == 2


def test_our_own_processes_are_out_of_reach(up, serve):
    """By address, by name, by redirect: the door itself, and whatever listens beside it."""
    secret, port = serve(ok(photo()), CLOSED), up.url.rpartition(":")[2]
    urls = [
        secret.url(),
        secret.url(host="localhost"),
        f"http://[::ffff:127.0.0.1]:{secret.port}/",
        f"{up.url}/healthz",
        up.flower,
        serve(moved(secret.url())).url(),
        serve(moved(f"http://localhost:{port}/healthz")).url(),
        "http://169.254.169.254/latest/meta-data/",
    ]
    refusals = [Asset(up, url) for url in urls]
    assert {asset.refusal() for asset in refusals} == {
        (422, "ValidationFailed", "The address may not be fetched: its address is not public")
    }
    assert secret.connections == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0" + END, "the answer has status 404"),
        (ok(b"packed", "Content-Encoding: gzip"), "the answer is encoded, though that was not asked for"),
        (ok(photo())[:-1], "it broke off"),
        (silent(ok(photo())[:-1]), "it is too slow"),
    ],
    ids=["not there", "encoded", "cut", "silent"],
)
def test_what_does_not_come_is_told(up, serve, answer, reason):
    assert Asset(up, serve(answer).url()).refusal() == (422, "ValidationFailed", f"The file could not be fetched: {reason}")


def test_what_is_too_large_is_not_begun(up, serve):
    server = serve(silent(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000001" + END))
    assert Asset(up, server.url()).refusal() == (422, "ValidationFailed", "The file is larger than the limit of 1000000000 bytes.")


def test_a_worker_that_dies_while_it_fetches_is_replaced(up):
    file, first = photo(seed=3), []

    def answer(wire, head, ended):
        """Half of it the first time, and all of it the next."""
        first.append(head)
        return silent(ok(file)[: len(file) // 2])(wire, head, ended) if len(first) == 1 else ok(file)

    with closing(Server(answer, OPEN)) as server:
        asset = Asset(up, server.url())
        eventually(lambda: first, what="the first request")
        before = up.kill("worker")
        eventually(lambda: (now := up.leader("worker")) and now.pid != before, what="a new worker")
        assert asset.content(90) == file
    assert len(first) == 2

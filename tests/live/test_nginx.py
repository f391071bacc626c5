"""nginx with the files of deploy/ in front: of a real `slipway up`, and of upstreams that misbehave."""

import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
from urllib.parse import urlsplit

import pytest
import requests
import trustme

from tests.services.nginx import MISSING, NGINX, Nginx
from tests.services.pictures import photo
from tests.services.seaweed import free_ports
from tests.services.up import Up, eventually

pytestmark = [pytest.mark.live, pytest.mark.skipif(NGINX is None, reason=MISSING)]
MB = 1_000_000
PROBLEM = "application/problem+json"
LIES = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "666",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=gopher",
}
ANY_FILE = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": str(300 * MB)}


@pytest.fixture(scope="module")
def house():
    """Few threads, so that one that is held is missed."""
    env = {
        "SLIPWAY_TRUSTED_PROXIES": "1",
        "SLIPWAY_ACCEL": "/_store",
        "SLIPWAY_WEB_THREADS": "4",
        "WEB_CONCURRENCY": "1",
        "SLIPWAY_GRACE": "20",
    }
    with Up(**env, **ANY_FILE) as up:
        yield up


@pytest.fixture(scope="module")
def front(house):
    with Nginx([urlsplit(house.url).netloc], *free_ports(1), store=house.data / "store") as nginx:
        yield nginx


@pytest.fixture(scope="module")
def film(house, front):
    """200 MB that went through nginx, and where they are."""
    content = os.urandom(MB) * 200
    return content, sent(house, front, content)


def sent(house, front, content):
    """Where the bytes of an asset are that was uploaded through nginx."""
    headers = house.bearer | {"Content-Type": "application/octet-stream", **LIES}
    answer = requests.post(f"{front.url}/v1/uploads", data=content, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].startswith(f"{front.url}/v1/operations/")
    operation = {}
    eventually(lambda: operation.update(polled(house, answer.headers["Location"])) or operation["status"] == "completed", 60, "the asset")
    return requests.get(operation["resourceUrl"], headers=house.bearer, timeout=10).json()["contentUrl"]


def polled(house, location):
    return requests.get(location, headers=house.bearer | {"Prefer": "wait=5"}, timeout=30).json()


def opened(front, *lines, body=b""):
    """A connection on which a request was begun."""
    connection = socket.create_connection(("127.0.0.1", front.port), timeout=30)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def answered(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response


def staged(house):
    """How many bytes wait in the store."""
    return sum(file.stat().st_size for file in (house.data / "store/staging").rglob("*") if file.is_file())


def bearer(house):
    return f"Authorization: {house.bearer['Authorization']}"


# ---------------------------------------------------------------- in


def test_bytes_reach_the_store_while_the_client_is_still_sending(house, front):
    head = ("POST /v1/uploads HTTP/1.1", "Host: x.example", bearer(house), "Content-Type: image/jpeg", "Content-Length: 2000000")
    before = staged(house)
    with opened(front, *head, body=bytes(MB)) as connection:
        eventually(lambda: staged(house) - before >= MB, 10, "the first half in the store")
        connection.sendall(bytes(MB))
        assert answered(connection).status == 202


def test_two_hundred_megabytes_there_and_back(house, film):
    content, where = film
    got = requests.get(where, headers=house.bearer, timeout=60)
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()


def test_a_refusal_before_the_end_of_the_body_can_be_read(house, front):
    head = ("POST /v1/uploads HTTP/1.1", "Host: x.example", bearer(house), "Content-Type: image/jpeg", "Content-Length: 400000000")
    with opened(front, *head, body=bytes(MB)) as connection:
        response = answered(connection)
        assert (response.status, response.headers["Content-Type"], json.load(response)["code"]) == (413, PROBLEM, "too_large")


def test_what_is_announced_with_expect_is_taken(house, front):
    head = ("POST /v1/uploads HTTP/1.1", "Host: x.example", bearer(house), "Content-Length: 10", "Expect: 100-continue")
    with opened(front, *head) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(bytes(10))
        assert answered(connection).status == 202


def test_signed_urls_lead_through_nginx(house, front):
    content = photo()
    wanted = {"filename": "a.jpg", "size": len(content), "parts": True}
    up = requests.post(f"{front.url}/v1/uploads", json=wanted, headers=house.bearer | LIES, timeout=10).json()["upload"]
    assert all(part["url"].startswith(front.url) for part in up["parts"])
    for part in up["parts"]:
        piece = content[part["offset"] : part["offset"] + part["size"]]
        assert requests.put(part["url"], data=piece, timeout=10).status_code == 200
    assert requests.post(up["completeUrl"], headers=house.bearer, timeout=10).status_code == 202


def test_chunks_pass_as_chunks(house, front):
    answer = requests.post(f"{front.url}/v1/uploads", data=iter([b"a" * 70_000, b"b"]), headers=house.bearer, timeout=10)
    assert answer.status_code == 202


# ---------------------------------------------------------------- out


@pytest.mark.parametrize(
    ("headers", "status", "first", "last"),
    [
        ({}, 200, 0, 200 * MB),
        ({"Range": "bytes=5-9"}, 206, 5, 10),
        ({"Range": "bytes=-4"}, 206, 200 * MB - 4, 200 * MB),
        ({"Range": "bytes=199999990-"}, 206, 200 * MB - 10, 200 * MB),
        ({"Range": "bytes=0-1", "If-Range": "{etag}"}, 206, 0, 2),
        ({"Range": "bytes=0-1", "If-Range": '"another"'}, 200, 0, 200 * MB),
        ({"Range": "bytes=0-1,5-6"}, 200, 0, 200 * MB),
        ({"Range": "bytes=x"}, 200, 0, 200 * MB),
        ({"Range": "bytes=0-99999999999999999999"}, 206, 0, 200 * MB),
        ({"Range": "bytes=200000000-"}, 416, 0, 0),
        ({"If-None-Match": "{etag}"}, 304, 0, 0),
        ({"If-None-Match": "*"}, 304, 0, 0),
        ({"If-None-Match": '"another"', "If-Modified-Since": "Sat, 29 Oct 2044 19:43:31 GMT"}, 200, 0, 200 * MB),
        ({"If-Modified-Since": "Sat, 29 Oct 2044 19:43:31 GMT"}, 200, 0, 200 * MB),
        ({"If-Match": "{etag}"}, 200, 0, 200 * MB),
    ],
)
def test_ranges_and_conditions(house, film, headers, status, first, last):
    content, where = film
    etag = requests.head(where, headers=house.bearer, timeout=10).headers["ETag"]
    asked = {name: value.format(etag=etag) for name, value in headers.items()}
    got = requests.get(where, headers=house.bearer | asked, timeout=60, stream=True)
    assert got.status_code == status
    if status in {200, 206}:
        assert got.headers["Content-Length"] == str(last - first)
        assert got.headers["ETag"] == etag
        assert got.headers.get("Content-Range") == (f"bytes {first}-{last - 1}/{len(content)}" if status == 206 else None)
        assert got.raw.read(1000) == content[first : min(last, first + 1000)]
    got.close()


def test_every_header_of_ours_is_there(house, film):
    _, where = film
    direct = requests.get(house.url + urlsplit(where).path, headers=house.bearer, timeout=10)
    through = requests.get(where, headers=house.bearer, timeout=60, stream=True)
    through.close()
    changed = {"X-Accel-Redirect", "Content-Length", "Server", "Date", "Connection", "RateLimit"}
    assert direct.headers["X-Accel-Redirect"].startswith("/_store/blobs/demo/")
    assert through.headers["Accept-Ranges"] == "bytes"
    changed |= {"Accept-Ranges"}
    assert {n: v for n, v in direct.headers.items() if n not in changed} == {n: v for n, v in through.headers.items() if n not in changed}
    assert "RateLimit" in through.headers
    assert "X-Accel-Redirect" not in through.headers


@pytest.mark.parametrize(
    "path",
    [
        "/_store/{key}",
        "/_store/blobs/../{key}",
        "/_store/blobs/%2e%2e/{key}",
        "/_store/staging/",
        "/_store/",
        "//_store//{key}",
        "/%5fstore/{key}",
        "/metrics",
        "//metrics",
    ],
)
def test_what_is_inside_has_no_way_in(house, front, film, path):
    direct = requests.get(house.url + urlsplit(film[1]).path, headers=house.bearer, timeout=10)
    asked = path.format(key=direct.headers["X-Accel-Redirect"].removeprefix("/_store/"))
    with opened(
        front, f"GET {asked} HTTP/1.1", "Host: x.example", "X-Accel-Redirect: /_store/x", bearer(house), "Connection: close"
    ) as connection:
        assert answered(connection).status == 404


@pytest.mark.parametrize("condition", ["X-None: 1", "If-Match: *"])
def test_clients_that_do_not_read_hold_no_thread(house, front, condition):
    """More of them than threads; with the second header it is gunicorn that sends the bytes."""
    path = urlsplit(sent(house, front, bytes(20 * MB))).path
    slow = [opened(front, f"GET {path} HTTP/1.1", "Host: x.example", bearer(house), condition) for _ in range(6)]
    try:
        assert all(connection.recv(15) == b"HTTP/1.1 200 OK" for connection in slow)
        assert requests.get(f"{front.url}/v1/uploads/none", headers=house.bearer, timeout=20).status_code == 404
    finally:
        for connection in slow:
            connection.close()


def test_a_long_poll_waits(house, front):
    made = requests.post(f"{front.url}/v1/uploads", json={"filename": "a.jpg", "size": 9, "parts": True}, headers=house.bearer, timeout=10)
    got = requests.get(made.headers["Location"], headers=house.bearer | {"Prefer": "wait=2"}, timeout=30)
    assert (got.json()["status"], got.headers["Preference-Applied"]) == ("acknowledged", "wait=2")


def test_behind_tls_every_url_is_https(house, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("uploads.example.org")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "chain")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Nginx(
        [urlsplit(house.url).netloc], *free_ports(1), store=house.data / "store", certificate=(tmp_path / "chain", tmp_path / "key")
    ) as nginx:
        plain = socket.create_connection(("127.0.0.1", nginx.port), timeout=10)
        with context.wrap_socket(plain, server_hostname="uploads.example.org") as connection:
            head = f"POST /v1/uploads HTTP/1.1\r\nHost: uploads.example.org\r\n{bearer(house)}\r\nContent-Length: 3\r\n\r\nabc"
            connection.sendall(head.encode())
            assert answered(connection).headers["Location"].startswith("https://uploads.example.org/v1/operations/")
        stranger = socket.create_connection(("127.0.0.1", nginx.port), timeout=10)
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(stranger, server_hostname="another.example.org")


def test_a_door_that_is_asked_to_go_finishes_what_it_began(house, front):
    """SIGTERM to gunicorn in the middle of an upload; a long poll ends at once, what comes later finds the next one."""
    made = requests.post(f"{front.url}/v1/uploads", json={"filename": "a.jpg", "size": 9, "parts": True}, headers=house.bearer, timeout=10)
    poll = urlsplit(made.headers["Location"]).path
    head = ("POST /v1/uploads HTTP/1.1", "Host: x.example", bearer(house), "Content-Type: image/jpeg", "Content-Length: 200000")
    before = staged(house)
    with (
        opened(front, *head, body=bytes(100_000)) as uploading,
        opened(front, f"GET {poll} HTTP/1.1", "Host: x.example", bearer(house), "Prefer: wait=25") as polling,
    ):
        eventually(lambda: staged(house) - before >= 100_000, 10, "the first half in the store")
        leader = house.leader("web")
        leader.terminate()
        assert answered(polling).status == 200
        uploading.sendall(bytes(100_000))
        assert answered(uploading).status == 202
        leader.wait(30)
    eventually(lambda: requests.get(f"{front.url}/healthz", timeout=10).ok, 40, "another one")


# ---------------------------------------------------------------- upstreams that misbehave


class Upstream:
    """Listens, keeps every head that it was sent, and says `reply` to each; nothing to say is a hang-up."""

    def __init__(self, reply=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
        self.heads, self._reply = [], reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            while data := connection.recv(65536):
                self.heads.append(data.decode())
                if not self._reply:
                    return
                connection.sendall(self._reply)


@pytest.fixture
def upstream():
    made = []

    def make(*reply):
        made.append(Upstream(*reply))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_only_what_nginx_saw_itself_is_forwarded(upstream):
    behind = upstream()
    with Nginx([behind.address], *free_ports(1)) as nginx:
        behind.heads.clear()
        requests.get(f"{nginx.url}/x?a=%2F", headers=LIES | {"Host": "up.example:81"}, timeout=10)
    first, *lines = behind.heads[0].split("\r\n\r\n")[0].split("\r\n")
    told = dict(line.split(": ", 1) for line in lines)
    assert first == "GET /x?a=%2F HTTP/1.1"
    forwarded = {name: value for name, value in told.items() if "forwarded" in name.lower() or name == "Host"}
    assert forwarded == {
        "Host": "up.example:81",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "up.example:81",
    }


def unavailable(answer):
    return (answer.status_code, answer.headers["Content-Type"], answer.headers["Retry-After"], answer.json()["code"]) == (
        503,
        PROBLEM,
        "5",
        "unavailable",
    )


def test_nobody_there_is_a_problem_that_says_when_to_come_again():
    (dead, port) = free_ports(2)
    with Nginx([f"127.0.0.1:{dead}"], port) as nginx:
        assert unavailable(requests.get(f"{nginx.url}/v1/assets/x.png", timeout=10))
        assert unavailable(requests.post(f"{nginx.url}/v1/uploads", data=b"x", timeout=10))


def test_nobody_answering_in_time_is_one_too():
    silent = socket.create_server(("127.0.0.1", 0))
    with (
        silent,
        Nginx(
            [f"127.0.0.1:{silent.getsockname()[1]}"], *free_ports(1), changes={"proxy_read_timeout 120s": "proxy_read_timeout 1s"}
        ) as nginx,
    ):
        assert unavailable(requests.get(f"{nginx.url}/v1/assets/x", timeout=10))


def test_another_machine_takes_what_was_not_sent_and_never_a_second_post(upstream):
    (dead,) = free_ports(1)
    good = upstream()
    with Nginx([f"127.0.0.1:{dead}", good.address], *free_ports(1)) as nginx:
        assert [requests.post(nginx.url, data=b"x", timeout=10).status_code for _ in range(4)] == [200] * 4
    rude, good = upstream(b""), upstream()
    with Nginx([rude.address, good.address], *free_ports(1), changes={"max_fails=2": "max_fails=0"}) as nginx:
        answers = [requests.post(nginx.url, data=str(n), timeout=10).status_code for n in range(4)]
        assert [requests.get(nginx.url, timeout=10).status_code for _ in range(4)] == [200] * 4
    posts = [head for head in rude.heads + good.heads if head.startswith("POST")]
    assert len(posts) == len(answers) == 4
    assert sorted(set(answers)) == [200, 503]


def test_too_many_connections_of_one_address():
    silent = socket.create_server(("127.0.0.1", 0))
    changes = {"limit_conn slipway_connections 200": "limit_conn slipway_connections 1"}
    with (
        silent,
        Nginx([f"127.0.0.1:{silent.getsockname()[1]}"], *free_ports(1), changes=changes) as nginx,
        opened(nginx, "GET /v1/a HTTP/1.1", "Host: x"),
        silent.accept()[0],
    ):
        got = requests.get(f"{nginx.url}/v1/b", timeout=10)
    assert (got.status_code, got.headers["Content-Type"], got.headers["Retry-After"]) == (429, PROBLEM, "1")


def test_the_log_has_no_signature(upstream):
    behind = upstream()
    with Nginx([behind.address], *free_ports(1)) as nginx:
        requests.get(f"{nginx.url}/transfers/demo/x?expires=1&signature=secret", timeout=10)
        log = nginx.folder / "access.log"
        eventually(lambda: '"/transfers/demo/x"' in log.read_text(), 5, "the line in the log")
        assert "secret" not in log.read_text()
        assert all(json.loads(line) for line in log.read_text().splitlines())

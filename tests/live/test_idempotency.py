"""A request with an `Idempotency-Key` whose process is killed over it: the next attempt goes on with what the first had begun."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests.services.pictures import photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def up():
    """One whose web processes are killed."""
    with Up() as up:
        yield up


def listed(up):
    return requests.get(f"{up.url}/v1/operations", headers=up.bearer, timeout=30).json()["items"]


def test_killed_while_the_body_flows(up):
    content, keyed = photo(), up.bearer | {"Idempotency-Key": '"once"', "Content-Type": "image/jpeg"}
    where = urlsplit(up.url)
    head = "".join(f"{name}: {value}\r\n" for name, value in keyed.items())
    with socket.create_connection((where.hostname, where.port)) as wire:
        wire.sendall(f"POST /v1/uploads HTTP/1.1\r\nHost: {where.netloc}\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode())
        wire.sendall(content[: len(content) // 2])
        eventually(lambda: listed(up), what="the upload")
        running = requests.post(f"{up.url}/v1/uploads", data=content, headers=keyed, timeout=30)
        assert (running.status_code, running.json()["code"]) == (409, "idempotency_key_running")
        for process in up.leader("web").children():
            process.kill()
        (begun,) = eventually_listed(up)
        sent = []
        eventually(lambda: sent.append(again(up, content, keyed)) or sent[-1].status_code == 202, what="the other attempt")
    assert sent[-1].json()["id"] == begun["id"]
    assert sent[-1].headers["Idempotent-Replayed"] == "true"
    done = requests.get(sent[-1].headers["Location"], headers=up.bearer | {"Prefer": "wait=30"}, timeout=60).json()
    assert requests.get(done["resourceUrl"] + "/content", headers=up.bearer, timeout=30).content == content
    assert [item["id"] for item in listed(up)] == [begun["id"]]
    assert again(up, content, keyed).content == sent[-1].content


def eventually_listed(up):
    """The operations, as soon as there are web processes again."""
    found = []

    def ask():
        try:
            found[:] = listed(up)
        except requests.ConnectionError:
            return False
        return True

    eventually(ask, what="another web process")
    return found


def again(up, content, headers):
    return requests.post(f"{up.url}/v1/uploads", data=content, headers=headers, timeout=30)

"""The Nomad client goes on with `continue` after web was killed in the middle of a part: what was held stays, and nobody waits for a dead writer."""

from __future__ import annotations

import socket
from random import Random
from urllib.parse import urlsplit

import psutil
import pytest
import redis
import requests

from tests.clients.keys import TENANT, access
from tests.clients.nomad.sdk import Sdk, config
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

CHUNK = 8 * 1024 * 1024  # the client's choice
CONTENT = Random(44).randbytes(2 * CHUNK + 1)


@pytest.fixture
def up():
    with Up() as up:
        yield up


@pytest.fixture
def sdk(up):
    password = access(up).add_user(TENANT, "ann@slipway.test", "editor")
    with Sdk(config(up, username="ann@slipway.test", password=password)) as sdk:
        yield sdk


def part_of(begun: dict, number: int) -> bytes:
    part = begun["parts"][number - 1]
    return CONTENT[part["startingPosition"] : part["endingPosition"] + 1]


def half_sent(up: Up, begun: dict, number: int) -> socket.socket:
    """A part whose first half web writes, while it waits for the rest."""
    whole, url = part_of(begun, number), urlsplit(begun["parts"][number - 1]["url"])
    wire = socket.create_connection((url.hostname, url.port))
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(whole)}\r\n\r\n"
    wire.sendall(head.encode() + whole[: len(whole) // 2])
    records = redis.Redis(unix_socket_path=str(up.data / "redis.sock"), db=1)
    eventually(lambda: records.keys(f"lock:*{begun['id']}*"), what="the writing of a part")
    return wire


def killed(up: Up) -> None:
    """Web is gone with all its processes, at once; and there again."""
    leader = up.leader("web")
    for process in [leader, *leader.children(recursive=True)]:
        process.kill()
    psutil.wait_procs([leader], 10)
    eventually(lambda: up.leader("web") not in {None, leader}, what="another web")
    eventually(lambda: answers(up), 60, "an answer")


def answers(up: Up) -> bool:
    try:
        return requests.get(f"{up.url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_an_upload_goes_on_after_web_was_killed_in_the_middle_of_a_part(up, sdk, tmp_path):
    path = tmp_path / "film.bin"
    path.write_bytes(CONTENT)
    begun = sdk("_start_upload", None, None, None, "replace", str(path), None, None, None)
    assert requests.put(begun["parts"][0]["url"], data=part_of(begun, 1), timeout=30).ok
    with half_sent(up, begun, 2):
        killed(up)
    asset_id = sdk("upload_asset", None, None, None, "continue", str(path))
    assert (asset_id, sdk.log) == (begun["assetId"], [])
    asset = sdk("get_asset", asset_id)
    assert requests.get(asset["fullUrl"], timeout=30).content == CONTENT

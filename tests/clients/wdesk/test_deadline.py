"""The deadline of an upload, with real sockets: a PUT that is still running when it passes is cut, and the client can read why."""

from __future__ import annotations

import http.client
import select
import time
from urllib.parse import urlsplit

import pytest
import requests

from app.settings import from_env
from app.wiring import build
from tests.services.pictures import photo
from tests.services.up import Up

pytestmark = pytest.mark.live

TTL = 3  # seconds, in place of the ten minutes
DRIP = 4096  # bytes every tenth of a second: slow, and well above the least pace


@pytest.fixture(scope="module")
def up():
    with Up(SLIPWAY_WDESK_UPLOAD_TTL=str(TTL)) as up:
        yield up


@pytest.fixture
def who(up):
    who = up.credentials
    form = {"client_id": who["client_id"], "client_secret": who["client_secret"], "grant_type": "client_credentials"}
    given = requests.post(f"{up.url}/wdesk/oauth2/token", data=form, timeout=10).json()
    return {"Authorization": f"Bearer {given['access_token']}"}


def drip(url: str, who: dict[str, str]) -> http.client.HTTPResponse:
    """Begin a PUT that would take for ever, and go on until the server answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", "50000000")
    connection.putheader("Authorization", who["Authorization"])
    connection.endheaders()
    until = time.monotonic() + 20
    while not select.select([connection.sock], [], [], 0.1)[0]:
        assert time.monotonic() < until, "the PUT was not cut"
        connection.send(bytes(DRIP))
    return connection.getresponse()


def test_a_running_put_is_cut_and_the_operation_fails_with_the_next_sweep(up, who):
    promise = requests.post(f"{up.url}/wdesk/content/images/upload", headers=who, timeout=10).json()
    answer = drip(promise["uploadUrl"], who)
    assert (answer.status, answer.headers["Content-Type"]) == (409, "application/json")
    assert b"409Conflict" in answer.read()

    build(from_env({"SLIPWAY_DATA": str(up.data)})).retention.expire_uploads()
    ended = requests.get(promise["operationLocation"], headers=who, timeout=10).json()
    assert (ended["status"], ended["details"][0]["code"]) == ("failed", "UploadExpired")
    assert requests.put(promise["uploadUrl"], data=photo(), headers=who, timeout=10).status_code == 409

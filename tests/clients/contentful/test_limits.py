"""What these clients make of limits, of a file that we are to fetch, and of a stream that they send twice."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import pytest
from contentful_management import Client, errors

from tests.clients.contentful.space import DEFAULTS, ENVIRONMENT, SPACE, downloaded, host, options
from tests.clients.narrow import A_SECOND, MOST, Files, fresh_key, narrow
from tests.clients.node import Refused, bytes_, stream
from tests.services.pictures import photo

pytestmark = pytest.mark.live

PICTURE = photo(50, 40, "PNG", seed=51)
SLOW = {"processingCheckWait": 500, "processingCheckRetries": 60}


@pytest.fixture(params=["12", "11"])
def client(request, node):
    key = fresh_key()

    def connected(**more):
        pointed = options(narrow(), accessToken=key, **more)
        return node.door(f"{request.param}.createClient", pointed, {"type": "plain", "defaults": DEFAULTS})

    return connected


def python(**more) -> Client:
    door = f"{host(narrow())}/contentful"
    return Client(fresh_key(), api_url=door, uploads_api_url=door, https=False, **more)


def spend(ask, times: int = 50 * A_SECOND) -> None:
    """Ask more often than a second allows."""
    for _ in range(times):
        ask()


def listing(client):
    return lambda: client("asset.getMany", {"query": {"limit": 1}})


def test_an_upload_that_is_too_large(client):
    for file in (bytes_(bytes(MOST + 1)), stream(bytes(MOST + 1))):
        with pytest.raises(Refused) as thrown:
            client()("upload.create", {}, {"file": file})
        assert thrown.value.name == "RequestTimeout"
    assert client()("upload.create", {}, {"file": stream(bytes(MOST))})["sys"]["type"] == "Upload"


def test_an_upload_that_is_too_large_from_python():
    with pytest.raises(errors.HTTPError, match="HTTP status code: 408"):
        python().uploads(SPACE).create(io.BytesIO(bytes(MOST + 1)))


def test_too_many_requests(client):
    with pytest.raises(Refused) as thrown:
        spend(listing(client(retryLimit=0)))
    assert (thrown.value.name, json.loads(thrown.value.message)["status"]) == ("RateLimitExceeded", 429)
    spend(listing(client(retryLimit=3)), 2 * A_SECOND)  # it waits as long as it is told, and nobody sees anything


def test_too_many_requests_from_python():
    client = python(max_rate_limit_retries=0)
    assets = client.assets(SPACE, ENVIRONMENT)
    with pytest.raises(errors.RateLimitExceededError, match="Time until reset") as refused:
        spend(lambda: assets.all({"limit": 1}))
    assert refused.value.reset_time() == 1
    client.max_rate_limit_retries = 3  # now it waits as long as it is told
    assert assets.all({"limit": 1}).limit == 1


def test_a_stream_sent_again_is_empty(client):
    """The client sends a stream that it has read to its end a second time, as a body of no bytes. That makes no empty file."""

    def upload_when_it_is_too_often() -> None:
        for _ in range(20):  # a second may end in between
            with suppress(Refused):
                spend(listing(client(retryLimit=0)))
            client(retryLimit=2)("upload.create", {}, {"file": stream(PICTURE)})

    with pytest.raises(Refused, match="header must be greater than 0") as thrown:
        upload_when_it_is_too_often()
    assert thrown.value.name == "BadRequest"


def from_url(url: str) -> dict:
    return {"fields": {"file": {"en-US": {"contentType": "image/png", "fileName": "fetched.png", "upload": url}}}}


def test_a_file_that_is_fetched(client):
    with Files(cat=(PICTURE, "image/png")) as files:
        asset = client()("asset.create", {}, from_url(f"{files.url}/cat"))
        done = client()("asset.processForAllLocales", {}, asset, SLOW)
    file = done["fields"]["file"]["en-US"]
    assert set(file) == {"contentType", "fileName", "url", "details"}
    assert file["details"] == {"size": len(PICTURE), "image": {"width": 50, "height": 40}}
    assert downloaded(file["url"]) == PICTURE


def test_a_file_that_may_not_be_fetched(node):
    """Elsewhere this machine's own addresses are refused; the client learns no more than that nothing came."""
    client = node.door("12.createClient", options(), {"defaults": DEFAULTS})
    with Files(cat=(PICTURE, "image/png")) as files:
        asset = client("asset.create", {}, from_url(f"{files.url}/cat"))
        with pytest.raises(Refused) as thrown:
            client("asset.processForAllLocales", {}, asset, {"processingCheckWait": 100, "processingCheckRetries": 10})
    assert thrown.value.name == "AssetProcessingTimeout"
    kept = client("asset.get", {"assetId": asset["sys"]["id"]})
    assert kept["fields"]["file"]["en-US"]["upload"] == f"{files.url}/cat"


def test_a_rate_is_announced():
    """What the client's own throttle goes by."""
    answer = python(raw_mode=True, max_rate_limit_retries=3).assets(SPACE, ENVIRONMENT).all({"limit": 1})
    assert answer.headers["X-Contentful-RateLimit-Second-Limit"] == str(A_SECOND)
    assert int(answer.headers["X-Contentful-RateLimit-Second-Remaining"]) < A_SECOND
    assert answer.headers["X-Contentful-RateLimit-Reset"] == "0"

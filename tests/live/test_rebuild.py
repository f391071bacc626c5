"""Redis loses everything; `slipway rebuild` brings back what the store describes."""

import json
import subprocess
from contextlib import contextmanager

import pytest
import requests

from tests.live.conftest import broker_of, records_of
from tests.services.pictures import photo
from tests.services.up import SLIPWAY, Up, clean_environment, eventually

pytestmark = pytest.mark.live


@contextmanager
def local(_):
    yield {}


@contextmanager
def s3(request):
    seaweed = request.getfixturevalue("seaweed")
    yield {"SLIPWAY_STORE": seaweed.store_url(seaweed.bucket(), "rebuilt"), **seaweed.environment}


def slipway(up: Up, *words: str) -> subprocess.CompletedProcess:
    env = clean_environment(**up.env, SLIPWAY_DATA=str(up.data))
    return subprocess.run([SLIPWAY, *words], env=env, capture_output=True, text=True, timeout=60, check=False)


def completed(up: Up, content: bytes) -> dict:
    sent = requests.post(f"{up.url}/v1/uploads?filename=cat.jpg", data=content, headers=up.bearer, timeout=30)
    done = requests.get(sent.headers["Location"], headers={**up.bearer, "Prefer": "wait=20"}, timeout=40).json()
    assert done["status"] == "completed", done
    return requests.get(done["resourceUrl"], headers=up.bearer, timeout=30).json()


@pytest.mark.parametrize("store", [local, s3], ids=["local", "s3"])
def test_a_flushed_redis_is_rebuilt(store, request):
    pictures = [photo(seed=n) for n in (1, 2, 3)]
    with store(request) as env, Up(**env) as up:
        assets = [completed(up, content) for content in pictures]
        assert requests.patch(f"{up.url}/v1/assets/{assets[0]['id']}", json={"keep": True}, headers=up.bearer, timeout=30).ok
        assets[0] = requests.get(f"{up.url}/v1/assets/{assets[0]['id']}", headers=up.bearer, timeout=30).json()
        eventually(lambda: records_of(up).zcard("ix:manifest") == 0, 40, "the manifests")
        due = [json.loads(line) for line in slipway(up, "purge", "--dry-run", "--json").stdout.splitlines()]
        assert {each["name"]: each["count"] for each in due}["purge_assets"] == 0
        for redis in (records_of(up), broker_of(up)):
            redis.flushall()
        counted = slipway(up, "rebuild", "--dry-run", "--json")
        assert (counted.returncode, json.loads(counted.stdout)["assets"]) == (0, 3), counted.stderr
        done = slipway(up, "rebuild")
        assert done.returncode == 0, done.stderr
        assert "3  assets restored" in done.stdout
        assert "slipway tenants add" in done.stdout  # who may speak is not in the store
        up.stop()
        up.start()  # `up` knows its own tenant's credentials
        for asset, content in zip(assets, pictures, strict=True):
            url = f"{up.url}/v1/assets/{asset['id']}"
            found = requests.get(url, headers=up.bearer, timeout=30).json()
            moving = {"contentUrl", "url"}
            assert {k: v for k, v in found.items() if k not in moving} == {k: v for k, v in asset.items() if k not in moving}
            assert requests.get(f"{url}/content", headers=up.bearer, timeout=30).content == content
        before = completed(up, pictures[1])  # the workers go on
        assert records_of(up).hget(f"as:demo:{before['id']}", "blob") == records_of(up).hget(f"as:demo:{assets[1]['id']}", "blob")

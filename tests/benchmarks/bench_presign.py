"""A session with 10,000 URLs of parts, as its client waits for it: `POST /v1/uploads` on local storage and on S3. `make bench` prints it."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager

import boto3.session
import pytest
import requests
from botocore.config import Config

from tests.services.seaweed import Seaweed
from tests.services.up import Up

PARTS, SIZE = 10_000, 8 * 1024 * 1024
ROUNDS = 5
SAMPLE = 100
RAISED = {
    "SLIPWAY_V1_MEDIA_TYPES": "*/*",
    "SLIPWAY_V1_JUDGE": "off",
    "SLIPWAY_V1_MAX_BYTES": str(PARTS * SIZE),
    "SLIPWAY_V1_MAX_PARTS": str(PARTS),
}


@contextmanager
def local():
    yield RAISED


@contextmanager
def s3():
    with Seaweed() as server:
        yield {**RAISED, "SLIPWAY_STORE": server.store_url(server.bucket(), "bench"), **server.environment}


def session(up: Up) -> tuple[float, int]:
    """Seconds, and bytes of the answer."""
    wanted = {"filename": "long.bin", "size": PARTS * SIZE, "parts": True, "partSize": SIZE}
    began = time.perf_counter()
    answer = requests.post(f"{up.url}/v1/uploads", json=wanted, headers=up.bearer, timeout=60)
    took = time.perf_counter() - began
    assert answer.status_code == 202, answer.text[:500]
    assert len(answer.json()["upload"]["parts"]) == PARTS
    return took, len(answer.content)


def by_client() -> float:
    """Seconds that botocore's own client would take for as many, from a sample."""
    keys = boto3.session.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
    client = keys.client("s3", endpoint_url="http://inner:8333", config=Config(signature_version="s3v4"))
    began = time.perf_counter()
    for number in range(1, SAMPLE + 1):
        params = {"Bucket": "b", "Key": "staging/t/u", "UploadId": "s", "PartNumber": number, "ContentLength": SIZE}
        client.generate_presigned_url("upload_part", params, 600, "PUT")
    return (time.perf_counter() - began) * PARTS / SAMPLE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", [local, s3], ids=["local", "s3"])
def test_a_session_of_many_parts(store):
    with store() as env, Up(**env) as up:
        session(up)
        rounds = [(*session(up), by_client()) for _ in range(ROUNDS)]
    seconds, sizes, clients = zip(*rounds, strict=True)
    print(f"\n{PARTS:,} URLs of parts in one answer of {sizes[0] / 1e6:.1f} MB, {store.__name__}, median of {ROUNDS}")
    print(
        f"    {statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f}); by botocore's client {statistics.median(clients):.1f} s"
    )

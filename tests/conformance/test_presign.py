"""URLs of parts, beside those of botocore's own client: the same to the letter."""

import random
from datetime import UTC, datetime

import boto3.session
import botocore.auth
import pytest
from botocore.config import Config

from app.core.parts import Slot
from app.core.upload import Staged
from tests.conformance.rooms import opened

NOW = 1_800_000_000
KEYS = ("staging/t/an id", "staging/t/übung~1/ä+b=c&partNumber=0&uploadId=x", "a" * 200)
SESSIONS = ("s", "2~ab/cd+ef==", "partNumber=0&")


@pytest.fixture
def clock(monkeypatch):
    """The moment at which both sign. The client by the same signer: where awscrt is installed it takes that one's, which orders a query otherwise."""
    monkeypatch.setitem(botocore.auth.AUTH_TYPE_MAPS, "s3v4-query", botocore.auth.S3SigV4QueryAuth)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC))
    monkeypatch.setattr("app.stores.presign.time.time", lambda: NOW)


@pytest.fixture(params=[None, "a+session/token=="], ids=["keys", "token"])
def account(request, monkeypatch):
    """Credentials in the environment: of a user, or of a role for a while."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret/with+signs")
    if request.param:
        monkeypatch.setenv("AWS_SESSION_TOKEN", request.param)


def clients_own(client, key, session, slot, seconds, *, exact):
    """As botocore's client presigns it."""
    params = {"Bucket": "bucket", "Key": f"p/{key}", "UploadId": session, "PartNumber": slot.number}
    if exact:
        params["ContentLength"] = slot.size
    return client.generate_presigned_url("upload_part", params, seconds, "PUT")


@pytest.mark.usefixtures("clock", "account")
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    ("query", "endpoint", "region"),
    [
        ("?endpoint=http://inner:8333", "http://inner:8333", "us-east-1"),
        ("?endpoint=http://inner:8333&public=https://s3.example.com/deep&region=eu-west-1", "https://s3.example.com/deep", "eu-west-1"),
        ("?region=eu-west-1", None, "eu-west-1"),
    ],
)
def test_as_botocores_client_signs(query, endpoint, region, exact):
    rng, store = random.Random(5), opened(f"s3://bucket/p{query}")
    config = Config(signature_version="s3v4", s3={"addressing_style": "path" if endpoint else "virtual"})
    client = boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=config)
    for key in KEYS:
        for session in SESSIONS:
            seconds, slot = rng.randrange(1, 7 * 86400), Slot(rng.randrange(1, 10_001), 0, rng.randrange(1, 1 << 32))
            url = store.part_url(Staged(key, session=session), slot, exact=exact, expires=NOW + seconds)
            assert url == clients_own(client, key, session, slot, seconds, exact=exact)


@pytest.mark.usefixtures("clock", "account")
def test_sheets_are_not_mixed_up(monkeypatch):
    """Every URL is what it is without the others, whatever was signed before."""
    rng = random.Random(6)
    asked = [(rng.choice(KEYS), rng.choice(SESSIONS), rng.choice((5, 6)), rng.choice((60, 61)), rng.randrange(1, 9)) for _ in range(200)]
    store = opened("s3://bucket/p?endpoint=http://inner:8333")

    def sign(store, key, session, size, seconds, number):
        return store.part_url(Staged(key, session=session), Slot(number, 0, size), exact=True, expires=NOW + seconds)

    many = [sign(store, *each) for each in asked]
    assert many == [sign(opened("s3://bucket/p?endpoint=http://inner:8333"), *each) for each in asked]
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(NOW + 86400, UTC))
    monkeypatch.setattr("app.stores.presign.time.time", lambda: NOW + 86400)
    assert not set(many) & {sign(store, *each) for each in asked}

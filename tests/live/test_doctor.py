"""`slipway doctor` over real processes and a real bucket."""

import json
import subprocess

import pytest

from app.stores.inspection import open_inspector
from tests.services.up import SLIPWAY, clean_environment

pytestmark = pytest.mark.live


def test_a_fresh_house_is_in_order(up):
    env = clean_environment(SLIPWAY_DATA=str(up.data))
    done = subprocess.run([SLIPWAY, "doctor", "--json"], env=env, text=True, capture_output=True, timeout=60, check=False)
    shown = json.loads(done.stdout)
    assert {each["check"]: each["level"] for each in shown["findings"] if each["level"] == "fault"} == {}, done.stdout
    assert (done.returncode, shown["ok"]) == (0, True)
    assert {"queue: worker", "queue: keeper", "beat", "records: version", "store: disk"} <= {each["check"] for each in shown["findings"]}


@pytest.fixture
def look(seaweed, monkeypatch):
    """Inspects a bucket as a page of an origin would meet it -> what was found; nothing is left in it."""
    for name, value in seaweed.environment.items():
        monkeypatch.setenv(name, value)

    def look(bucket, *origins, url=None):
        found = open_inspector(url or seaweed.store_url(bucket, "house")).look(origins)
        client = seaweed.client()
        assert "Contents" not in client.list_objects_v2(Bucket=bucket)
        assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")
        return found

    return look


def test_a_bucket_is_tried_as_uploads_use_it(look, seaweed):
    found = look(seaweed.bucket())
    assert (found.same, found.keeps, found.verifies, found.unframed, found.presigned) == (True, True, True, True, "")
    assert abs(found.skew) < 5
    assert (found.prefix, found.rules) == ("house", [])


def test_cors_of_a_bucket_is_met_as_a_page_meets_it(look, seaweed):
    bucket, client = seaweed.bucket(), seaweed.client()
    rule = {"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    met = look(bucket, "https://a.example", "https://b.example").origins
    assert [(each.allowed, each.shown) for each in met.values()] == [(True, False), (False, False)]
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{**rule, "ExposeHeaders": ["ETag"]}]})
    met = look(bucket, "https://a.example").origins
    assert [(each.allowed, each.shown) for each in met.values()] == [(True, True)]


def test_a_lifecycle_is_read(look, seaweed):
    bucket = seaweed.bucket()
    rules = [{"ID": "short", "Status": "Enabled", "Filter": {"Prefix": "house/"}, "Expiration": {"Days": 1}}]
    seaweed.client().put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    (rule,) = look(bucket).rules
    assert (rule.prefix, rule.expires, rule.aborts) == ("house/", 1, None)


def test_a_public_endpoint_that_is_none_is_told(look, seaweed):
    bucket = seaweed.bucket()
    found = look(bucket, url=f"{seaweed.store_url(bucket, 'house')}&public=http://127.0.0.1:1")
    assert "refused" in found.presigned
    assert found.same

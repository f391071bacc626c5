"""The same house with its bytes in S3, and two of them on one Redis and one bucket."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import requests

from tests.services.pictures import photo
from tests.services.redis_server import RedisServer
from tests.services.seaweed import Seaweed
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

MIB = 1024 * 1024
BIG = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": "200000000"}


@pytest.fixture(scope="module")
def bucket(seaweed):
    return seaweed.bucket()


@pytest.fixture(scope="module")
def houses(seaweed, bucket):
    """Two sets of processes with different data folders on one Redis and one bucket."""
    with RedisServer() as server:
        shared = {
            "SLIPWAY_REDIS": server.url_of(1),
            "SLIPWAY_BROKER": server.url_of(0),
            "SLIPWAY_STORE": seaweed.store_url(bucket, "house"),
            "SLIPWAY_SECRET": "the same on every machine",
            **seaweed.environment,
            **BIG,
        }
        with Up(**shared) as one, Up(**shared) as other:
            yield one, other


@pytest.fixture
def one(houses):
    return houses[0]


def announce(up, **wanted):
    answer = requests.post(f"{up.url}/v1/uploads", json=wanted, headers=up.bearer, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()


def at(up, url):
    """The same path at another door."""
    return up.url + "/" + url.split("/", 3)[3]


def completed(up, operation):
    def final():
        return requests.get(f"{up.url}/v1/operations/{operation}", headers={**up.bearer, "Prefer": "wait=10"}, timeout=40).json()

    eventually(lambda: final()["status"] in {"completed", "failed"}, 60, "the end of the operation")
    assert final()["status"] == "completed", final()
    return final()


def content(up, operation):
    return requests.get(at(up, operation["resourceUrl"]) + "/content", headers=up.bearer, timeout=60).content


def test_a_photograph_goes_through_s3(one, seaweed, bucket):
    picture = photo(1200, 900)
    answer = requests.post(f"{one.url}/v1/uploads", data=picture, headers={**one.bearer, "Content-Type": "image/jpeg"}, timeout=30)
    done = completed(one, answer.json()["id"])
    assert content(one, done) == picture

    def staged():
        return seaweed.client().list_objects_v2(Bucket=bucket, Prefix="house/staging/demo/").get("KeyCount", 0)

    eventually(lambda: staged() == 0, what="the end of the staged bytes")


def test_parts_go_straight_to_s3_in_parallel_and_two_doors_alternate(houses, seaweed):
    one, other = houses
    whole = b"".join(bytes([n]) * MIB for n in range(27)) + b"the end"
    began = announce(one, filename="film.bin", size=len(whole), parts=True)
    plan = began["upload"]["parts"]
    assert all(part["url"].startswith(seaweed.endpoint) for part in plan)
    upload = began["upload"]["id"]
    fresh = requests.post(f"{other.url}/v1/uploads/{upload}/parts", json={"numbers": [2, 4]}, headers=other.bearer, timeout=30).json()
    urls = {part["number"]: part["url"] for part in [*plan, *fresh["parts"]]}

    def put(part):
        data = whole[part["offset"] : part["offset"] + part["size"]]
        return requests.put(urls[part["number"]], data=data, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(put, plan[1:])) == {200}
    refused = requests.post(at(other, began["upload"]["completeUrl"]), headers=other.bearer, timeout=30)
    assert (refused.status_code, refused.json()["missing"]) == (409, [1])
    shown = requests.get(f"{other.url}/v1/uploads/{upload}", headers=other.bearer, timeout=30).json()
    assert [part["number"] for part in shown["parts"]] == [2, 3, 4]
    assert put(plan[0]) == 200
    twice = [requests.post(at(up, began["upload"]["completeUrl"]), headers=up.bearer, timeout=30) for up in (other, one)]
    assert [answer.status_code for answer in twice] == [202, 202]
    assert twice[0].json()["id"] == twice[1].json()["id"] == began["id"]
    assert content(one, completed(other, began["id"])) == whole


def test_a_part_of_another_size_than_signed_is_refused_by_s3(one):
    began = announce(one, filename="film.bin", size=6 * MIB, parts=True, partSize=5 * MIB)
    assert requests.put(began["upload"]["parts"][1]["url"], data=bytes(MIB + 1), timeout=30).status_code == 403


def test_a_part_put_again_after_complete_does_not_swap_the_file(one):
    began = announce(one, filename="film.bin", size=6 * MIB, parts=True, partSize=5 * MIB)
    first, second = began["upload"]["parts"]
    for part, byte in ((first, b"a"), (second, b"b")):
        assert requests.put(part["url"], data=byte * part["size"], timeout=30).status_code == 200
    assert requests.post(began["upload"]["completeUrl"], headers=one.bearer, timeout=30).status_code == 202
    requests.put(second["url"], data=b"x" * second["size"], timeout=30)
    done = completed_or_failed(one, began["id"])
    if done["status"] == "completed":
        assert content(one, done) == b"a" * first["size"] + b"b" * second["size"]
    else:
        assert done["problem"]["code"] == "changed_after_finish"


def completed_or_failed(up, operation):
    found = {}

    def final():
        found.update(requests.get(f"{up.url}/v1/operations/{operation}", headers=up.bearer, timeout=30).json())
        return found["status"] in {"completed", "failed"}

    eventually(final, 60, "the end")
    return found


def test_two_doors_continue_one_stream(houses):
    """Runs that cross part borders, each through another door; what lies below a part waits in S3, not in a data folder."""
    one, other = houses
    whole = bytes(range(256)) * 4096 * 18  # 18 MiB and parts of 8
    began = announce(one, filename="stream.bin", size=len(whole))
    url = began["upload"]["uploadUrl"]
    cuts = [0, 3 * MIB, 11 * MIB, 11 * MIB + 5, len(whole)]
    for n, (start, end) in enumerate(pairwise(cuts)):
        door = houses[n % 2]
        span = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
        answer = requests.put(at(door, url), data=whole[start:end], headers=span, timeout=60)
        assert answer.status_code == (202 if end == len(whole) else 204), answer.text
    assert content(other, completed(one, began["id"])) == whole


def test_a_store_that_goes_away_is_503_and_named():
    with Seaweed() as mortal:
        env = {"SLIPWAY_STORE": mortal.store_url(mortal.bucket(), "x"), **mortal.environment}
        with Up(**env) as up:
            mortal.stop()

            def noticed():
                ready = requests.get(f"{up.url}/readyz", timeout=30)
                parts = ready.json()["parts"]
                return ready.status_code == 503 and not parts["store"]["ok"] and parts["redis"]["ok"]

            eventually(noticed, what="notice of the store's end")
            refused = requests.post(f"{up.url}/v1/uploads", data=photo(), headers=up.bearer, timeout=60)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert refused.headers["Retry-After"]

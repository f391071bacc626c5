"""Renditions by real workers: this process is the door, as any web process is, over the same Redis, the same broker and the same bytes."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from celery import Celery
from PIL import Image

from app.core.errors import Code
from app.core.operation import Operation, Status
from app.core.refs import Kind, Ref
from app.core.rendering import Ready
from app.core.renditions import Mode, Spec
from app.settings import from_env
from app.wiring import House, build
from tests.live.conftest import CLOCK, records_of
from tests.services.pictures import bare_png, photo
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

SLOW = Spec(media_type="image/avif")  # of SEA, some seconds of work
SEA = bare_png(9000, 5000)


@dataclass
class Door:
    """The use cases, in this process."""

    up: Up
    house: House

    def picture(self, content: bytes) -> Any:
        """An asset, as it is recorded."""
        answer = requests.post(f"{self.up.url}/v1/uploads", files={"file": ("a.png", content)}, headers=self.up.bearer, timeout=60)
        op = self.waited(self.house.records.get(Ref(Kind.OPERATION, "demo", answer.json()["id"])))
        assert op.status is Status.COMPLETED, op
        return self.house.records.get(Ref(Kind.ASSET, "demo", op.asset_ids[0]))

    def waited(self, op: Operation, seconds: float = 40.0) -> Operation:
        eventually(lambda: self.fresh(op).final, seconds, f"the end of {op.id}")
        return self.fresh(op)

    def image(self, ready: Ready) -> Image.Image:
        with self.house.rendering.read(ready, 0, ready.facts.size) as fetched:
            content = b"".join(fetched.chunks)
        assert len(content) == ready.facts.size
        return Image.open(io.BytesIO(content))

    def fresh(self, op: Operation) -> Any:
        return self.house.records.get(op.ref)


@pytest.fixture(scope="module")
def door():
    with Up(SLIPWAY_CLOCK_KEY=CLOCK, SLIPWAY_V1_MAX_PIXELS="50000000") as up:
        yield Door(up, build(from_env({"SLIPWAY_DATA": str(up.data), "SLIPWAY_CLOCK_KEY": CLOCK})))


def files_of(door):
    folder = door.up.data / "store/renditions/demo"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_many_that_ask_at_once_wait_for_one_operation(door):
    of, before = door.picture(photo(640, 480, "PNG")), len(files_of(door))
    spec = Spec(64, 64, Mode.PAD, media_type="image/webp", background="#fff")
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda _: door.house.rendering.request(of, spec), range(8)))
    ids = {op.id for op in asked if isinstance(op, Operation)}
    assert len(ids) == 1
    (promised, *_) = (op for op in asked if isinstance(op, Operation))
    assert door.waited(promised).status is Status.COMPLETED
    ready = door.house.rendering.found(of, spec)
    assert (ready.facts.media_type, door.image(ready).format, door.image(ready).size) == ("image/webp", "WEBP", (64, 64))
    assert len(files_of(door)) == before + 1
    assert door.house.rendering.request(of, spec) == ready


def test_what_a_worker_refuses_is_told_and_not_tried_again(door):
    of = door.picture(photo(64, 48, "PNG"))
    huge = Spec(9000, 9000, Mode.STRETCH)
    op = door.waited(door.house.rendering.request(of, huge))
    assert (op.status, op.problem.code) == (Status.FAILED, Code.TOO_MANY_PIXELS)
    assert door.house.rendering.request(of, huge).id == op.id


def test_a_worker_that_is_killed_in_the_middle_is_made_up_for(door):
    of = door.picture(SEA)
    op = door.house.rendering.request(of, SLOW)
    eventually(lambda: door.fresh(op).status is Status.STARTED, what="the start of the work")
    door.up.kill("worker")
    ended = door.waited(op, 90.0)
    assert (ended.status, ended.attempt, ended.losses) == (Status.COMPLETED, 2, 1)
    assert door.image(door.house.rendering.found(of, SLOW)).size == (9000, 5000)


def test_a_deleted_asset_takes_its_renditions_along(door):
    of = door.picture(photo(300, 200, "PNG", seed=9))
    specs = [Spec(30), Spec(40)]
    for spec in specs:
        door.waited(door.house.rendering.request(of, spec))
    made = {door.house.rendering.found(of, spec).blob.rpartition("/")[2] for spec in specs}
    assert made <= set(files_of(door))
    assert requests.delete(f"{door.up.url}/v1/assets/{of.id}", headers=door.up.bearer, timeout=30).status_code == 204
    eventually(lambda: door.house.records.get(of.ref) is None, what="the end of the asset's record")
    records_of(door.up).incrbyfloat(CLOCK, 400)
    sweep(door.up, "slipway.delete_doomed")
    eventually(lambda: not made & set(files_of(door)), what="the end of the bytes")


def sweep(up, name):
    """Beat's message, now."""
    app = Celery(broker=f"redis+socket://{up.data / 'redis.sock'}", set_as_current=False)
    app.send_task(name, queue="housekeeping", exchange="", ignore_result=True)


def test_renditions_rest_in_s3_as_well(seaweed, monkeypatch):
    where = {"SLIPWAY_STORE": seaweed.store_url(seaweed.bucket(), "house")}
    for name, value in seaweed.environment.items():
        monkeypatch.setenv(name, value)
    with Up(**where, **seaweed.environment) as up:
        door = Door(up, build(from_env({"SLIPWAY_DATA": str(up.data), **where})))
        of = door.picture(photo(640, 480, "PNG", seed=3))
        op = door.waited(door.house.rendering.request(of, Spec(100, media_type="image/jpeg")))
        assert op.status is Status.COMPLETED, op
        ready = door.house.rendering.found(of, Spec(100, media_type="image/jpeg"))
        assert (door.image(ready).format, door.image(ready).size) == ("JPEG", (100, 75))
        assert not list(up.data.glob("store/*"))

"""What is refused because too much is stored or under way, in every vendor's form; and what goes on all the same."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from app.core.errors import Code, problem
from app.core.reception import Opening
from app.core.tally import Tally
from tests.dialects.contentful import speak as contentful
from tests.dialects.house import Row, has, says
from tests.dialects.nomad import speak as nomad
from tests.dialects.pictures import picture
from tests.dialects.squidex import speak as squidex
from tests.dialects.ways import LATER, SPEAK, WAYS
from tests.services.pictures import photo

WAY = {str(way): way for way in WAYS}
SMALL = {"filename": "a.png", "size": 100}
BEGIN = {"contentLength": 100, "uploadOverwriteOption": "replace", "chunkSize": nomad.CHUNK, "relativePath": "a.bin"}

# dialect, and the request that begins an upload: method, path, headers, body
BEGINNINGS: tuple[tuple[str, tuple[str, str, dict[str, str], Any]], ...] = (
    ("v1", ("POST", "/v1/uploads", {"Content-Type": "image/png"}, picture())),
    ("v1", ("POST", "/v1/uploads", {}, SMALL)),
    ("wdesk", ("POST", "/wdesk/prototype/platform/content/images/upload", {}, None)),
    ("wdesk", ("POST", "/wdesk/files/import", {}, {"fileName": "a.csv"})),
    ("backoffice", WAY["backoffice: form"].prepared(None, None, picture(), "a.png")),
    ("nomad", ("POST", f"{nomad.UPLOAD}/start", {}, BEGIN)),
    ("contentful", ("POST", f"{contentful.SPACE}/uploads", contentful.RAW, picture())),
    ("squidex", ("POST", squidex.ASSETS, {"Content-Type": squidex.FORM}, squidex.form(squidex.file()))),
)
NAMES = [f"{dialect} {path} {number}" for number, (dialect, (_, path, *_)) in enumerate(BEGINNINGS)]

FULL = {  # how each vendor's client is told that there is no room
    "v1": Row("", "", status=507, shows={"code": "quota_exceeded"}, sends={"Content-Type": "application/problem+json"}),
    "wdesk": Row("", "", status=400, shows={"code": "400BadRequest", "message": says("quota")}),
    "backoffice": Row("", "", status=400, shows={"errors": says("quota")}),
    "nomad": Row("", "", status=400, shows={"message": says("quota")}),
    "contentful": Row("", "", status=403, shows={"sys": says("AccessDenied"), "details": says("quota")}),
    "squidex": Row("", "", status=400, shows={"details": ["You have reached your max asset size."]}),
}


def told(door, row, method, path, headers, body):
    return door.run(Row(method, path, headers, body, row.status, row.sends, row.shows))


@pytest.mark.parametrize(("dialect", "ask"), BEGINNINGS, ids=NAMES)
def test_no_more_uploads_than_the_quota_says(door, dialect, ask):
    method, path, headers, body = ask
    who = SPEAK[dialect](door) | headers
    up = door.house.reception.open(door.principal(), "v1", door.app.extensions["slipway"].policies["v1"], Opening())
    door.house.tallies.allow("acme", "uploads", 1)
    told(door, FULL[dialect], method, path, who, body)
    assert door.house.tallies.standing("acme").tally == Tally(0, 0, 1)
    door.house.reception.withdraw(up)
    assert door.send(method, path, who, body).status_code < 300


@pytest.mark.parametrize("name", ["v1: raw", "wdesk: image", "wdesk: file", "backoffice: form", "squidex: new", "squidex: new content"])
def test_a_file_beyond_the_quota_is_refused_and_leaves_nothing(door, name):
    way = WAY[name]
    who = SPEAK[way.dialect](door)
    last = way.last(door, who, photo(9, 9, "PNG", seed=3))
    before = door.house.tallies.standing("acme").tally
    door.house.tallies.allow("acme", "bytes", before.bytes + 10)
    answer = last()
    assert answer.status_code == FULL[way.dialect].status, answer.get_data()
    door.pass_time(700)
    door.sweep()
    assert door.house.tallies.standing("acme").tally.bytes == before.bytes


def test_who_may_read_assets_sees_what_his_tenant_takes_up(door):
    who, content = door.key(role="viewer"), picture()
    none = {"stored": 0, "inFlight": 0, "used": 0, "limit": None}
    door.run(Row("GET", "/v1/usage", who, shows={"bytes": none, "uploads": {"inFlight": 0, "limit": None}}))
    assert WAY["v1: raw"].send(door, door.key(), content).status_code == 202
    door.run(Row("POST", "/v1/uploads", door.key(), SMALL, 202))
    door.house.tallies.allow("acme", "bytes", 10_000)
    door.house.tallies.allow("acme", "uploads", 5)
    used = {"stored": len(content), "inFlight": 100, "used": len(content) + 100, "limit": 10_000}
    door.run(
        Row("GET", "/v1/usage", who, sends={"Cache-Control": "no-store"}, shows={"bytes": used, "uploads": {"inFlight": 1, "limit": 5}})
    )
    door.run(Row("GET", "/v1/usage", door.key("other"), shows={"bytes": none}))
    door.run(Row("GET", "/v1/usage", status=401))


# ---------------------------------------------------------------- pressure


@pytest.fixture
def busy(open_door):
    """A door behind which something has waited for ten minutes."""
    door = open_door(SLIPWAY_MAX_WAIT="300")
    door.jobs.hold = True
    assert WAY["v1: raw"].send(door, door.key(), photo(9, 9, "PNG", seed=7)).status_code == 202
    later(door, 600)
    return door


def later(door, seconds):
    door.pass_time(seconds)
    door.monotonic += seconds


@pytest.mark.parametrize(("dialect", "ask"), BEGINNINGS, ids=NAMES)
def test_new_work_is_refused_while_the_house_is_under_pressure(busy, dialect, ask):
    method, path, headers, body = ask
    who = SPEAK[dialect](busy) | headers
    answer = busy.run(Row(method, path, who, body, 503, sends={"Retry-After": "10"}))
    with busy.app.test_request_context(path):
        form = busy.app.extensions["slipway"].dialects[dialect].render(problem(Code.OVERLOADED))
    assert answer.content_type == form.content_type
    assert answer.get_json().keys() >= form.get_json().keys()
    for ref in list(busy.jobs.waiting):
        busy.house.process(ref.tenant, ref.id)
    later(busy, 1)
    busy.jobs.hold = False
    assert busy.send(method, path, who, body).status_code < 300


def test_the_native_door_says_which_part_and_asks_for_patience(busy):
    wanted = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    shown = {"code": "overloaded", "parts": ["queue"], "type": wanted, "title": "Overloaded"}
    busy.run(Row("POST", "/v1/uploads", busy.key(), SMALL, 503, {"Retry-After": "10"}, shown))
    busy.run(Row("GET", "/readyz?for=door", shows={"status": "ready", "pressure": has(queue=has(pressing=True, most=300.0))}))


@pytest.mark.parametrize("name", ["v1: announced", "v1: parts", "wdesk: image", "wdesk: file", "nomad: parts", "contentful: process"])
def test_what_was_begun_is_finished_under_pressure(open_door, name):
    way = WAY[name]
    door = open_door(SLIPWAY_MAX_WAIT="300")
    who = SPEAK[way.dialect](door)
    last = way.last(door, who, picture(), **LATER)
    door.jobs.hold = True
    assert WAY["v1: raw"].send(door, door.key(), photo(9, 9, "PNG", seed=7)).status_code == 202
    later(door, 301)
    assert WAY["v1: raw"].send(door, door.key(), picture()).status_code == 503
    assert last().status_code in {200, 202}


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A folder on a disk of 4 MiB; one that only says so, where nobody may mount another."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False).returncode == 0
    if not mounted:
        used = lambda: sum(file.stat().st_size for file in disk.rglob("*") if file.is_file())  # noqa: E731 - one line says it
        monkeypatch.setattr("app.stores.local.LocalStore.free", lambda _self: 4 * 1024 * 1024 - used())
    yield disk
    if mounted:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_disk_that_fills_keeps_new_work_out_until_there_is_room(open_door, small_disk):
    door = open_door(SLIPWAY_STORE=(small_disk / "store").as_uri(), SLIPWAY_DISK_RESERVE="2MiB")
    who, content = door.key(), picture()
    promise = door.run(Row("POST", "/v1/uploads", who, {"filename": "a.png", "size": len(content)}, 202)).get_json()
    (small_disk / "heap").write_bytes(bytes(2_500_000))
    later(door, 1)
    door.run(Row("POST", "/v1/uploads", who, SMALL, 503, shows={"parts": ["disk"]}))
    assert door.send("PUT", promise["upload"]["uploadUrl"], None, content).status_code < 300
    (small_disk / "heap").unlink()
    later(door, 1)
    door.run(Row("POST", "/v1/uploads", who, SMALL, 202))

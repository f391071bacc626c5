"""The lists of the native door: newest first, filtered, in pages that nothing made or removed meanwhile disturbs."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from app.core import listing
from app.core.operation import Status
from app.core.ports import Change
from app.core.reception import Opening
from app.core.target import Target
from tests.core.worlds import ANY_FILE, Bytes, World
from tests.dialects.house import BASE, Row
from tests.dialects.pictures import picture

OPERATIONS, ASSETS = "/v1/operations", "/v1/assets"
PNG = {"Content-Type": "image/png"}
BOTH = pytest.mark.parametrize("path", [OPERATIONS, ASSETS])


@pytest.fixture
def send(door, mine):
    """Sends a picture; gives its operation back. The clock goes on by a second."""

    def one(content: bytes = b"", headers=mine, **query: str):
        said = "&".join(f"{name}={value}" for name, value in query.items())
        made = door.run(Row("POST", f"/v1/uploads?{said}", headers | PNG, content or picture(), 202)).get_json()
        door.pass_time(1)
        return made

    return one


def ids(answer) -> list[str]:
    return [item["id"] for item in answer.get_json()["items"]]


def walk(door, headers, path: str, between=lambda: None) -> list[str]:
    """The ids of every page, in order; `between` runs between two."""
    found, where = [], path
    while where:
        answer = door.run(Row("GET", where, headers))
        found += ids(answer)
        where = answer.get_json()["next"]
        assert answer.headers.get("Link") == (f'<{where}>; rel="next"' if where else None)
        between()
    return found


# ---------------------------------------------------------------- what is in them


@BOTH
def test_nothing_yet(door, mine, path):
    door.run(Row("GET", path, mine, shows={"items": [], "next": None}, sends={"Link": None, "Cache-Control": "private, no-cache"}))


def test_operations_newest_first_and_as_each_is_shown(door, mine, send):
    made = [send()["id"] for _ in range(3)]
    answer = door.run(Row("GET", OPERATIONS, mine))
    assert ids(answer) == made[::-1]
    assert answer.get_json()["items"][0] == door.run(Row("GET", f"{OPERATIONS}/{made[2]}", mine)).get_json()


def test_assets_newest_first_and_as_each_is_shown(door, mine, send):
    for number in range(3):
        send(filename=f"{number}.png")
    items = door.run(Row("GET", ASSETS, mine)).get_json()["items"]
    assert [item["filename"] for item in items] == ["2.png", "1.png", "0.png"]
    assert items[1] == door.run(Row("GET", f"{ASSETS}/{items[1]['id']}", mine)).get_json()


@BOTH
def test_another_tenant_sees_nothing_even_with_our_cursor(door, mine, send, path):
    send(), send()
    following = door.run(Row("GET", f"{path}?limit=1", mine)).get_json()["next"]
    stranger = door.key("other", "admin")
    door.run(Row("GET", path, stranger, shows={"items": [], "next": None}))
    door.run(Row("GET", following, stranger, shows={"items": [], "next": None}))


@BOTH
def test_what_is_purged_leaves(door, mine, send, path):
    send()
    assert len(walk(door, mine, path)) == 1
    for _ in range(2):
        door.pass_time(8 * 86400)
        door.sweep()
    assert walk(door, mine, path) == []
    assert not list(door._redis().scan_iter("sh:*"))


def test_an_asset_past_its_deadline_is_not_shown_though_it_is_not_swept(door, mine, send):
    send()
    door.pass_time(86400)
    door.run(Row("GET", ASSETS, mine, shows={"items": []}))


def test_a_placeholder_has_no_bytes_and_is_not_listed(door, mine):
    door.house.library.placeholder(door.principal(), "v1", "soon.png")
    door.run(Row("GET", ASSETS, mine, shows={"items": []}))


@BOTH
@pytest.mark.parametrize(("role", "status"), [("viewer", 200), ("editor", 200), (None, 401)])
def test_who_may_read_them(door, path, role, status):
    door.run(Row("GET", path, door.key(role=role) if role else {}, status=status))


# ---------------------------------------------------------------- filters


def test_operations_by_status_and_kind(door, mine, send):
    done, bad = send()["id"], send(b"no picture")["id"]
    door.jobs.hold = True
    waiting = send()["id"]
    announced = door.run(Row("POST", "/v1/uploads", mine, {"filename": "x.png"}, 202)).get_json()["id"]
    rows = {
        "status=completed": [done],
        "status=failed": [bad],
        "status=queued,acknowledged": [announced, waiting],
        "status=queued&status=failed": [waiting, bad],
        "status=queued,failed&status=completed": [waiting, bad, done],
        "status=" + ",".join(Status): [announced, waiting, bad, done],
        "status=cancelled": [],
        "kind=ingest": [announced, waiting, bad, done],
        "kind=render": [],
        "kind=ingest&status=failed": [bad],
        "dialect=v1&status=failed": [bad],
        "dialect=squidex": [],
    }
    for query, wanted in rows.items():
        assert walk(door, mine, f"{OPERATIONS}?{query}") == wanted, query
        assert walk(door, mine, f"{OPERATIONS}?{query}&limit=1") == wanted, query


def test_a_status_that_changes_moves_the_operation(door, mine, send):
    door.jobs.hold = True
    one = send()["id"]
    assert walk(door, mine, f"{OPERATIONS}?status=queued") == [one]
    door.run(Row("DELETE", f"{OPERATIONS}/{one}", mine))
    assert walk(door, mine, f"{OPERATIONS}?status=queued") == []
    assert walk(door, mine, f"{OPERATIONS}?status=cancelled") == [one]


def test_assets_by_type(door, mine, send):
    send(filename="a.png")
    send(picture("GIF"), filename="b.gif")
    rows = {
        "image/png": ["a.png"],
        "IMAGE/GIF": ["b.gif"],
        "image/*": ["b.gif", "a.png"],
        "*/*": ["b.gif", "a.png"],
        "text/*": [],
        "image/x": [],
    }
    for wanted, names in rows.items():
        items = door.run(Row("GET", f"{ASSETS}?mediaType={wanted}", mine)).get_json()["items"]
        assert [item["filename"] for item in items] == names, wanted


def test_assets_by_folder_and_door(door, mine):
    who, world = door.principal(), World(door)
    folder, other = (door.house.folders.create(who, "squidex", name) for name in ("holidays", "empty"))
    in_root = world.asset_of(world.sent(b"root", who))
    up = door.house.reception.open(who, "squidex", ANY_FILE, Opening("a.bin", target=Target(parent=folder.id)))
    inside = world.asset_of(door.house.reception.take(up, Bytes(b"lies in it")))
    assert walk(door, mine, f"{ASSETS}?folder={folder.id}") == [inside.id]
    assert walk(door, mine, f"{ASSETS}?folder={folder.id}&dialect=v1") == []
    assert in_root.id in walk(door, mine, f"{ASSETS}?folder=root")
    assert inside.id not in walk(door, mine, f"{ASSETS}?folder=root")
    assert walk(door, mine, f"{ASSETS}?folder=root&dialect=squidex") == []
    assert walk(door, mine, f"{ASSETS}?dialect=squidex") == [inside.id]
    assert walk(door, mine, f"{ASSETS}?folder={other.id}") == []
    door.run(Row("GET", f"{ASSETS}?folder=nowhere", mine, status=404, shows={"code": "not_found"}))
    door.run(Row("GET", f"{ASSETS}?folder={folder.id}", door.key("other"), status=404))
    door.house.folders.delete(other)
    door.run(Row("GET", f"{ASSETS}?folder={other.id}", mine, status=410, shows={"code": "gone"}))


@BOTH
def test_by_age(door, mine, send, path):
    for _ in range(4):
        send()
    items = door.run(Row("GET", path, mine)).get_json()["items"]
    when, found = [item["createdAt"] for item in items], [item["id"] for item in items]
    rows = {
        f"createdBefore={when[1]}": found[2:],
        f"createdAfter={when[2]}": found[:3],  # what is shown was cut to milliseconds: not after what it stands for
        f"createdAfter={when[3]}&createdBefore={when[1]}": found[2:],
        f"createdAfter={when[0][:-5]}%2B00:00": found[:1],
        "createdAfter=2100-01-01T00:00:00Z": [],
        "createdBefore=1970-01-01t00:00:00z": [],
        "createdAfter=0001-01-01T00:00:00%2B23:59": found,
    }
    for query, wanted in rows.items():
        assert walk(door, mine, f"{path}?{query}") == wanted, query
        assert walk(door, mine, f"{path}?{query}&limit=1") == wanted, query


# ---------------------------------------------------------------- pages


@BOTH
def test_pages_are_the_whole_list(door, mine, send, path):
    for _ in range(7):
        send()
    whole = ids(door.run(Row("GET", path, mine)))
    for limit in (1, 2, 3, 7, 8):
        pages = []
        assert walk(door, mine, f"{path}?limit={limit}", lambda pages=pages: pages.append(1)) == whole
        assert len(pages) == -(-7 // limit)


def test_a_page_follows_the_filters_and_may_have_another_size(door, mine, send):
    for _ in range(3):
        send()
    following = door.run(Row("GET", f"{OPERATIONS}?status=completed&limit=1&createdAfter=2020-01-01T00:00:00Z", mine)).get_json()["next"]
    assert following.startswith(f"{BASE}{OPERATIONS}?")
    assert len(ids(door.run(Row("GET", following.replace("limit=1", "limit=9"), mine)))) == 2
    door.run(
        Row(
            "GET", following.replace("completed", "failed"), mine, status=422, shows={"errors": ["cursor: It was given for other filters."]}
        )
    )
    door.run(Row("GET", following.replace(OPERATIONS, ASSETS).replace("status=completed&", ""), mine, status=422))


def test_a_filter_that_lets_little_through_reads_no_more_than_it_may(door, mine, send, monkeypatch):
    monkeypatch.setattr(listing, "SCANNED", 4)
    monkeypatch.setattr(listing, "BATCH", 2)
    first = send(filename="needle.png")["id"]
    rare = door.house.library.operation(door.principal(), first)
    door.house.records.commit([rare.ref], lambda op: Change(put=(replace(op, version=op.version + 1, kind="render"),)))
    for _ in range(9):
        send()
    pages = []
    door.run(Row("GET", f"{OPERATIONS}?kind=render", mine, shows={"items": [], "next": bool}))
    assert walk(door, mine, f"{OPERATIONS}?kind=render", lambda: pages.append(1)) == [first]
    assert len(pages) == 3


def cursor(*values) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


CURSORS = [
    "",
    "x",
    "AAAA",
    "é",
    "%ff",
    "x" * 5000,
    cursor(),
    cursor(1, "a"),
    cursor("1", "a", "f"),
    cursor(1, 2, 3),
    cursor(None, "a", "f"),
]
CURSORS += [
    cursor(float("nan"), "a", "f"),
    cursor(1e999, "a", "f"),
    cursor(10**400, "a", "f"),
    cursor(1, "\ud800", "f"),
    cursor(1, "", "f"),
]
CURSORS += [cursor(1, "a" * 500, "f"), cursor(1, ["a"], "f"), base64.urlsafe_b64encode(b"[" * 700).decode(), cursor(1, "a", "f")]


@BOTH
def test_a_cursor_that_is_none(door, mine, path):
    for told in CURSORS:
        answer = door.run(
            Row("GET", f"{path}?cursor={told if told == '%ff' else quote(told)}", mine, status=422, shows={"code": "invalid"})
        )
        assert answer.get_json()["errors"][0].startswith("cursor: ")


QUERIES = {
    "limit": ["0", "201", "-1", "x", "", "1.5", "1e2", "٣", "9" * 6000, " 5", "5_0"],
    "createdAfter": [
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00+02:00",
        "0000-01-01T00:00:00Z",
        "5",
    ],
    "createdBefore": ["2026-W01-1T00:00:00Z", "\uff12026-01-01T00:00:00Z", "2026-01-01T24:00:01Z"],
    "dialect": ["", "x" * 65],
    "nonsense": ["1"],
}
OWN = {
    OPERATIONS: {"status": ["", "done", "queued,", "queued,,failed", "QUEUED"], "kind": ["", "x"], "folder": ["root"]},
    ASSETS: {"mediaType": ["", "image", "image/", "/png", "image/png;q=1", "a b/c"], "folder": ["", "x" * 129], "status": ["queued"]},
}
REFUSED = [(path, name, value) for path, own in OWN.items() for name, values in {**QUERIES, **own}.items() for value in values]


def test_a_query_that_is_none_names_its_field(door, mine):
    for path, name, value in REFUSED:
        told = value if value.endswith("+02:00") else quote(value)  # a + that was not written as %2B
        answer = door.run(Row("GET", f"{path}?{name}={told}", mine, status=422, shows={"code": "invalid"}))
        assert answer.get_json()["errors"][0].startswith(f"{name}: ")


@BOTH
def test_what_is_asked_twice(door, mine, path):
    for name in ("limit", "cursor", "createdAfter", "dialect"):
        door.run(Row("GET", f"{path}?{name}=1&{name}=2", mine, status=422, shows={"code": "invalid"}))

"""The Contentful door: lists of assets, and how they are asked."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dialects.contentful.speak import JSON, MASTER, PREFIXES, asset, body, fetched, file_from, processed, put, refusal, upload
from tests.dialects.house import Door, Row, has
from tests.dialects.pictures import picture

LIST = f"{MASTER}/assets"
PUBLIC = f"{MASTER}/public/assets"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A door that is only looked through, with four assets: a photo that is published, a sound, a draft without a file, one in the archive."""
    door = Door(tmp_path_factory.mktemp("shelf"))
    mine = door.key()
    _stock(door, mine)
    yield door, mine
    door.close()


def _stock(door, mine):
    photo = processed(
        door, mine, body({"en-US": file_from(upload(door, mine)), "de": file_from(upload(door, mine))}, "A black Cat"), "photo"
    )
    put(door, mine, photo, "published")
    door.pass_time(1)
    sound = body({"en-US": file_from(upload(door, mine, b"miaow"), "miaow.mp3", "audio/mpeg")}, "Sound of a cat")
    processed(door, mine, sound | {"metadata": {"tags": [{"sys": {"type": "Link", "linkType": "Tag", "id": "loud"}}]}}, "sound")
    door.pass_time(1)
    asset(door, mine, {"fields": {"title": {"de": "Entwurf"}, "description": {"de": "Ohne Datei", "en-US": None}}}, "draft")
    door.pass_time(1)
    put(door, mine, asset(door, mine, {"fields": {}}, "gone"), "archived")
    door.pass_time(1)


def ids(door, mine, query, where=LIST):
    found = door.run(Row("GET", f"{where}?{query}", mine, sends={"Content-Type": JSON})).get_json()
    return [item["sys"]["id"] for item in found["items"]]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_empty_list(door, mine, prefix):
    empty = {"sys": {"type": "Array"}, "total": 0, "skip": 0, "limit": 100, "items": []}
    for below in ("assets", "public/assets"):
        assert door.run(Row("GET", f"{prefix}/{below}", mine)).get_json() == empty


def test_the_items_are_what_each_shows_alone(shelf):
    door, mine = shelf
    answer = door.run(Row("GET", LIST, mine, sends={"ETag": bool}, shows={"total": 4, "skip": 0, "limit": 100}))
    items = answer.get_json()["items"]
    assert [item["sys"]["id"] for item in items] == ["gone", "draft", "sound", "photo"]
    assert items == [fetched(door, mine, item) for item in items]
    door.run(Row("GET", LIST, mine | {"If-None-Match": answer.headers["ETag"]}, status=304))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("limit=2", ["gone", "draft"]),
        ("skip=1&limit=2", ["draft", "sound"]),
        ("skip=9", []),
        ("limit=0", []),
        ("order=sys.createdAt&limit=2", ["photo", "sound"]),
        ("order=sys.id", ["draft", "gone", "photo", "sound"]),
        ("order=-sys.id&skip=1", ["photo", "gone", "draft"]),
        ("order=-sys.version,sys.id", ["photo", "gone", "sound", "draft"]),
        ("order=fields.title", ["gone", "photo", "draft", "sound"]),
        ("order=-fields.file.details.size&limit=2", ["photo", "sound"]),
        ("order=-sys.updatedAt", ["gone", "draft", "sound", "photo"]),
        ("sys.id=sound", ["sound"]),
        ("sys.id[in]=sound,photo,none", ["sound", "photo"]),
        ("sys.id[nin]=sound,photo", ["gone", "draft"]),
        ("sys.id[ne]=draft", ["gone", "sound", "photo"]),
        ("sys.id[match]=OUN", ["sound"]),
        ("sys.version=2", ["gone", "sound"]),
        ("sys.version[gte]=3", ["photo"]),
        ("sys.version[lt]=2", ["draft"]),
        ("sys.version[gt]=many", []),
        ("sys.publishedAt[exists]=true", ["photo"]),
        ("sys.publishedAt[exists]=false&sys.archivedAt[exists]=false", ["draft", "sound"]),
        ("sys.createdAt[gte]=2020-01-01", ["gone", "draft", "sound", "photo"]),
        ("sys.createdAt[lt]=2020-01-01T00:00:00Z", []),
        ("sys.createdAt[lte]=9999-12-31T23:59:59%2B01:00", ["gone", "draft", "sound", "photo"]),
        ("sys.createdAt[gt]=0001-01-01T00:00:00%2B14:00", ["gone", "draft", "sound", "photo"]),
        ("sys.createdBy.sys.linkType=User&limit=1", ["gone"]),
        ("fields.title=Sound of a cat", ["sound"]),
        ("fields.title.de=A black Cat", ["photo"]),
        ("fields.title.en-US=Entwurf", []),
        ("fields.title[match]=CAT black", ["photo"]),
        ("fields.title[exists]=false", ["gone"]),
        ("fields.description.en-US[exists]=true", []),
        ("fields.file[exists]=true", ["sound", "photo"]),
        ("fields.file.contentType=image/png", ["photo"]),
        ("fields.file.fileName[match]=miaow", ["sound"]),
        ("fields.file.de.fileName=cat.png", ["photo"]),
        ("fields.file.details.size[lte]=5", ["sound"]),
        ("fields.file.details.image.width=8", ["photo"]),
        ("fields.file.url[exists]=true&fields.file.contentType[in]=audio/mpeg", ["sound"]),
        ("metadata.tags.sys.id[in]=loud,red", ["sound"]),
        ("metadata.tags.sys.id[all]=loud", ["sound"]),
        ("metadata.tags.sys.id[all]=loud,red", []),
        ("metadata.tags[exists]=true", ["sound"]),
        ("mimetype_group=image", ["photo"]),
        ("mimetype_group=audio", ["sound"]),
        ("mimetype_group=attachment", []),
        ("query=cat", ["sound", "photo"]),
        ("query=ohne datei", ["draft"]),
        ("query=MP3 sound", ["sound"]),
        ("locale=en-US&include=3&limit=1", ["gone"]),
    ],
)
def test_queries(shelf, query, wanted):
    door, mine = shelf
    assert ids(door, mine, query) == wanted


def test_the_total_counts_what_was_found(shelf):
    door, mine = shelf
    door.run(Row("GET", f"{LIST}?query=cat&limit=1", mine, shows={"total": 2, "skip": 0, "limit": 1}))
    door.run(Row("GET", f"{LIST}?limit=1&skip=1", mine, shows={"total": 4, "skip": 1, "limit": 1}))


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=" + "9" * 5000,
        "skip=-1",
        "skip=99999999999999",
        "skip=",
        "content_type=cat",
        "foo=bar",
        "=x",
        "sys..id=x",
        "sys.id[like]=x",
        "sys.id[in=x",
        "sys.id[in][in]=x",
        "fields.price=3",
        "fields.price[exists]=true",
        "sys.publishedAt[exists]=perhaps",
        "order=name",
        "order=fields.price",
        "order=,",
        "order=" + ",".join(["sys.id"] * 101),
        "select=price",
        "select=fields.price",
        "select=fields,",
        "mimetype_group=cats",
        "&".join(f"sys.a{number}[ne]=x" for number in range(101)),
        "sys.a.b.c.d.e.f.g.h=1",
        "cursor=perhaps",
        "cursor=true&pageNext=x",
        "cursor=true&pageNext=LTE=",
        "cursor=true&pageNext=%C3%A4",
        "cursor=true&pageNext=OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    ],
)
@pytest.mark.parametrize("where", [LIST, PUBLIC])
def test_queries_that_mean_nothing(shelf, where, query):
    door, mine = shelf
    answer = door.run(Row("GET", f"{where}?{query}", mine, status=400))
    assert answer.get_json()["sys"] == {"type": "Error", "id": "InvalidQuery"}
    assert answer.get_json()["message"].startswith("The query you sent was invalid.")
    assert all(error["name"] and error["details"] for error in answer.get_json()["details"]["errors"])


@pytest.mark.parametrize(
    ("select", "shape"),
    [
        ("sys", {"sys"}),
        ("fields.title,sys", {"sys", "fields"}),
        ("fields", {"fields"}),
        ("metadata.tags", {"metadata"}),
        ("fields.title.de", {"fields"}),
    ],
)
def test_a_selection(shelf, select, shape):
    door, mine = shelf
    [item] = door.run(Row("GET", f"{LIST}?sys.id=photo&select={select}", mine)).get_json()["items"]
    assert set(item) == shape
    whole = fetched(door, mine, {"sys": {"id": "photo"}})
    if "title" in select:
        wanted = whole["fields"]["title"] if "de" not in select else {"de": "A black Cat"}
        assert item["fields"] == {"title": wanted}
    assert door.run(Row("GET", f"{LIST}/photo?select={select}", mine)).get_json() == item
    door.run(Row("GET", f"{LIST}/photo?select=price", mine, status=400))


def test_a_selection_of_parts_of_sys(door, mine):
    made = asset(door, mine)
    [item] = door.run(Row("GET", f"{LIST}?select=sys.id,sys.version,sys.publishedAt,metadata", mine)).get_json()["items"]
    assert item == {"sys": {"id": made["sys"]["id"], "version": 1}, "metadata": {"tags": [], "concepts": []}}


def test_what_is_published(shelf):
    door, mine = shelf
    found = door.run(Row("GET", PUBLIC, mine, shows={"total": 1})).get_json()["items"][0]
    draft = fetched(door, mine, found)
    assert found["fields"] == draft["fields"]
    assert set(found["sys"]) == {"space", "environment", "id", "type", "revision", "createdAt", "updatedAt", "publishedVersion"}
    assert (found["sys"]["revision"], found["sys"]["updatedAt"]) == (1, draft["sys"]["publishedAt"])
    assert ids(door, mine, "fields.title[match]=cat&order=-sys.updatedAt", PUBLIC) == ["photo"]
    assert ids(door, mine, "fields.title[match]=sound", PUBLIC) == []


def test_a_list_has_what_is_its_spaces_and_its_doors(door, mine):
    other = door.key("other")
    door.run(Row("POST", "/contentful/spaces/other/assets", other, {"fields": {}}, 201))
    door.run(Row("POST", "/v1/uploads", mine | {"Content-Type": "image/png"}, picture(), 202))
    assert ids(door, mine, "") == []
    processed(door, mine)
    assert len(ids(door, mine, "")) == 1
    assert len(door.run(Row("GET", "/contentful/spaces/other/assets", other)).get_json()["items"]) == 1


# ---------------------------------------------------------------- pages by cursor


@pytest.mark.parametrize("query", ["", "&order=sys.id", "&sys.archivedAt[exists]=false", "&select=sys"])
def test_pages_by_cursor(shelf, query):
    door, mine = shelf
    seen, where = [], f"{LIST}?cursor=true&limit=2{query}"
    while where:
        page = door.run(Row("GET", where, mine, shows={"limit": 2, "total": None, "skip": None, "sys": {"type": "Array"}})).get_json()
        seen += [item["sys"]["id"] for item in page["items"]]
        where = page["pages"].get("next")
        if where:
            assert parse_qs(urlsplit(where).query)["pageNext"]
    assert seen == ids(door, mine, query)
    assert "pagePrev" in page["pages"]["prev"]
    back = door.run(Row("GET", page["pages"]["prev"], mine)).get_json()
    assert [item["sys"]["id"] for item in back["items"]] == seen[:2]
    assert "prev" not in back["pages"]


@pytest.mark.parametrize("cursor", ["", "&cursor=true"])
def test_a_page_is_no_larger_than_the_vendors(door, mine, cursor):
    for _ in range(8):
        asset(door, mine, {"fields": {"title": {"en-US": "a" * 1_000_000}}})
    message = "Response size too big. Maximum allowed response size: 7340032B."
    door.run(Row("GET", f"{LIST}?limit=8{cursor}", mine, status=400, shows=refusal("BadRequest", message=message, details=None)))
    assert len(door.run(Row("GET", f"{LIST}?limit=7{cursor}", mine)).get_json()["items"]) == 7
    assert len(door.run(Row("GET", f"{LIST}?select=sys{cursor}", mine)).get_json()["items"]) == 8


def test_pages_of_nothing_lead_nowhere(shelf):
    door, mine = shelf
    door.run(Row("GET", f"{LIST}?cursor=true&limit=0", mine, shows={"items": [], "pages": {}}))


# ---------------------------------------------------------------- space and environment


def test_the_space_and_its_environment(door, mine):
    space = door.run(Row("GET", "/contentful/spaces/acme", mine, sends={"Content-Type": JSON})).get_json()
    assert (space["sys"]["type"], space["sys"]["id"], space["name"]) == ("Space", "acme", "acme")
    assert door.run(Row("GET", "/contentful/spaces", mine, shows={"total": 1})).get_json()["items"] == [space]
    environment = door.run(Row("GET", MASTER, mine)).get_json()
    assert (environment["sys"]["type"], environment["sys"]["id"], environment["name"]) == ("Environment", "master", "master")
    assert environment["sys"]["space"]["sys"]["id"] == "acme"
    assert door.run(Row("GET", "/contentful/spaces/acme/environments", mine, shows={"total": 1})).get_json()["items"] == [environment]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_another_space_or_environment_is_unknown(door, mine, method):
    below = {"GET": "assets/x", "PUT": "assets/x", "POST": "assets", "DELETE": "assets/x"}[method]
    sent = {"fields": {}} if method in {"PUT", "POST"} else None
    for environment, details in (
        ("other/environments/master", {"type": "Space", "id": "other"}),
        ("acme/environments/staging", {"type": "Environment", "space": "acme", "id": "staging"}),
    ):
        shows = refusal("NotFound", details=details)
        door.run(Row(method, f"/contentful/spaces/{environment}/{below}", mine, sent, 404, shows=shows))
    door.run(Row("GET", "/contentful/spaces/acme/environments/staging", mine, status=404, shows={"sys": has(id="NotFound")}))

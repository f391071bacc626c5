"""Lists: in the vendor's two query languages, over assets whose differences are chosen for it."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import UploadError
from app.dialects.squidex import odata, queries
from tests.dialects.house import Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import ASSETS, ROOT, asset, folder, refusal


@pytest.fixture
def shelf(door, mine):
    """Four assets made ten seconds apart: a.png (protected, 8x6), b.PNG in a folder (20x6), c.txt, d.md (annotated)."""
    pictures = folder(door, mine)["id"]
    made = {}
    for name, content, kind, query in (
        ("a.png", picture("PNG", 8, 6), "image/png", "?id=a"),
        ("b.PNG", picture("PNG", 20, 6), "image/png", f"?id=b&parentId={pictures}"),
        ("c.txt", b"ccc", "text/plain", "?id=c"),
        ("d.md", b"dddd", "text/markdown", "?id=d"),
    ):
        made[name[0]] = asset(door, mine, content, name, kind, query)
        door.pass_time(10)
    door.run(Row("PUT", f"{ASSETS}/a", mine, {"isProtected": True}))
    door.pass_time(10)
    door.run(
        Row(
            "PUT",
            f"{ASSETS}/d",
            mine,
            {"tags": ["Mine", "other"], "metadata": {"n": 5, "s": "x", "list": ["p", "q"], "deep": {"er": True}}},
        )
    )
    return made | {"folder": pictures}


def ids(door, who, query="", status=200, **more):
    answer = door.run(Row("GET", f"{ASSETS}{query and '?'}{query}", who, status=status, **more)).get_json()
    return "".join(each["id"] for each in answer["items"])


def filtered(door, who, text):
    return ids(door, who, urlencode({"$filter": text}))


FILTERS = [
    ("fileName eq 'a.png'", "a"),
    ("fileName ne 'a.png'", "dcb"),
    ("filename eq 'A.PNG'", ""),
    ("fileName in ('a.png', 'c.txt')", "ac"),
    ("contains(fileName, '.PN')", "ab"),
    ("startswith(fileName,'C')", "c"),
    ("endswith(fileName,'md') eq true", "d"),
    ("endswith(fileName,'md') ne true", "acb"),
    ("not endswith(fileName,'md')", "acb"),
    ("not (fileName eq 'a.png' or fileName eq 'b.PNG')", "dc"),
    ("fileSize eq 3", "c"),
    ("fileSize gt 3 and fileSize le 4", "d"),
    ("fileSize lt 4.5", "dc"),
    ("version ge 1", "da"),
    ("isProtected eq true", "a"),
    ("isProtected ne true", "dcb"),
    ("type eq 'Image'", "ab"),
    ("mimeType eq 'text/plain' or mimeType eq 'text/markdown' and fileSize eq 99", "c"),
    ("tags eq 'image'", "ab"),
    ("tags ne 'image'", "dc"),
    ("tags in ('Mine', 'type/txt')", "dc"),
    ("contains(tags, 'TYPE/')", "acb"),
    ("empty(tags)", ""),
    ("metadata/pixelWidth eq 20", "b"),
    ("metadata/pixelWidth gt 8", "b"),
    ("metadata.n eq 5", "d"),
    ("metadata/n eq '5'", ""),
    ("metadata/s eq 'x'", "d"),
    ("metadata/list eq 'q'", "d"),
    ("metadata/deep/er eq true", "d"),
    ("metadata/deep/er eq 1", ""),
    ("metadata/none eq null", "dacb"),
    ("exists(metadata/n)", "d"),
    ("empty(metadata/n)", "acb"),
    ("slug eq 'b.png'", "b"),
    ("createdBy eq 'client:acme:default'", "dacb"),
    ("created gt 1970-01-01T00:00:00Z and created lt 2999-01-01", "dacb"),
    ("lastModified lt 1970-01-01", ""),
    ("parentId eq 00000000-0000-0000-0000-000000000000", "dac"),
    ("isDeleted eq false", "dacb"),
    ("isDeleted eq true", ""),
    ("id eq 'it''s'", ""),
    ("  fileName   eq 'c.txt'  ", "c"),
]


@pytest.mark.parametrize(("text", "found"), FILTERS)
def test_odata_filters(door, mine, shelf, text, found):
    assert filtered(door, mine, text) == found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nothing eq 1", "'nothing' does not point"),
        ("fileName/x eq 1", "does not point"),
        ("metadata eq 1", "does not point"),
        ("fileSize eq 'x'", "Expected Number"),
        ("fileSize contains 'x'", "no operator"),
        ("contains(fileSize, 1)", "not a valid operator"),
        ("isProtected eq 1", "Expected Boolean"),
        ("created gt yesterday", "ISO8601"),
        ("created gt 1", "Expected DateTime"),
        ("matchs(fileName, '(a+)+$')", "not supported"),
        ("geo.distance(metadata/x, 1) lt 2", "$filter"),
        ("fileName", "too early"),
        ("fileName eq", "too early"),
        ("fileName eq 'x", "no end"),
        ("(fileName eq 'x'", "too early"),
        ("fileName eq 'x')", "unexpected"),
        ("fileName eq 'x' xor a eq 'b'", "unexpected"),
        ("fileName in ()", "unexpected"),
        ("fileName in 'a'", "unexpected"),
        ("contains(fileName)", "unexpected"),
        ("contains(fileName, 'a') eq 'b'", "true or false"),
        ("not", "too early"),
        (",", "unexpected"),
        ("(" * 200 + "fileSize eq 1", "too deep"),
        ("not " * 200 + "empty(tags)", "too deep"),
    ],
)
def test_a_filter_that_is_none_is_refused(door, mine, text, word):
    door.run(Row("GET", f"{ASSETS}?{urlencode({'$filter': text})}", mine, status=400, shows={"details": lambda v: word in v[0]}))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["(", ")", ",", "'", "not", "and", "or", "eq", "in", "fileName", "empty", "contains", "1", "'x'", " ", "true"])
        | st.text(max_size=3)
    )
)
def test_no_filter_is_an_error_of_ours(words):
    with suppress(UploadError):
        odata.condition(" ".join(words))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("fileName", "abcd"),
        ("fileName desc", "dcba"),
        ("fileSize asc", "cdab"),
        ("type, fileName desc", "badc"),
        ("created", "abcd"),
        ("lastModified desc", "dacb"),
        ("metadata/pixelWidth desc,id", "bacd"),
        ("tags", "dbac"),
    ],
)
def test_odata_orders(door, mine, shelf, text, order):
    assert ids(door, mine, urlencode({"$orderby": text})) in {order, order.replace("ba", "ab")}


@pytest.mark.parametrize("text", ["nothing", "fileName up", "fileName desc desc", ",", "metadata"])
def test_an_order_that_is_none_is_refused(door, mine, text):
    door.run(Row("GET", f"{ASSETS}?{urlencode({'$orderby': text})}", mine, status=400, shows={"message": "Validation error"}))


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("", "dacb", 4),
        ("$top=2", "da", 4),
        ("$top=2&$skip=1", "ac", 4),
        ("$TOP=1&$SKIP=3", "b", 4),
        ("$top=0", "dacb", 4),
        ("$top=1000000000000", "dacb", 4),
        ("$skip=9", "", 4),
        ("$top=", "dacb", 4),
        ("$filter=fileSize lt 5&$top=1", "d", 2),
        ("parentId={root}", "dac", 3),
        ("ParentId={folder}", "b", 1),
        ("parentId=nowhere", "", 0),
        ("ids=c,a,none,c", "ca", 2),
        ("ids=c&parentId={folder}&$filter=fileName eq 'x'", "c", 1),
    ],
)
def test_pages_places_and_ids(door, mine, shelf, query, found, total):
    at = query.format(root=ROOT, folder=shelf["folder"]).replace(" ", "%20")
    assert ids(door, mine, at, shows={"total": total}) == found


@pytest.mark.parametrize("query", ["$top=-1", "$skip=-1", "$top=x", "$skip=1.5", "$top=1e99", "$top=" + "9" * 30, "$search=x"])
def test_a_page_that_is_none_is_refused(door, mine, query):
    door.run(Row("GET", f"{ASSETS}?{query}", mine, status=400, shows={"message": "Validation error"}))


@pytest.mark.parametrize("header", ["X-NoTotal", "X-NoSlowTotal"])
@pytest.mark.parametrize(
    ("query", "sent", "total"), [("$top=2", "true", -1), ("$skip=1", "1", -1), ("", "true", 4), ("$top=2", "false", 4)]
)
def test_a_total_that_nobody_wants_is_not_counted(door, mine, shelf, header, query, sent, total):
    door.run(Row("GET", f"{ASSETS}?{query}", mine | {header: sent}, shows={"total": total}))


def test_a_page_has_two_hundred_at_most(door, mine, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 3)
    for n in range(4):
        asset(door, mine, bytes([n]), f"{n}.txt")
    for query in ("", "$top=100"):
        told = door.run(Row("GET", f"{ASSETS}?{query}", mine)).get_json()
        assert (len(told["items"]), told["total"]) == (3, 4)


# ---------------------------------------------------------------- JSON

JSONS = [
    ({}, "dacb"),
    ({"filter": {"path": "fileName", "op": "eq", "value": "a.png"}}, "a"),
    ({"Filter": {"Path": "FileName", "Op": "EQ", "Value": "a.png"}}, "a"),
    ({"filter": {"and": [{"path": "fileSize", "op": "lt", "value": 5}, {"path": "fileSize", "op": "ge", "value": 4}]}}, "d"),
    ({"filter": {"or": [{"path": "id", "op": "eq", "value": "a"}, {"path": "id", "op": "eq", "value": "b"}]}}, "ab"),
    ({"filter": {"not": {"path": "tags", "op": "in", "value": ["image", "Mine"]}}}, "c"),
    ({"filter": {"path": "metadata.pixelWidth", "op": "gt", "value": 8}}, "b"),
    ({"filter": {"path": "metadata.s", "op": "exists", "value": True}}, "d"),
    ({"filter": {"path": "metadata.s", "op": "exists", "value": False}}, "acb"),
    ({"filter": {"path": "metadata.s", "op": "empty"}}, "acb"),
    ({"filter": {"path": "fileName", "op": "startsWith", "value": "C"}}, "c"),
    ({"filter": {"path": "fileName", "op": "endswith", "value": "TXT"}}, "c"),
    ({"filter": {"path": "fileName", "op": "contains", "value": "."}, "sort": [{"path": "fileName", "order": "descending"}]}, "dcba"),
    ({"sort": [{"path": "fileName"}], "take": 2}, "ab"),
    ({"sort": [{"path": "fileName"}], "top": 2, "skip": 1}, "bc"),
    ({"filter": {"path": "isDeleted", "op": "eq", "value": True}}, ""),
    ({"filter": None, "sort": None, "take": None, "fullText": None}, "dacb"),
    ({"filter": {"and": []}}, "dacb"),
    ({"filter": {"or": []}}, ""),
    ({"filter": {"path": "id", "op": "in", "value": "a"}}, "a"),
]


@pytest.mark.parametrize(("query", "found"), JSONS)
@pytest.mark.parametrize("way", ["get", "post", "post as text"])
def test_json_queries(door, mine, shelf, query, found, way):
    if way == "get":
        assert ids(door, mine, f"q={quote(json.dumps(query))}") == found
        return
    sent = {"q": query if way == "post" else json.dumps(query)}
    told = door.run(Row("POST", f"{ASSETS}/query", mine, sent)).get_json()
    assert "".join(each["id"] for each in told["items"]) == found


@pytest.mark.parametrize(
    "query",
    [
        [],
        "x",
        7,
        {"filter": "x"},
        {"filter": []},
        {"filter": {}},
        {"filter": {"path": "fileName"}},
        {"filter": {"path": 7, "op": "eq", "value": 1}},
        {"filter": {"path": "fileName", "op": 7, "value": 1}},
        {"filter": {"path": "fileName", "op": "like", "value": "x"}},
        {"filter": {"path": "fileName", "op": "matchs", "value": "(a+)+$"}},
        {"filter": {"path": "fileName", "op": "eq", "value": ["a"]}},
        {"filter": {"path": "fileName", "op": "eq", "value": {"a": 1}}},
        {"filter": {"path": "fileName", "op": "eq", "value": 7}},
        {"filter": {"path": "fileName", "op": "in", "value": [7]}},
        {"filter": {"path": "nothing", "op": "eq", "value": 7}},
        {"filter": {"and": "x"}},
        {"filter": {"and": [7]}},
        {"filter": {"not": 7}},
        {"sort": "x"},
        {"sort": [{"order": "ascending"}]},
        {"sort": [{"path": "fileName", "order": "up"}]},
        {"sort": [{"path": "nothing"}]},
        {"take": -1},
        {"take": "x"},
        {"skip": 1e99},
        {"fullText": "x"},
    ],
)
@pytest.mark.parametrize("way", ["get", "post"])
def test_a_json_query_that_is_none_is_refused(door, mine, query, way):
    row = Row("GET", f"{ASSETS}?q={quote(json.dumps(query))}", mine) if way == "get" else Row("POST", f"{ASSETS}/query", mine, {"q": query})
    answer = door.send(row.method, row.path, mine, row.body)
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Validation error"), answer.get_data()


@pytest.mark.parametrize("text", ["{", "NaN", "nothing", "[" * 100_000, '{"filter":' * 5000, '{"take": 1e999}', '"\\ud800"'])
def test_a_query_that_is_no_json_is_refused(door, mine, text):
    door.run(Row("GET", f"{ASSETS}?q={quote(text)}", mine, status=400, shows={"message": "Validation error"}))


@pytest.mark.parametrize("depth", [900, 960, 965, 970, 975, 5000])
def test_a_value_that_is_nested_without_end_is_refused(door, mine, depth):
    query = '{"filter": {"path": "id", "op": "empty", "value": ' + "[" * depth + "]" * depth + "}}"
    door.run(Row("GET", f"{ASSETS}?q={quote(query)}", mine, status=400, shows=refusal(400, "Json query not valid: it cannot be read")))


def deep(depth):
    node = {"path": "id", "op": "eq", "value": "a"}
    for _ in range(depth):
        node = {"not": node}
    return {"q": {"filter": node}}


def test_a_query_may_be_deep_but_not_endless(door, mine, shelf):
    assert len(door.run(Row("POST", f"{ASSETS}/query", mine, deep(40))).get_json()["items"]) == 1
    door.run(Row("POST", f"{ASSETS}/query", mine, deep(60), 400))


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({}, "dacb"),
        ({"oData": "?$filter=fileSize lt 5&$orderby=fileName"}, "cd"),
        ({"oData": "$top=1&$skip=1"}, "a"),
        ({"OData": "$top=1", "q": {"take": 2}}, "da"),
        ({"parentId": ROOT}, "dac"),
        ({"ids": ["b", "none", "a"]}, "ba"),
        ({"ids": None, "q": None, "oData": None, "parentId": None}, "dacb"),
    ],
)
def test_a_posted_query(door, mine, shelf, sent, found):
    told = door.run(Row("POST", f"{ASSETS}/query/", mine, sent)).get_json()
    assert "".join(each["id"] for each in told["items"]) == found
    assert "_links" in told


@pytest.mark.parametrize(
    "sent", [{"ids": "a"}, {"ids": [7]}, {"oData": 7}, {"oData": "$filter=x"}, {"parentId": 7}, {"oData": "x" * 20_000}]
)
def test_a_posted_query_of_the_wrong_kind_is_refused(door, mine, sent):
    door.run(Row("POST", f"{ASSETS}/query", mine, sent, 400, shows=refusal(400, message="Validation error")))

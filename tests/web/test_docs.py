"""The page for people: everything of the document is on it, and nothing comes from elsewhere."""

import re
from html.parser import HTMLParser

import pytest

from app.dialects.v1.openapi import document
from app.web.docs import kind
from tests.dialects.house import BASE, Door, Row


@pytest.fixture
def door(tmp_path):
    opened = Door(tmp_path)
    yield opened
    opened.close()


class Read(HTMLParser):
    """The ids, the links and the tags of a page."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.links, self.tags = [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.add(tag)
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told[name] for name in ("href", "src") if name in told]
        assert not [name for name in told if name.startswith("on") or name == "style"]


def test_the_way_there(door):
    door.run(Row("GET", "/", status=302, sends={"Location": f"{BASE}/docs"}))
    door.run(Row("POST", "/", status=405, sends={"Content-Type": "application/problem+json"}))


def test_the_page_has_everything_of_the_document(door):
    answer = door.run(Row("GET", "/docs", sends={"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff"}))
    read, told = Read(answer.text), document(BASE)
    operations = {one["operationId"] for methods in told["paths"].values() for one in methods.values()}
    schemas = {f"schema-{name}" for name in told["components"]["schemas"]}
    assert operations | schemas <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)


def test_nothing_comes_from_elsewhere(door):
    answer = door.run(Row("GET", "/docs"))
    read = Read(answer.text)
    assert not read.tags & {"script", "iframe", "style", "form", "img"}
    assert [link for link in read.links if not link.startswith(("#", BASE, "data:,"))] == []
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    css = door.run(Row("GET", "/docs/style.css", sends={"Content-Type": "text/css; charset=utf-8"})).text
    assert not re.search(r"url\(|@import", css)


@pytest.mark.parametrize("path", ["/docs", "/docs/style.css"])
def test_it_is_tagged(door, path):
    first = door.run(Row("GET", path))
    door.run(Row("GET", path, {"If-None-Match": first.headers["ETag"]}, status=304))


def test_a_host_is_no_way_in(door):
    """What a request says of its host stands on the page as text."""
    for host in ('x"><script>alert(1)</script>', "x'onload='y", "a b"):
        answer = door.client.get("/docs", headers={"Host": host})
        assert answer.status_code == 400 or "<script" not in answer.text


def test_it_stands_below_a_prefix(tmp_path):
    door = Door(tmp_path, SLIPWAY_PUBLIC_URL="https://up.example/below")
    assert '"https://up.example/below/docs/style.css"' in door.run(Row("GET", "/docs")).text
    door.close()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"], "format": "uri"}, "string or null, uri"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, from 1, to 9"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Part"}}, "array of Part"),
        ({"oneOf": [{"type": "boolean"}, {"type": "integer"}]}, "boolean or integer"),
        ({"type": "string", "enum": ["a", "b", None]}, "string, a | b"),
        ({"contentMediaType": "application/octet-stream"}, "bytes"),
        ({}, ""),
    ],
)
def test_a_schema_in_a_few_words(schema, said):
    assert kind(schema) == said

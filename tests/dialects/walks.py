"""Every address of a door that can be made of what a tenant has, and every URL that the tenant was given: to be walked by whoever likes."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.dialects.backoffice import speak as backoffice
from tests.dialects.contentful import speak as contentful
from tests.dialects.house import BASE, Door, Row
from tests.dialects.squidex import speak as squidex
from tests.dialects.ways import Headers

DOCUMENT = "/v1/openapi.json"  # the same for everybody; the addresses in it are nobody's
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
URL = re.compile(r'(?:(?:http:)?//slipway\.test|")(/(?:v1|wdesk|backoffice|nomad|contentful|squidex|transfers)/[^\s"<>\\]+)')
RECORD = re.compile(r"(?:up|op|as|fo|do|al):([^:]+):(.+)")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class Diary:
    """A door that notes what it says: which URLs of ours were given to whoever speaks with it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.urls: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door, name)

    def send(self, *asked: Any, **more: Any) -> Any:
        """As the door does."""
        answer = self._door.send(*asked, **more)
        told = answer.get_data(as_text=True) if "json" in answer.content_type else ""
        self.urls.update(URL.findall(f"{told} {answer.headers.get('Location', '')}"))
        return answer

    def run(self, row: Row) -> Any:
        """As the door does."""
        return Door.run(self, row)


def names_of(door: Door, tenant: str = "acme") -> list[str]:
    """By what the things of a tenant are known: their ids, and what their aliases end in."""
    found = {name for key in door._redis().scan_iter() for of, name in RECORD.findall(key) if of == tenant}
    return sorted({name.rpartition(":")[2].rpartition("/")[2] for name in found})


def addresses(door: Door, dialect: str, names: Iterable[str], tenant: str = "acme") -> Iterator[tuple[str, str]]:
    """Method and path of every route of a dialect, with every one of these names in every place where one belongs."""
    for rule in door.app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] == dialect and rule.rule != DOCUMENT:
            known = _known(rule.rule, names, tenant)
            for chosen in itertools.product(*(known[place] for place in PARAMETER.findall(rule.rule))):
                values = iter(chosen)
                path = PARAMETER.sub(lambda _, values=values: next(values), rule.rule)
                yield from ((method, path) for method in sorted(rule.methods & METHODS))


def _known(rule: str, names: Iterable[str], tenant: str) -> Mapping[str, Iterable[str]]:
    """What may stand in each place of a rule."""
    tenant = _hidden(tenant) if "/blobs/" in rule else tenant
    spelt = names
    if rule.startswith("/wdesk"):
        spelt = [_hidden(name) if "/blobs/" in rule else name if "/operations/" in rule else name.replace("-", "") for name in names]
    return {
        **{place: [tenant] for place in ("space", "app", "tenant")},
        **{place: ["photo.png"] for place in ("token", "seal", "more", "filename")},
        "id": spelt,
        "file_hash": spelt,
        "environment": ["master"],
        "locale": ["en-US"],
        "number": ["1"],
        "key": [f"uploads/{name}" for name in names],
        "name": ["photo.png"] if "/content/" in rule else names,
    }


def _hidden(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def body_for(method: str, path: str) -> tuple[Headers, Any]:
    """Something that such a request may well carry."""
    if method not in {"POST", "PUT", "PATCH"}:
        return {}, None
    if path.startswith("/backoffice/upload"):
        return backoffice.TYPE, backoffice.form(backoffice.part())
    if path.startswith("/squidex") and (path.endswith("/content") or re.search(r"/assets(/[^/]+)?$", path)) and method != "PATCH":
        return {"Content-Type": squidex.FORM}, squidex.form(squidex.file())
    if path.endswith("/uploads") and path.startswith("/contentful"):
        return contentful.RAW, b"some bytes"
    return {"Content-Type": "application/json"}, json.dumps(BODY if not path.startswith("/v1") else {"usage": "a stranger's"})


BODY = {
    "usage": "a stranger's",
    "fileName": "theirs.csv",
    "displayName": "theirs",
    "folderName": "theirs",
    "assetName": "theirs.png",
    "etag": "x",
    "jobs": [],
    "fields": {},
}


def visit(door: Door, who: Headers, method: str, path: str) -> Any:
    """The answer to one of these requests."""
    headers, body = body_for(method, path)
    return door.send(method, path.removeprefix(BASE), who | headers, body)


def reading(door: Door | Diary, dialect: str, who: Headers, names: Iterable[str]) -> dict[str, bytes]:
    """What is to be read at a door: every address that answers well, and every URL that these answers name."""
    diary = Diary(door)
    found = {path: diary.send("GET", path, who) for method, path in addresses(door, dialect, names) if method == "GET"}
    found |= {url: diary.send("GET", url, who) for url in sorted(diary.urls - found.keys())}
    assert not [path for path, answer in found.items() if answer.status_code >= 500]
    return {path: answer.get_data() for path, answer in found.items() if answer.status_code == 200}


def dump(door: Door, tenant: str = "acme") -> dict[str, Any]:
    """What Redis holds of a tenant, but for who speaks and how often."""
    redis = door._redis()
    read = {
        "hash": redis.hgetall,
        "string": redis.get,
        "set": lambda key: sorted(redis.smembers(key)),
        "zset": lambda key: sorted(name for name in redis.zrange(key, 0, -1) if tenant in name or tenant in key),
    }
    kept = {
        key: read[redis.type(key)](key) for key in redis.scan_iter() if not key.startswith(("cred", "secret", "tok", "quota", "tenants"))
    }
    return {key: value for key, value in kept.items() if tenant in f"{key} {value}"}

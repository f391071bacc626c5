"""The pages for people: what the doors' own documents say, as one page of HTML without scripts, and the way there from `/`.

Everything comes from the package, nothing from another host, and the policy of the page says so to the browser.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, redirect, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response as Plain

from app.core.errors import Code, UploadError
from app.web import conditions
from app.web.dialect import doors
from app.web.replies import base_url

DOCS = Blueprint("docs", __name__)
Json = dict[str, Any]

PAGE, STYLE = "docs.html", "docs.css"
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, no-cache",
}
PAGES = 16  # of so many public bases: a Host header can be anything


@DOCS.get("/")
def home() -> Plain:
    """To the page."""
    return redirect(f"{base_url()}/docs")


@DOCS.get("/docs")
def page() -> Response:
    """What the native door can do."""
    told = next((dialect.document for dialect in doors().dialects.values() if dialect.document), None)
    if told is None:
        raise UploadError(Code.NOT_FOUND, what="page")
    return _sent(_page(told, base_url()), "text/html; charset=utf-8")


@DOCS.get("/docs/style.css")
def style() -> Response:
    """How it looks."""
    return _sent(files("app.web").joinpath("pages", STYLE).read_text("utf-8"), "text/css; charset=utf-8")


def _sent(content: str, media_type: str) -> Response:
    response = Response(content, content_type=media_type, headers=HEADERS)
    conditions.tag(response)
    return conditions.unless_same(request, response)


@lru_cache(PAGES)
def _page(document: Callable[[str], Json], base: str) -> str:
    environment = Environment(
        loader=PackageLoader("app.web", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"kind": kind, "pretty": pretty, "code": code}
    document_ = document(base)
    return environment.get_template(PAGE).render(
        of=document_, groups=_groups(document_), curl=curl, found=lambda part: found(document_, part)
    )


def _groups(document: Json) -> list[tuple[Json, list[Json]]]:
    """The operations of each tag, in the order of the document."""
    every = [{"method": method, "path": path, **told} for path, methods in document["paths"].items() for method, told in methods.items()]
    return [(tag, [one for one in every if tag["name"] in one["tags"]]) for tag in document["tags"]]


def found(document: Json, part: Json) -> Json:
    """What a reference stands for; anything else itself."""
    if "$ref" not in part:
        return part
    place: Json = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    return place


def kind(schema: Json) -> str:
    """A schema in a few words: `string, date-time, or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return (" and " if word == "allOf" else " or ").join(filter(None, map(kind, schema[word])))
    types = schema.get("type", "bytes" if "contentMediaType" in schema else "")
    said = " or ".join(types) if isinstance(types, list) else str(types)
    if said == "array":
        return f"array of {kind(schema['items'])}"
    return ", ".join([said, *_bounds(schema)]) if said else ""


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    told = [str(schema["format"])] if "format" in schema else []
    told += [f"{word} {schema[name]}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in schema]
    return told + ([" | ".join(str(each) for each in schema["enum"] if each is not None)] if "enum" in schema else [])


def pretty(value: object) -> str:
    """JSON for the eye."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def code(text: str) -> list[tuple[bool, str]]:
    """A sentence in pieces, each with whether it stands between backticks."""
    return [(number % 2 == 1, piece) for number, piece in enumerate(text.split("`"))]


def curl(told: Json) -> str:
    """A line for the shell: the sample of the document, or one made of the operation."""
    known = ' -H "Authorization: Bearer $KEY"' if any("bearer" in way for way in told["security"]) else ""
    if "x-sample" in told:
        return f"curl{known} {told['x-sample']}"
    path = "/".join(f"${step.strip('{}').upper()}" if step.startswith("{") else step for step in told["path"].split("/"))
    method = "" if told["method"] == "get" else f" -X {told['method'].upper()}"
    return f'curl{known}{method}{_data(told)} "$URL{path}"'


def _data(told: Json) -> str:
    content = told.get("requestBody", {}).get("content", {})
    for media_type, body in content.items():
        if "example" in body:
            return f" -H 'Content-Type: {media_type}' -d '{json.dumps(body['example'])}'"
    return " --data-binary @photo.jpg" if content else ""

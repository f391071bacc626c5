"""The OpenAPI 3.1 document of the native door, made from the table in `described` and the marshmallow schemas; `GET /v1/openapi.json`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, json, request
from marshmallow import Schema

from app.core.errors import Code
from app.core.policy import ROLES, Scope
from app.dialects.v1 import examples, schemas, shown
from app.dialects.v1.described import TABLE
from app.dialects.v1.fields import HEADERS, PARAMETERS
from app.dialects.v1.told import GROUPS, JSON, Good, Shape, Told
from app.web import conditions, problems
from app.web.replies import base_url

DOCUMENT = Blueprint("openapi", __name__)
Json = dict[str, Any]
Said = tuple[int, str, Json, tuple[str, ...]]  # status, what it says, bodies by media type, names of headers

TITLE = "Slipway"
ABOUT = "A self-hosted, asynchronous upload pipeline: bytes in, a promise at once, an asset when a worker has judged them."
# headers that every refusal of a status has
ALWAYS = {401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit", "RateLimit-Policy"), 503: ("Retry-After",)}
BASES = 16  # public bases for which the document is kept: a Host header can be anything


@DOCUMENT.get("/openapi.json")
def show() -> Response:
    """The document; it takes no credentials."""
    content, etag = _written(base_url())
    response = Response(content, content_type="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = "public, no-cache"
    return conditions.unless_same(request, response)


@lru_cache(BASES)
def _written(base: str) -> tuple[bytes, str]:
    content = json.dumps(document(base), ensure_ascii=False).encode()
    return content, hashlib.sha256(content).hexdigest()[:32]


@lru_cache(BASES)
def document(base: str) -> Json:
    """The document for a public base, as plain JSON. Not to be changed: it is kept."""
    spec = APISpec(
        TITLE,
        version("slipway"),
        "3.1.0",
        [MarshmallowPlugin()],
        info={"description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": base}],
        tags=[{"name": name, "description": says} for name, says in GROUPS.items()],
    )
    _components(spec, base)
    for told in TABLE:
        spec.path(told.path, operations={told.method.lower(): _operation(told)})
    found: Json = spec.to_dict()
    return found


def _components(spec: APISpec, base: str) -> None:
    spec.components.schema("Problem", schema=shown.Problem)
    spec.components.schema("Revised", {"minProperties": 1}, schema=schemas.Revised)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, parameter in PARAMETERS.items():
        place = parameter["in"]
        spec.components.parameter(name, place, {"name": name, **parameter})
    scopes = {scope.value: f"of {', '.join(role for role, held in ROLES.items() if scope in held)}" for scope in Scope}
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "description": "an API key, or a token"})
    spec.components.security_scheme("client", {"type": "http", "scheme": "basic", "description": "a client's id and secret"})
    flow = {"tokenUrl": f"{base}/oauth2/token", "scopes": scopes}
    spec.components.security_scheme("oauth2", {"type": "oauth2", "flows": {"clientCredentials": flow}})


def _operation(told: Told) -> Json:
    made: Json = {
        "operationId": told.id,
        "tags": [told.group],
        "summary": told.summary,
        "security": _security(told),
        "responses": _responses(told),
    }
    if told.text:
        made["description"] = told.text
    if told.parameters:
        made["parameters"] = list(told.parameters)
    if told.body:
        content = {kind: _content(shape, told.examples.get(kind)) for kind, shape in told.body.items()}
        made["requestBody"] = {"required": told.needs_body, "content": content}
    if told.sample:
        made["x-sample"] = told.sample
    return made


def _security(told: Told) -> list[Json]:
    if told.scope:
        return [{"bearer": []}, {"oauth2": [told.scope.value]}]
    return [{"client": []}, {}] if told.bare else []


def _content(shape: Shape, example: Any = None) -> Json:
    return {"schema": shape} | ({} if example is None else {"example": example})


def _responses(told: Told) -> Json:
    found: Json = {}
    for status, says, content, headers in (*_good(told), *_bare(told), *_refused(told)):
        held = found.setdefault(str(status), {"description": says})
        if content:
            held.setdefault("content", {}).update(content)
        if headers:
            held.setdefault("headers", {}).update({name: name for name in headers})
    return {status: found[status] for status in sorted(found)}


def _good(told: Told) -> Iterator[Said]:
    for good in told.answers:
        yield good.status, good.says, _body(good), good.headers


def _body(good: Good) -> Json:
    if good.shape is None:
        return {}
    example = examples.ANSWERS.get(good.shape) if isinstance(good.shape, type) and issubclass(good.shape, Schema) else None
    return {good.media_type: _content(good.shape, example)}


def _bare(told: Told) -> Iterator[Said]:
    for status in told.bare:
        yield status, "RFC 6749, section 5.2.", {JSON: _content(shown.OAuthError, examples.ANSWERS[shown.OAuthError])}, ()


def _refused(told: Told) -> Iterator[Said]:
    """One response for each status, with an example for each code."""
    by_status: dict[int, list[Code]] = {}
    for code in told.codes:
        by_status.setdefault(problems.STATUS[code], []).append(code)
    for status, codes in by_status.items():
        named: Json = {"allOf": [shown.Problem, {"properties": {"code": {"enum": [code.value for code in codes]}}}]}
        told_by = {code.value: {"value": examples.refusal(code)} for code in codes}
        content = {problems.MEDIA_TYPE: {"schema": named, "examples": told_by}}
        yield status, ", ".join(f"`{code.value}`" for code in codes), content, ALWAYS.get(status, ())

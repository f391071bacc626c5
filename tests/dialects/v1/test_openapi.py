"""The document of the native door: sound, complete, and true. What the door answers in all tests is held against it by `told.judge`."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app.core.errors import Code
from app.core.policy import ROLES, Scope
from app.dialects.v1 import openapi
from app.dialects.v1.described import TABLE
from app.dialects.v1.told import GROUPS
from tests.dialects import told
from tests.dialects.house import BASE, Door, Row, bearer
from tests.dialects.test_access import METHODS, SOME_ID, token_of
from tests.dialects.walks import visit

DOCUMENT = "/v1/openapi.json"
NO_ROUTES = {"/docs"}  # a page for people
TELLS = [(path, method) for path, methods in openapi.document(BASE)["paths"].items() for method in methods]


@pytest.fixture
def shown(door):
    return door.run(Row("GET", DOCUMENT)).get_json()


def test_it_is_sound(shown):
    validate(shown)
    assert shown["openapi"] == "3.1.0"
    assert shown["servers"] == [{"url": BASE}]


def test_every_route_is_told_and_every_told_route_is_there(door, shown):
    rules = [rule for rule in door.app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in told.TOLD]
    there = {(told.template(rule.rule), method.lower()) for rule in rules for method in rule.methods & METHODS}
    assert there == {(path, method) for path, methods in shown["paths"].items() for method in methods}


def test_every_place_in_a_path_is_a_parameter(shown):
    for path, methods in shown["paths"].items():
        for method, operation in methods.items():
            named = [ref["$ref"].rpartition("/")[2] for ref in operation.get("parameters", [])]
            places = {name for name in named if shown["components"]["parameters"][name]["in"] == "path"}
            assert places == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"
            assert len(named) == len(set(named))


def test_names_are_told_once():
    assert len({one.id for one in TABLE}) == len(TABLE)
    assert {one.group for one in TABLE} == set(GROUPS)


def test_it_is_kept_and_tagged(door):
    first = door.run(Row("GET", DOCUMENT, sends={"Content-Type": "application/json"}))
    door.run(Row("GET", DOCUMENT, {"If-None-Match": first.headers["ETag"]}, status=304))
    assert openapi.document(BASE) is openapi.document(BASE)
    door.run(Row("POST", DOCUMENT, status=405))


def test_it_stands_where_the_public_base_is(open_door):
    public = open_door(SLIPWAY_PUBLIC_URL="https://up.example/below")
    shown = public.run(Row("GET", DOCUMENT)).get_json()
    assert shown["servers"] == [{"url": "https://up.example/below"}]
    assert (
        shown["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"]
        == "https://up.example/below/oauth2/token"
    )


def test_the_scopes_are_told(shown):
    assert set(shown["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]) == set(ROLES["admin"])


def test_every_code_of_a_refusal_is_known(shown):
    assert set(shown["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == {code.value for code in Code}


@pytest.mark.parametrize("told_of", [one for one in TABLE if one.scope], ids=lambda one: one.id)
def test_the_scope_that_is_told_is_the_one_that_is_asked_for(door, told_of):
    """With this scope alone nobody is forbidden; with all the others everybody is."""
    door.access.add_client("acme", "acme:narrow", "admin")
    path = re.sub(r"{\w+}", SOME_ID, told_of.path)
    alone, others = (bearer(token_of(door, scopes=scopes)) for scopes in (frozenset({told_of.scope}), frozenset(Scope) - {told_of.scope}))
    assert visit(door, alone, told_of.method, path).status_code not in {401, 403}
    refused = visit(door, others, told_of.method, path)
    assert (refused.status_code, refused.get_json()["scope"]) == (403, told_of.scope)


@pytest.mark.parametrize(("path", "method"), TELLS)
def test_examples_are_of_their_schemas(path, method):
    document = told.strict()
    for status, said in document["paths"][path][method]["responses"].items():
        for kind, body in said.get("content", {}).items():
            shown = [body["example"]] if "example" in body else [one["value"] for one in body.get("examples", {}).values()]
            for example in shown:
                Draft202012Validator({**body["schema"], "components": document["components"]}).validate(example)
            assert shown or body["schema"].get("type") in {"object", None}, f"{method} {path} {status} {kind} has no example"


def test_what_is_not_told_is_found(door: Door, monkeypatch):
    """The judge is one: another member, another status, another code."""
    told._validator.cache_clear()
    refusal = {"type": "urn:x", "title": "x", "status": 404, "detail": "x", "code": "bad_filename"}
    for status, body in ((200, {"status": "ok", "id": 5}), (418, {}), (404, refusal)):
        answer = door.app.response_class(
            json.dumps(body), status, content_type="application/json" if status != 404 else "application/problem+json"
        )
        with pytest.raises(AssertionError):
            told.judge(door.app, "GET", f"/v1/operations/{SOME_ID}", answer)


def test_a_document_is_made_of_plain_values():
    assert json.loads(json.dumps(openapi.document(BASE))) == openapi.document(BASE)
    assert all(dataclasses.is_dataclass(one) for one in TABLE)

"""Judges what the native door answers by its own document: the status is told, the type is told, the body is of the schema and has no more."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException

from app.dialects.v1.openapi import document

TOLD = {"v1", "oauth", "transfers", "links", "health"}  # the blueprints that the document is about
OPEN = {"Problem", "Warning"}  # the facts behind a code are members, too


def template(rule: str) -> str:
    """A rule of the url map as a path of the document."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


@cache
def strict() -> dict[str, Any]:
    """The document, with schemas that take nothing beside what they name."""
    told = copy.deepcopy(document("http://slipway.test"))
    for name, schema in told["components"]["schemas"].items():
        if name not in OPEN and schema.get("additionalProperties") is True:
            schema["additionalProperties"] = False
    return told


@cache
def _validator(path: str, method: str, status: str, kind: str) -> Draft202012Validator | None:
    said = strict()["paths"][path][method.lower()]["responses"].get(status)
    assert said is not None, f"{method} {path}: {status} is not told"
    if not said.get("content"):
        return None
    found = said["content"].get(kind) or said["content"].get("*/*")
    assert found is not None, f"{method} {path}: {status} as {kind} is not told"
    return Draft202012Validator(
        {**found["schema"], "components": strict()["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def judge(app: Any, method: str, path: str, answer: Any) -> None:
    """Raise AssertionError unless the document tells of this answer."""
    try:
        rule, _ = app.url_map.bind("").match(path.partition("?")[0], method, return_rule=True)
    except HTTPException:
        return
    if rule.endpoint.partition(".")[0] not in TOLD or method not in rule.methods or method in {"OPTIONS", "HEAD"}:
        return
    validator = _validator(template(rule.rule), method, str(answer.status_code), answer.mimetype)
    if validator is None:
        assert not answer.get_data(), f"{method} {path}: {answer.status} has a body, which is not told"
    elif "json" in answer.mimetype:
        errors = [error.message for error in validator.iter_errors(answer.get_json())]
        assert not errors, f"{method} {path}: {answer.status} {answer.get_data()!r}: {errors}"

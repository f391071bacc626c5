"""JSON from a client, loaded by a marshmallow schema; what is wrong with it, said field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qs

from flask import Request
from marshmallow import Schema, ValidationError

from app.core.errors import Code, UploadError
from app.web.bodies import raw_body

MAX_JSON = 1024 * 1024  # bytes
MAX_PAIRS = 100
DEEPEST = 128  # levels of objects and lists: what can just be read here could not be written from where the stack is higher


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema makes of `data`. Raises UploadError(INVALID) whose `errors` are `{field}: {what is wrong}`, one for each field."""
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        errors = sorted(_lines(error.messages))
        raise UploadError(Code.INVALID, reason="; ".join(errors), errors=errors) from error
    return loaded


def _lines(messages: object, path: str = "") -> Iterator[str]:
    """The nested messages of marshmallow as lines; a field in a list or an object is `parts.0.number`."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _lines(below, f"{path}.{key}" if path else str(key))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield f"{path}: {message}"


def json_object(request: Request, *, required: bool) -> dict[str, Any]:
    """The JSON object in the body, whatever type it was sent as; `{}` without a body when none is required.

    Raises UploadError: BAD_REQUEST (no JSON, no object, no body), TOO_LARGE (over 1 MiB), ClientGone.
    """
    found = json_if_any(request)
    if found is None and required:
        raise UploadError(Code.BAD_REQUEST, reason="a JSON object is needed")
    return found or {}


def json_if_any(request: Request) -> dict[str, Any] | None:
    """As `json_object`, but None without a body, which `{}` is not."""
    content = _content(request)
    return _object(content) if content else None


def form_or_object(request: Request) -> dict[str, Any]:
    """The fields of a form (application/x-www-form-urlencoded), or of a JSON object; `{}` without a body.

    A field that is sent twice is a list, so that who asks for text can refuse it. Raises as `json_object`.
    """
    content = _content(request)
    if request.mimetype != "application/x-www-form-urlencoded" or content.lstrip()[:1] == b"{":
        return _object(content) if content else {}
    try:
        pairs = parse_qs(content.decode(), keep_blank_values=True, max_num_fields=MAX_PAIRS)
    except ValueError as error:
        raise UploadError(Code.BAD_REQUEST, reason="the form is malformed") from error
    return {name: values[0] if len(values) == 1 else values for name, values in pairs.items()}


def _content(request: Request) -> bytes:
    body = raw_body(request)
    if body.length is not None and body.length > MAX_JSON:
        raise UploadError(Code.TOO_LARGE, limit=MAX_JSON)
    content = b"".join(body.chunks(MAX_JSON + 1))
    if len(content) > MAX_JSON:
        raise UploadError(Code.TOO_LARGE, limit=MAX_JSON)
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content, parse_constant=_no_constant)
        require_shallow(found)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but no text that could be kept
    except (ValueError, RecursionError) as error:
        raise UploadError(Code.BAD_REQUEST, reason="the body is no JSON") from error
    if not isinstance(found, dict):
        raise UploadError(Code.BAD_REQUEST, reason="the body is no JSON object")
    return found


def require_shallow(found: object) -> None:
    """Raise ValueError for JSON that is nested more than DEEPEST levels deep."""
    level = [found]
    for _ in range(DEEPEST):
        members = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [below for each in members for below in each]
        if not level:
            return
    if any(isinstance(each, dict | list) for each in level):
        raise ValueError("nested too deep")


def _no_constant(name: str) -> NoReturn:
    """NaN and the infinities, which Python would take."""
    raise ValueError(name)

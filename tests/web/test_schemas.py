"""JSON bodies and schemas: what is sent -> the object, or the refusal."""

import pytest
from marshmallow import Schema, fields

from app.core.errors import Code, UploadError
from app.web.schemas import DEEPEST, MAX_JSON, form_or_object, json_object, load
from tests.web.flows import request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def nested(depth):
    return [nested(depth - 1)] if depth > 1 else []


class Part(Schema):
    number = fields.Integer(required=True)


class Wanted(Schema):
    filename = fields.String(required=True)
    size = fields.Integer(strict=True)
    parts = fields.List(fields.Nested(Part))


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"filename": "a"}, None),
        ({"filename": "a", "parts": [{"number": 1}]}, None),
        ({}, ["filename: Missing data for required field."]),
        ({"filename": 5}, ["filename: Not a valid string."]),
        ({"filename": None}, ["filename: Field may not be null."]),
        ({"filename": "a", "x": 1}, ["x: Unknown field."]),
        ({"filename": "a", "size": "many", "x": 1}, ["size: Not a valid integer.", "x: Unknown field."]),
        ({"filename": "a", "parts": [{"number": 1}, {"number": "b"}]}, ["parts.1.number: Not a valid integer."]),
        ({"filename": "a", "parts": [7]}, ["parts.0._schema: Invalid input type."]),
        ({"filename": "a", "parts": 7}, ["parts: Not a valid list."]),
    ],
)
def test_every_wrong_field_is_named(data, errors):
    if errors is None:
        assert load(Wanted(), data) == data
        return
    with pytest.raises(UploadError) as caught:
        load(Wanted(), data)
    assert (caught.value.code, caught.value.problem.facts["errors"]) == (Code.INVALID, errors)
    assert all(error in caught.value.problem.message for error in errors)


@pytest.mark.parametrize(
    ("body", "kind", "required", "found"),
    [
        (b'{"a": 1}', JSON, True, {"a": 1}),
        (b'{"a": 1}', "application/json; charset=utf-8", True, {"a": 1}),
        (b'{"a": 1}', "application/vnd.x+json", True, {"a": 1}),
        (b'{"fileName": "x.png"}', FORM, True, {"fileName": "x.png"}),
        (b' \r\n{"a": "\xc3\xa9"} ', "", True, {"a": "é"}),
        (b"\xef\xbb\xbf{}", JSON, True, {}),
        (b"", JSON, False, {}),
        (b"", "", False, {}),
        (b"", JSON, True, Code.BAD_REQUEST),
        (b"{", JSON, True, Code.BAD_REQUEST),
        (b"{", JSON, False, Code.BAD_REQUEST),
        (b"a=b", FORM, True, Code.BAD_REQUEST),
        (b"[]", JSON, True, Code.BAD_REQUEST),
        (b"null", JSON, False, Code.BAD_REQUEST),
        (b'"text"', JSON, True, Code.BAD_REQUEST),
        (b'{"a": NaN}', JSON, True, Code.BAD_REQUEST),
        (b'{"a": -Infinity}', JSON, True, Code.BAD_REQUEST),
        (b'{"a": "\\ud800"}', JSON, True, Code.BAD_REQUEST),
        (b'{"a": "\xff"}', JSON, True, Code.BAD_REQUEST),
        (b'{"a": ' + b"9" * 5_000 + b"}", JSON, True, Code.BAD_REQUEST),
        (b'{"a":' * 100_000, JSON, True, Code.BAD_REQUEST),
        (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", JSON, True, Code.BAD_REQUEST),
        (b'{"a":' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}", JSON, True, {"a": nested(DEEPEST - 1)}),
        (b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", JSON, True, Code.BAD_REQUEST),
        (b'{"a": "' + b"x" * (MAX_JSON - 9) + b'"}', JSON, True, {"a": "x" * (MAX_JSON - 9)}),
        (b'{"a": "' + b"x" * (MAX_JSON - 8) + b'"}', JSON, True, Code.TOO_LARGE),
    ],
)
def test_a_json_body(body, kind, required, found):
    asked = request(body=body, content_type=kind)
    if isinstance(found, Code):
        with pytest.raises(UploadError) as caught:
            json_object(asked, required=required)
        assert caught.value.code is found
    else:
        assert json_object(asked, required=required) == found


def test_a_body_without_length_is_bounded_too():
    asked = request(body=b" " * (MAX_JSON + 1), transfer_encoding="chunked")
    del asked.environ["CONTENT_LENGTH"]
    asked.environ["wsgi.input_terminated"] = True
    with pytest.raises(UploadError) as caught:
        json_object(asked, required=True)
    assert caught.value.code is Code.TOO_LARGE


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (
            b"grant_type=client_credentials&client_id=demo%3Adefault&x=",
            FORM,
            {"grant_type": "client_credentials", "client_id": "demo:default", "x": ""},
        ),
        (b"a=1&a=2&b=+", FORM, {"a": ["1", "2"], "b": " "}),
        (b'{"a": 1}', JSON, {"a": 1}),
        (b'{"a": 1}', FORM, {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b"", FORM, {}),
        (b"", JSON, {}),
        (b"a=\xff%ff", FORM, Code.BAD_REQUEST),
        (b"&".join([b"a=1"] * 101), FORM, Code.BAD_REQUEST),
        (b"a=1", JSON, Code.BAD_REQUEST),
    ],
)
def test_a_form_or_the_same_as_json(body, kind, found):
    asked = request(body=body, content_type=kind)
    if isinstance(found, Code):
        with pytest.raises(UploadError) as caught:
            form_or_object(asked)
        assert caught.value.code is found
    else:
        assert form_or_object(asked) == found

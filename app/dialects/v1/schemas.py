"""The JSON bodies that `/v1` takes. Unknown fields are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
MEDIA_TYPE = re.compile(rf"{WORD}/{WORD}( *; *{WORD}=({WORD}|\"[^\"]*\"))*\Z")


class Plan(fields.Field[bool | int]):
    """`true`, or how many parts the client would like."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool | int:
        if isinstance(value, bool) or (isinstance(value, int) and value > 0):
            return value
        raise ValidationError("Must be true, false, or a number of parts.")


class Yes(fields.Field[bool]):
    """`true`, and nothing that looks like it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value is True:
            return value
        raise ValidationError("Must be true.")


class MediaType(fields.String):
    """A media type as HTTP has it: any case, parameters are not kept (RFC 9110, section 8.3.1)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> str:
        told: str = super()._deserialize(value, attr, data, **rest)
        if not MEDIA_TYPE.match(told):
            raise ValidationError("Must be a media type.")
        return told.partition(";")[0].strip().lower()


class NewUpload(Schema):
    """`POST /v1/uploads`: only the filename is required; sizes in bytes."""

    filename = fields.String(required=True, validate=validate.Length(min=1))
    size = fields.Integer(strict=True, validate=validate.Range(min=1))
    media_type = MediaType(data_key="mediaType")
    digest = fields.String(validate=validate.Regexp(DIGEST, error="Must be sha256: and 64 hex digits."))
    parts = Plan()
    part_size = fields.Integer(data_key="partSize", strict=True, validate=validate.Range(min=1))


class Numbers(Schema):
    """`POST /v1/uploads/{id}/parts`: the parts to be signed anew; all that are missing without it."""

    numbers = fields.List(fields.Integer(strict=True, validate=validate.Range(min=1)), validate=validate.Length(min=1, max=10_000))


class HeldPart(Schema):
    """A part as the client holds it."""

    number = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    etag = fields.String(required=True)


class Complete(Schema):
    """`POST /v1/uploads/{id}/complete`: the client may name the parts that it sent, to be compared with what is held."""

    parts = fields.List(fields.Nested(HeldPart), validate=validate.Length(max=10_000))


class Keep(Schema):
    """`PATCH /v1/assets/{id}`: keep it, and say what for."""

    keep = Yes()
    usage = fields.String(validate=validate.Length(min=1, max=512))

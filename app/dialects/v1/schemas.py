"""The JSON bodies and the queries that `/v1` takes. Unknown fields are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.core.library import LONGEST_ID
from app.core.operation import ATTACH, FETCH, INGEST, RENDER, Status
from app.core.parts import LARGEST_PART, SMALLEST_PART

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
MEDIA_RANGE = re.compile(rf"({WORD})/({WORD}|\*)\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)  # RFC 3339, section 5.6
PAGE, PAGE_MOST = 50, 200  # items
MEDIA_TYPE = re.compile(rf"{WORD}/{WORD}( *; *{WORD}=({WORD}|\"[^\"]*\"))*\Z")


class Plan(fields.Field[bool | int]):
    """`true`, or how many parts the client would like."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool | int:
        if isinstance(value, bool) or (isinstance(value, int) and value > 0):
            return value
        raise ValidationError("Must be true, false, or a number of parts.")


class Whole(fields.Integer):
    """A whole number as JSON Schema has it: 8.0 is one, and "8" is none."""

    def __init__(self, **how: Any) -> None:
        super().__init__(strict=True, **how)

    def _validated(self, value: Any) -> int:
        whole: int = super()._validated(int(value) if isinstance(value, float) and value.is_integer() else value)
        return whole


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
    size = Whole(validate=validate.Range(min=1))
    media_type = MediaType(data_key="mediaType", metadata={"pattern": MEDIA_TYPE.pattern.replace("\\Z", "$")})
    digest = fields.String(
        validate=validate.Regexp(DIGEST, error="Must be sha256: and 64 hex digits."), metadata={"pattern": "^sha256:[0-9a-f]{64}$"}
    )
    parts = Plan(metadata={"oneOf": [{"type": "boolean"}, {"type": "integer", "minimum": 1}]})
    part_size = Whole(
        data_key="partSize",
        validate=validate.Range(min=1),
        metadata={"minimum": SMALLEST_PART, "maximum": LARGEST_PART},  # which the core sees to
    )


class Numbers(Schema):
    """`POST /v1/uploads/{id}/parts`: the parts to be signed anew; all that are missing without it."""

    numbers = fields.List(Whole(validate=validate.Range(min=1)), validate=validate.Length(min=1, max=10_000))


class HeldPart(Schema):
    """A part as the client holds it."""

    number = Whole(required=True, validate=validate.Range(min=1))
    etag = fields.String(required=True)


class Complete(Schema):
    """`POST /v1/uploads/{id}/complete`: the client may name the parts that it sent, to be compared with what is held."""

    parts = fields.List(fields.Nested(HeldPart), validate=validate.Length(max=10_000))


class Revised(Schema):
    """`PATCH /v1/assets/{id}`: keep it, and say what for; give it another name."""

    keep = Yes(metadata={"enum": [True]})
    usage = fields.String(validate=validate.Length(min=1, max=512))
    filename = fields.String(validate=validate.Length(min=1))

    @validates_schema
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Say keep, usage or filename.", "keep")


class NewLink(Schema):
    """`POST /v1/assets/{id}/links`: for how many seconds, and how the bytes are called and shown."""

    expires_in = Whole(data_key="expiresIn", load_default=3600, validate=validate.Range(min=1, max=7 * 86400))
    disposition = fields.String(load_default="attachment", validate=validate.OneOf(("attachment", "inline")))
    filename = fields.String(validate=validate.Length(min=1))


# ---------------------------------------------------------------- queries of lists


class Count(fields.Field[int]):
    """How many, in digits."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if (
            isinstance(value, str)
            and value.isascii()
            and value.isdecimal()
            and len(value) <= len(str(PAGE_MOST))
            and 1 <= int(value) <= PAGE_MOST
        ):
            return int(value)
        raise ValidationError(f"Must be a number from 1 to {PAGE_MOST}.")


class Moment(fields.Field[float]):
    """A moment as RFC 3339 has it, with its offset; as seconds since the epoch."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        try:
            if isinstance(value, str) and MOMENT.match(value.upper()):
                return datetime.fromisoformat(value.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
        raise ValidationError("Must be a time as in RFC 3339, like 2026-11-21T09:30:00Z; a + is written as %2B in a URL.")


class Statuses(fields.Field[frozenset[Status]]):
    """Statuses with commas between them, or the parameter several times."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> frozenset[Status]:
        named = ",".join(value if isinstance(value, list) else [str(value)]).split(",")
        if any(name not in set(Status) for name in named):
            raise ValidationError(f"Must be some of: {', '.join(Status)}.")
        return frozenset(Status(name) for name in named)


class MediaRange(fields.String):
    """A media type, or all of a kind: `image/*`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> str:
        told: str = super()._deserialize(value, attr, data, **rest).lower()
        if not MEDIA_RANGE.match(told):
            raise ValidationError("Must be a media type, or all of a kind: image/*.")
        return told


class List(Schema):
    """What every list can be asked: of which door, made when, and which page."""

    dialect = fields.String(validate=validate.Length(min=1, max=64))
    since = Moment(data_key="createdAfter")
    before = Moment(data_key="createdBefore")
    limit = Count(load_default=PAGE)
    cursor = fields.String()


class ListOperations(List):
    """`GET /v1/operations`."""

    status = Statuses()
    kind = fields.String(validate=validate.OneOf((INGEST, FETCH, ATTACH, RENDER)))


class ListAssets(List):
    """`GET /v1/assets`: `folder` is a folder's id, or `root`."""

    folder = fields.String(validate=validate.Length(min=1, max=LONGEST_ID))
    media_type = MediaRange(data_key="mediaType")

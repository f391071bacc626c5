"""What a client says of an asset image. Fields that the vendor adds later do no harm."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

GRAVITIES = ("center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
LONGEST, LONGEST_TEXT, MOST_LOCALES = 255, 65_536, 100  # the vendor's limits are not published


def new_uuid() -> str:
    """A version 4, as the vendor's keys have it."""
    return str(uuid.uuid4())


def _text(most: int) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.Length(max=most))


class _Lenient(Schema):
    class Meta:
        """Unknown fields are dropped."""

        unknown = EXCLUDE


class Locale(_Lenient):
    """The words beside an image in one language; an id is made where none is given."""

    id = fields.String(load_default=new_uuid, validate=validate.Regexp(UUID, error="Not a valid UUID."))
    locale = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST))
    credit = _text(LONGEST_TEXT)
    caption_html = _text(LONGEST_TEXT)


def one_a_language(locales: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationError when two are in the same language."""
    if len({one["locale"] for one in locales}) != len(locales):
        raise ValidationError("A locale is given twice.")


class AssetImage(_Lenient):
    """The body of a creation. `file_hash` is the client's own: by what it is made is not known."""

    file_key = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST))
    file_hash = _text(LONGEST)
    name = _text(LONGEST)
    gravity = fields.String(load_default=GRAVITIES[0], validate=validate.OneOf(GRAVITIES))
    locales = fields.List(fields.Nested(Locale), load_default=list, validate=[validate.Length(max=MOST_LOCALES), one_a_language])

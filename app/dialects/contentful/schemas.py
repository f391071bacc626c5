"""The bodies of the asset endpoints. Properties that the vendor adds later do no harm; what is known must have its type.

An error is `{name}|{details}`; the envelope makes the vendor's of it.
"""

from __future__ import annotations

import re
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

LOCALE = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 256
LARGEST = 2**53 - 1
NAME = "<name>"  # where the envelope puts the last step of the path


def _typed(kind: str) -> dict[str, Any]:
    wrong = f'type|The type of "{NAME}" is incorrect, expected type: {kind}'
    missing = f'required|The property "{NAME}" is required here'
    return dict.fromkeys(("invalid", "invalid_utf8", "null", "type", "too_large"), wrong) | {"required": missing}


class _Lax(Schema):
    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    error_messages = _typed("Object")


def _text(*, null: bool = False, longest: int | None = None) -> fields.String:
    size = [validate.Length(max=longest, error=f"size|Size must be at most {longest}")] if longest else []
    return fields.String(error_messages=_typed("Symbol"), allow_none=null, validate=size)


def _number() -> fields.Integer:
    within = validate.Range(min=0, max=LARGEST, error="range|The number is out of range")
    return fields.Integer(strict=True, error_messages=_typed("Integer"), validate=within)


def _localized(value: fields.Field[Any]) -> fields.Dict:
    known = validate.Regexp(rf"^{LOCALE.pattern}\Z", error=f'unknown|The property "{NAME}" is not allowed here.')
    return fields.Dict(keys=fields.String(validate=known), values=value, error_messages=_typed("Object"))


def _nested(schema: type[Schema], *, needed: bool = False) -> fields.Nested:
    return fields.Nested(schema, required=needed, error_messages=_typed("Object"))


class LinkSys(_Lax):
    """What a link points to."""

    type = _text()
    linkType = _text()  # noqa: N815 - the vendor's name is echoed
    id = fields.String(required=True, error_messages=_typed("Symbol"))


class Linked(_Lax):
    """A link: to an upload, a tag, a concept."""

    sys = _nested(LinkSys, needed=True)


class Picture(_Lax):
    """`details.image` of a file that was processed elsewhere."""

    width = _number()
    height = _number()


class Details(_Lax):
    """`details` of a file that was processed elsewhere, or is sent back."""

    size = _number()
    image = _nested(Picture)


class FileBody(_Lax):
    """A file in one locale: `uploadFrom` or `upload` says where its bytes come from; `url` and `details` once it was processed."""

    contentType = _text(longest=LONGEST_NAME)  # noqa: N815 - the vendor's names are echoed
    fileName = _text(longest=LONGEST_NAME)  # noqa: N815 - likewise
    upload = _text()
    uploadFrom = _nested(Linked)  # noqa: N815 - likewise
    url = _text()
    details = _nested(Details)


class Fields(_Lax):
    """The three fields of an asset, each by locale. A text may be null."""

    title = _localized(_text(null=True))
    description = _localized(_text(null=True))
    file = _localized(_nested(FileBody))


class Metadata(_Lax):
    """Tags and concepts: links that are kept, and point to nothing here."""

    tags = fields.List(_nested(Linked), error_messages=_typed("Array"))
    concepts = fields.List(_nested(Linked), error_messages=_typed("Array"))


class AssetBody(_Lax):
    """What is created, and what replaces it."""

    fields = _nested(Fields, needed=True)  # type: ignore[assignment] # the vendor's name; marshmallow's own attribute is made from it later
    metadata = _nested(Metadata)


class Chosen(_Lax):
    """The locales of a publication."""

    locales = fields.List(fields.String(), data_key="*", required=True)


class Choice(_Lax):
    """What is added to, or removed from, what is published."""

    fields = fields.Nested(Chosen, required=True)  # type: ignore[assignment] # as above


class PublishBody(_Lax):
    """The body of a publication: none, or some locales (what the clients send when only those are meant)."""

    add = fields.Nested(Choice)
    remove = fields.Nested(Choice)

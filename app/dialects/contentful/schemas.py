"""The bodies of the asset endpoints. Properties that the vendor adds later do no harm; what is known must have its type.

An error of a field is `{name}|{details}`; `loaded` makes the vendor's of it, with the path at which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from app.core.errors import Code, UploadError
from app.dialects.contentful.envelope import fault

LOCALE = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 256
LARGEST = 2**53 - 1
MOST = 1000  # locales of a field, tags, concepts: more than the vendor has of any; nothing is made of a list that is longer
NAME = "<name>"  # where the last step of the path is put
LOCALIZED = 2  # steps before a locale: fields.{field}
KNOWN_LOCALE = validate.Regexp(rf"^{LOCALE.pattern}\Z", error=f'unknown|The property "{NAME}" is not allowed here.')


def loaded(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema makes of `data`. Raises UploadError(INVALID) whose `errors` are the vendor's, one for each thing that is wrong."""
    try:
        found: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        raise UploadError(Code.INVALID, reason="fields", errors=list(_faults(error.messages, ()))) from error
    return found


def _faults(messages: object, path: tuple[str, ...]) -> Iterator[str]:
    """Marshmallow's nested messages, each with its path; a locale may be any text."""
    if isinstance(messages, Mapping):
        for step, below in messages.items():
            yield from _faults(below, path if _between(path, step) else (*path, str(step)))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        name, _, details = str(message).rpartition("|")
        yield fault(path, name or "invalid", details.replace(NAME, path[-1] if path else "body"))


def _between(path: tuple[str, ...], step: object) -> bool:
    """Whether a step of marshmallow's is none of the body: what is said of a whole object, and of a locale or what stands there."""
    before = len(path) - LOCALIZED if path[:1] == ("fields",) else None
    return before != 0 and (step == "_schema" or (before == 1 and step in {"key", "value"}))


def _typed(kind: str) -> dict[str, Any]:
    wrong = f'type|The type of "{NAME}" is incorrect, expected type: {kind}'
    missing = f'required|The property "{NAME}" is required here'
    return dict.fromkeys(("invalid", "invalid_utf8", "null", "type", "too_large"), wrong) | {"required": missing}


class _Lax(Schema):
    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    error_messages = _typed("Object")


def _require_few(value: object) -> None:
    if isinstance(value, list | dict) and len(value) > MOST:
        raise ValidationError(f"size|Size must be at most {MOST}")


class _List(fields.List[Any]):
    """A list that is counted before each of its members is looked at."""

    def deserialize(self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """As a field does."""
        _require_few(value)
        return super().deserialize(value, attr, data, **kwargs)


class _Dict(fields.Dict):
    """The same for a mapping."""

    def deserialize(self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """As a field does."""
        _require_few(value)
        return super().deserialize(value, attr, data, **kwargs)


def _text(*, null: bool = False, longest: int | None = None) -> fields.String:
    size = [validate.Length(max=longest, error=f"size|Size must be at most {longest}")] if longest else []
    return fields.String(error_messages=_typed("Symbol"), allow_none=null, validate=size)


def _number() -> fields.Integer:
    within = validate.Range(min=0, max=LARGEST, error="range|The number is out of range")
    return fields.Integer(strict=True, error_messages=_typed("Integer"), validate=within)


def _localized(value: fields.Field[Any]) -> _Dict:
    return _Dict(keys=fields.String(validate=KNOWN_LOCALE), values=value, error_messages=_typed("Object"))


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

    tags = _List(_nested(Linked), error_messages=_typed("Array"))
    concepts = _List(_nested(Linked), error_messages=_typed("Array"))


class AssetBody(_Lax):
    """What is created, and what replaces it."""

    fields = _nested(Fields, needed=True)  # type: ignore[assignment] # the vendor's name; marshmallow's own attribute is made from it later
    metadata = _nested(Metadata)


class Chosen(_Lax):
    """The locales of a publication: at least one."""

    locales = _List(
        fields.String(validate=KNOWN_LOCALE, error_messages=_typed("Symbol")),
        data_key="*",
        required=True,
        validate=validate.Length(min=1, error="size|At least one locale is needed"),
        error_messages=_typed("Array"),
    )


class Choice(_Lax):
    """What is added to, or removed from, what is published."""

    fields = _nested(Chosen, needed=True)  # type: ignore[assignment] # as above


class PublishBody(_Lax):
    """The body of a publication: none, or some locales (what the clients send when only those are meant)."""

    add = _nested(Choice)
    remove = _nested(Choice)

    @validates_schema
    def one_of_them(self, data: Mapping[str, Any], **_: object) -> None:
        """Refuse both at once: nobody could say which comes first."""
        if len(data) > 1:
            raise ValidationError('unknown|The property "remove" is not allowed here.', "remove")

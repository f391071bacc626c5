"""What a request asks for beside its body: query parameters by any spelling of their names, ids, folders, versions.

The vendor's framework binds query names without regard to case, and its JavaScript client sends `ParentId`.
"""

from __future__ import annotations

import re
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from app.core.errors import Code, UploadError
from app.core.library import LONGEST_ID
from app.core.policy import Principal
from app.web.dialect import doors
from app.web.schemas import json_object, load

NAME = "squidex"
ROOT = "00000000-0000-0000-0000-000000000000"
PARENT = "ParentId"  # the property in the refusal of a folder; its case is inferred
NO_FOLDER = f"{PARENT}: Asset folder does not exist."
ID = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{LONGEST_ID - 1}}}")
RESERVED = frozenset({"bulk", "completion", "folders", "query", "scripts", "tags", "tus"})  # paths beside the assets
VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')
TRUTHS = {"true": True, "false": False}


class Query(Schema):
    """A query whose names are written in small letters here; what the vendor does not know does no harm."""

    class Meta:
        """Other parameters are other people's."""

        unknown = EXCLUDE


class Body(Schema):
    """A JSON body. The vendor's reader knows names in any case and ignores what it does not know."""

    class Meta:
        """Other fields are other people's."""

        unknown = EXCLUDE


class Switch(fields.Field):  # type: ignore[type-arg] # marshmallow's fields are generic in what they give; this one gives bool
    """`true` or `false`, in any case; nothing else."""

    def _deserialize(self, value: object, *_: object, **__: object) -> bool:
        found = TRUTHS.get(str(value).strip().lower())
        if found is None:
            raise ValidationError(f"The value '{value}' is not valid.")
        return found


class Truth(fields.Field):  # type: ignore[type-arg] # as above
    """`true` or `false` of JSON; nothing else."""

    def _deserialize(self, value: object, *_: object, **__: object) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


def body(schema: Schema) -> dict[str, Any]:
    """The JSON body as the schema has it; its names count in any case. Raises UploadError: BAD_REQUEST, INVALID, TOO_LARGE."""
    sent = json_object(request, required=True)
    known = {(field.data_key or name).lower(): field.data_key or name for name, field in schema.fields.items()}
    return load(schema, {known.get(name.lower(), name): value for name, value in sent.items()})


def query(schema: Schema) -> dict[str, Any]:
    """The query parameters as the schema has them; of two with one name the first counts, one that is empty is none, as the vendor has it.

    Raises UploadError(INVALID).
    """
    sent: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        sent.setdefault(name.lower(), value)
    sent = {name: value for name, value in sent.items() if value}
    return load(schema, sent)


def invalid(*details: str) -> UploadError:
    """A refusal with these as its details."""
    return UploadError(Code.INVALID, reason="; ".join(details), errors=list(details))


def new_id(wanted: str | None) -> str | None:
    """The id that a client chose; None when it leaves the choice to us. Raises UploadError(INVALID) for one that could be no path."""
    if wanted is None or wanted in {"", ROOT}:
        return None
    if not ID.fullmatch(wanted) or wanted.lower() in RESERVED:
        raise invalid("Id: Must consist of letters, digits, dots, hyphens and underscores, and be no word of the API.")
    return wanted


def folder_id(wanted: str | None) -> str | None:
    """The id of a folder as the core has it: None is the root."""
    return None if wanted in {None, "", ROOT} else wanted


def existing_folder(who: Principal, wanted: str | None) -> str | None:
    """The id of a folder of this dialect; None is the root. Raises UploadError(INVALID) when there is none."""
    meant = folder_id(wanted)
    if meant is None:
        return None
    try:
        found = doors().folders.folder(who, meant)
    except UploadError as refusal:
        if refusal.code not in {Code.NOT_FOUND, Code.GONE}:
            raise
        raise invalid(NO_FOLDER) from None
    if found.dialect != NAME:
        raise invalid(NO_FOLDER)
    return meant


def expected_version() -> int | None:
    """The version in If-Match; None when the request names none, or in no form that the vendor reads."""
    found = VERSION.fullmatch(request.headers.get("If-Match", "").strip())
    return int(found[1]) if found else None

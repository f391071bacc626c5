"""Entities as Redis hashes, field by field, after the type hints of their dataclasses.

A hash has one field an attribute: text as it is, everything else as JSON, None not at all. A part table has one field a part number.
Unknown fields (a newer process wrote them) are passed over; missing ones (an older process) take their defaults.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from app.core.alias import Alias
from app.core.asset import Asset, Blob, Pointer
from app.core.document import Document
from app.core.errors import Unreadable, UploadError
from app.core.folder import Folder
from app.core.operation import Operation
from app.core.parts import Part, Parts
from app.core.ports import Entity
from app.core.refs import Kind, Ref
from app.core.renditions import Renditions
from app.core.shapes import bare_hint, dumps, hints, loads, reader
from app.core.upload import Upload

__all__ = ["decode", "dumps", "encode", "flat", "from_hash", "loads", "pairs", "to_hash"]

T = TypeVar("T")

TYPES: Mapping[Kind, type[Upload | Operation | Asset | Blob | Pointer | Folder | Document | Alias | Renditions]] = {
    Kind.UPLOAD: Upload,
    Kind.OPERATION: Operation,
    Kind.ASSET: Asset,
    Kind.BLOB: Blob,
    Kind.DIGEST: Pointer,
    Kind.FOLDER: Folder,
    Kind.DOCUMENT: Document,
    Kind.ALIAS: Alias,
    Kind.RENDITIONS: Renditions,
}


# ---------------------------------------------------------------- entities


def encode(entity: Entity) -> dict[str, str]:
    """The hash of a record. A blob's holders are counted, not written; a part table without parts is no hash at all."""
    if isinstance(entity, Parts):
        return {str(number): dumps(part) for number, part in entity.held.items()}
    fields = to_hash(entity)
    if isinstance(entity, Blob):
        del fields["holders"]
    return fields


def decode(ref: Ref, fields: Mapping[str, str], holders: int = 0) -> Entity | None:
    """The record behind `ref`, or None. A part table is always there: Redis cannot tell an empty one from none.

    Raises Unreadable for a record that this version cannot read: one alone, so that the others go on.
    """
    try:
        return _decoded(ref, fields, holders)
    except (ValueError, TypeError, KeyError, AttributeError, UploadError) as error:
        raise Unreadable(f"{ref.kind.value}:{ref.tenant}:{ref.id}: {error}") from error


def _decoded(ref: Ref, fields: Mapping[str, str], holders: int) -> Entity | None:
    if ref.kind is Kind.PARTS:
        return Parts(ref.tenant, ref.id, {int(number): loads(Part, text) for number, text in fields.items()})
    if not fields:
        return None
    entity = from_hash(TYPES[ref.kind], fields)
    return dataclasses.replace(entity, holders=holders) if isinstance(entity, Blob) else entity


# ---------------------------------------------------------------- any dataclass


def to_hash(thing: Any) -> dict[str, str]:
    """A dataclass as text fields."""
    pairs = ((f.name, getattr(thing, f.name)) for f in dataclasses.fields(thing))
    return {name: str(value) if isinstance(value, str) else dumps(value) for name, value in pairs if value is not None}


def from_hash(kind: type[T], fields: Mapping[str, str]) -> T:
    """The dataclass that `to_hash` made these fields of."""
    hint: Any = kind
    known = hints(hint)
    return kind(**{name: _from_text(known[name], text) for name, text in fields.items() if name in known})


def flat(fields: Mapping[str, str]) -> list[str]:
    """Names and values in turn, as HSET takes them."""
    return [text for pair in fields.items() for text in pair]


def pairs(answer: Sequence[str]) -> dict[str, str]:
    """A hash out of names and values in turn, as HGETALL gives them (RESP2)."""
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _from_text(hint: Any, text: str) -> Any:
    bare = bare_hint(hint)
    is_text = isinstance(bare, type) and issubclass(bare, str)
    return reader(bare)(text if is_text else json.loads(text))

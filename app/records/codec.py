"""Entities as Redis hashes, field by field, after the type hints of their dataclasses.

A hash has one field an attribute: text as it is, everything else as JSON, None not at all. A part table has one field a part number.
Unknown fields (a newer process wrote them) are passed over; missing ones (an older process) take their defaults.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

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
from app.core.upload import Upload

T = TypeVar("T")
Reader = Callable[[Any], Any]

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
    known = _hints(hint)
    return kind(**{name: _from_text(known[name], text) for name, text in fields.items() if name in known})


def flat(fields: Mapping[str, str]) -> list[str]:
    """Names and values in turn, as HSET takes them."""
    return [text for pair in fields.items() for text in pair]


def pairs(answer: Sequence[str]) -> dict[str, str]:
    """A hash out of names and values in turn, as HGETALL gives them (RESP2)."""
    return dict(zip(answer[::2], answer[1::2], strict=True))


def dumps(value: Any) -> str:
    """A value as JSON; dataclasses as objects."""
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False)


def loads(kind: type[T], text: str) -> T:
    """A dataclass that `dumps` wrote."""
    hint: Any = kind
    found: T = _reader(hint)(json.loads(text))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}


# ---------------------------------------------------------------- type hints


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _from_text(hint: Any, text: str) -> Any:
    bare = _bare(hint)
    is_text = isinstance(bare, type) and issubclass(bare, str)
    return _reader(bare)(text if is_text else json.loads(text))


def _bare(hint: Any) -> Any:
    """The hint without its None; a true union stays what it is."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    rest = [option for option in get_args(hint) if option is not type(None)]
    return rest[0] if len(rest) == 1 else hint


@cache
def _reader(hint: Any) -> Reader:
    """What makes a value of this hint out of its JSON. A union of plain types is its JSON."""
    bare = _bare(hint)
    if bare is not hint:
        inner = _reader(bare)
        return lambda value: None if value is None else inner(value)
    if dataclasses.is_dataclass(bare):
        return lambda value: _revived(bare, value)
    if bare is float or (isinstance(bare, type) and issubclass(bare, StrEnum)):
        return bare
    return _collection(bare)


def _collection(hint: Any) -> Reader:
    kind = get_origin(hint)
    if kind in {tuple, frozenset}:
        item = _reader(get_args(hint)[0])
        return lambda values: kind(item(value) for value in values)
    if kind in {Mapping, dict}:
        item = _reader(get_args(hint)[1])
        return lambda pairs: {key: item(value) for key, value in pairs.items()}
    return lambda value: value


def _revived(kind: Any, fields: Mapping[str, Any]) -> Any:
    known = _hints(kind)
    return kind(**{name: _reader(known[name])(value) for name, value in fields.items() if name in known})

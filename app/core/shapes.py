"""Dataclasses as JSON and back, after their type hints.

Unknown members (a newer process wrote them) are passed over; missing ones (an older process) take their defaults.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


def dumps(value: Any) -> str:
    """A value as JSON; dataclasses as objects."""
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False)


def loads(kind: type[T], text: str) -> T:
    """A dataclass that `dumps` wrote."""
    hint: Any = kind
    found: T = reader(hint)(json.loads(text))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}


# ---------------------------------------------------------------- type hints


@cache
def hints(kind: type) -> Mapping[str, Any]:
    """The type of every field of a dataclass."""
    return get_type_hints(kind)


def bare_hint(hint: Any) -> Any:
    """The hint without its None; a true union stays what it is."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    rest = [option for option in get_args(hint) if option is not type(None)]
    return rest[0] if len(rest) == 1 else hint


@cache
def reader(hint: Any) -> Reader:
    """What makes a value of this hint out of its JSON. A union of plain types is its JSON."""
    bare = bare_hint(hint)
    if bare is not hint:
        inner = reader(bare)
        return lambda value: None if value is None else inner(value)
    if dataclasses.is_dataclass(bare):
        return lambda value: _revived(bare, value)
    if bare is float or (isinstance(bare, type) and issubclass(bare, StrEnum)):
        return bare
    return _collection(bare)


def _collection(hint: Any) -> Reader:
    kind = get_origin(hint)
    if kind in {tuple, frozenset}:
        item = reader(get_args(hint)[0])
        return lambda values: kind(item(value) for value in values)
    if kind in {Mapping, dict}:
        item = reader(get_args(hint)[1])
        return lambda pairs: {key: item(value) for key, value in pairs.items()}
    return lambda value: value


def _revived(kind: Any, fields: Mapping[str, Any]) -> Any:
    known = hints(kind)
    return kind(**{name: reader(known[name])(value) for name, value in fields.items() if name in known})

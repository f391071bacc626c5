"""Conditions on assets: which fields there are, how they are compared, in which order they come.

Both query languages of the vendor (`odata`, `queries`) end in these. Source: `AssetQueryParser`, `QueryModel` and `ValueConverter` of its
server, and what its database makes of them: a list is compared by its members, texts are searched without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.core.asset import Asset, AssetState
from app.dialects.squidex.asked import ROOT, invalid
from app.dialects.squidex.pocket import Pocket
from app.dialects.squidex.tags import Names

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]

MISSING = object()


class Type(StrEnum):
    """The types of fields, in the vendor's words."""

    ANY = "Any"
    BOOLEAN = "Boolean"
    MOMENT = "DateTime"
    NUMBER = "Number"
    TEXT = "String"
    TEXTS = "StringArray"


FIELDS: Mapping[str, tuple[str, Type]] = {  # by the name in small letters
    name.lower(): (name, kind)
    for kind, names in {
        Type.TEXT: "id createdBy fileHash fileName lastModifiedBy mimeType parentId slug type",
        Type.NUMBER: "fileSize fileVersion version",
        Type.BOOLEAN: "isDeleted isProtected",
        Type.MOMENT: "created lastModified",
        Type.TEXTS: "tags",
        Type.ANY: "metadata",
    }.items()
    for name in names.split()
}

EQUAL = frozenset({"eq", "ne", "in", "exists"})
ORDERED = EQUAL | {"lt", "le", "gt", "ge"}
SEARCHED = ORDERED | {"contains", "startswith", "endswith", "empty"}
OPERATORS: Mapping[Type, frozenset[str]] = {
    Type.ANY: SEARCHED,
    Type.BOOLEAN: EQUAL,
    Type.MOMENT: ORDERED,
    Type.NUMBER: ORDERED,
    Type.TEXT: SEARCHED,
    Type.TEXTS: SEARCHED,
}
NO_REGEX = "'matchs' is not supported: a regular expression of a client can occupy the server."


def row(of: Asset, names: Names) -> Row:
    """An asset as its fields are compared; moments in seconds."""
    seen = Pocket(of)
    return {
        "id": of.id,
        "createdBy": f"client:{of.owner}",
        "lastModifiedBy": f"client:{of.updated_by or of.owner}",
        "fileHash": seen.hash,
        "fileName": of.filename,
        "fileSize": of.facts.size if of.facts else 0,
        "fileVersion": of.file_version,
        "version": of.version,
        "mimeType": seen.mime_type,
        "parentId": of.parent or ROOT,
        "slug": seen.slug,
        "type": seen.kind,
        "isDeleted": of.state is AssetState.TRASHED,
        "isProtected": seen.protected,
        "created": of.created_at,
        "lastModified": of.updated_at,
        "tags": names.now(seen.tags),
        "metadata": seen.metadata,
    }


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or something below the metadata."""

    spelled: str
    name: str
    kind: Type
    below: tuple[str, ...] = ()

    def value(self, row: Row) -> object:
        """What stands there; MISSING when nothing does."""
        found: object = row[self.name]
        for step in self.below:
            found = found.get(step, MISSING) if isinstance(found, Mapping) else MISSING
        return found


def path(spelled: str) -> Path:
    """The field of this name, its steps apart by dots or slashes. Raises UploadError(INVALID)."""
    first, *below = spelled.replace("/", ".").split(".")
    name, kind = FIELDS.get(first.lower(), ("", Type.ANY))
    if not name or bool(below) != (kind is Type.ANY):
        raise invalid(f"Path '{spelled}' does not point to a valid property in the model.")
    return Path(spelled, name, kind, tuple(below))


# ---------------------------------------------------------------- comparing


def compare(spelled: str, operator: str, wanted: object) -> Condition:
    """The condition `path operator value`. Raises UploadError(INVALID), naming the path."""
    at, op = path(spelled), operator.lower()
    if op == "matchs":
        raise invalid(NO_REGEX)
    if op not in OPERATORS[at.kind]:
        raise invalid(f"'{operator}' is not a valid operator for type {at.kind} at '{spelled}'.")
    if op == "empty":
        return lambda row: at.value(row) in (MISSING, None, "", [])
    if op == "exists":
        return lambda row: (at.value(row) is not MISSING) is (wanted is not False)
    if op == "in":
        values = [_converted(at, each) for each in (wanted if isinstance(wanted, list) else [wanted])]
        return lambda row: any(_any(at.value(row), value, _same) for value in values)
    if isinstance(wanted, list):
        raise invalid(f"Array value is not allowed for '{operator}' operator and path '{spelled}'.")
    value = _converted(at, wanted)
    if op == "ne":
        return lambda row: not _any(at.value(row), value, _same)
    return lambda row: _any(at.value(row), value, JUDGES[op])


def _any(found: object, value: object, judge: Callable[[Any, Any], bool]) -> bool:
    """A list fits when one of its members does."""
    members = found if isinstance(found, list) else [None if found is MISSING else found]
    return any(judge(member, value) for member in members)


def _rank(value: object) -> int:
    """Values of different ranks are never the same, and come in this order."""
    if value is None or value is MISSING:
        return 0
    if isinstance(value, bool):
        return 3
    return 1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 4


def _same(found: object, value: object) -> bool:
    return _rank(found) == _rank(value) and found == value


def _ordered(judge: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, value: _rank(found) == _rank(value) in {1, 2} and judge(found, value)


def _searched(judge: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, value: isinstance(found, str) and isinstance(value, str) and judge(found.lower(), value.lower())


JUDGES: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _same,
    "lt": _ordered(lambda a, b: a < b),
    "le": _ordered(lambda a, b: a <= b),
    "gt": _ordered(lambda a, b: a > b),
    "ge": _ordered(lambda a, b: a >= b),
    "contains": _searched(lambda found, value: value in found),
    "startswith": _searched(str.startswith),
    "endswith": _searched(str.endswith),
}


def _converted(at: Path, wanted: object) -> object:
    if at.kind is Type.MOMENT and isinstance(wanted, str):
        return _seconds(at, wanted)
    fits = {
        Type.ANY: _rank(wanted) < 4,  # noqa: PLR2004 - everything but lists and objects, see `_rank`
        Type.BOOLEAN: isinstance(wanted, bool),
        Type.NUMBER: _rank(wanted) == 1,
        Type.TEXT: _rank(wanted) in {0, 2},
        Type.TEXTS: _rank(wanted) in {0, 2},
        Type.MOMENT: False,
    }
    if not fits[at.kind]:
        raise invalid(f"Expected {at.kind} for path '{at.spelled}', but got {type(wanted).__name__}.")
    return wanted


def _seconds(at: Path, text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid(f"Expected ISO8601 DateTime String for path '{at.spelled}', but got invalid String.") from None


# ---------------------------------------------------------------- together, and in order


def every(conditions: list[Condition]) -> Condition:
    """All of them hold."""
    return lambda row: all(condition(row) for condition in conditions)


def some(conditions: list[Condition]) -> Condition:
    """One of them holds."""
    return lambda row: any(condition(row) for condition in conditions)


def inverse(condition: Condition) -> Condition:
    """It does not hold."""
    return lambda row: not condition(row)


@dataclass(frozen=True, slots=True)
class Order:
    """One field to sort by."""

    at: Path
    descending: bool = False

    def key(self, row: Row) -> tuple[int, Any]:
        """Comparable whatever stands there."""
        value = self.at.value(row)
        rank = _rank(value)
        return rank, 0 if rank == 0 else str(value) if rank == 4 else value  # noqa: PLR2004 - lists and objects, see `_rank`


NEWEST = (Order(path("lastModified"), descending=True), Order(path("id")))


def ordered(rows: list[tuple[Row, Asset]], by: tuple[Order, ...]) -> list[Asset]:
    """The assets in this order, and by their ids where it leaves them equal."""
    for order in reversed((*by, NEWEST[1])):
        rows = sorted(rows, key=lambda pair: order.key(pair[0]), reverse=order.descending)
    return [of for _, of in rows]

"""The fields of a dialect's policy, as the environment sets them: SLIPWAY_{DIALECT}_{FIELD}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any, get_origin, get_type_hints

from app.core.policy import ANY, IMAGES, MIB, Policy
from app.settings import readers

PREFIX = "SLIPWAY_"
ANY_FILE = ("nomad", "contentful", "squidex")  # these take any file unless they are told otherwise
DIALECTS = ("v1", "wdesk", "backoffice", "tus", "s3", *ANY_FILE)
GROUP = "slipway.dialects"  # the entry points of others
LARGEST = 2**62

BY_NAME: Mapping[str, Callable[[str], Any]] = {
    "media_types": readers.media_types,
    "trailing": readers.trailing,
    "part_size": readers.whole(5 * MIB, 5 * 1024 * MIB),  # S3's own bounds: a smaller part can only be the last …
    "max_parts": readers.whole(1, 10_000),  # … and there are no more than these
    "requests_per_second": readers.whole(0, LARGEST),
    "requests_per_hour": readers.whole(0, LARGEST),
}
BY_TYPE: Mapping[type, Callable[[str], Any]] = {
    int: readers.whole(1, LARGEST),
    float: readers.seconds,
    bool: readers.switch,
    Mapping: readers.numbers_by_type,
}
Fields = dict[str, dict[str, Any]]


def _reader(name: str, hint: Any) -> Callable[[str], Any]:
    """How a field of Policy is read: by its name, else by its type; `none` where it may be None."""
    if name in BY_NAME:
        return BY_NAME[name]
    if hint == float | None:
        return lambda text: None if text.lower() == "none" else readers.seconds(text)
    return BY_TYPE[get_origin(hint) or hint]


FIELDS: Mapping[str, Callable[[str], Any]] = {name.upper(): _reader(name, hint) for name, hint in get_type_hints(Policy).items()}


def read(given: Mapping[str, str], known: frozenset[str], faults: list[str]) -> Fields:
    """What the variables that are not `known` set: field by field, by dialect. A fault for each that sets nothing, or contradicts another."""
    found: Fields = {}
    for name in sorted(given.keys() - known):
        dialect, field = _split(name)
        if not field or not _there(dialect):
            faults.append(f"{name}: unknown{_near(name, known)}")
            continue
        try:
            found.setdefault(dialect, {})[field.lower()] = FIELDS[field](given[name])
        except ValueError as wanted:
            faults.append(f"{name}={given[name]!r}: should be {wanted}")
    faults.extend(_contradictions(found, given))
    return found


def spoken(dialect: str) -> str:
    """A dialect's name as variables have it, in small letters."""
    return re.sub(r"[^a-z0-9]", "_", dialect.lower())


def _split(name: str) -> tuple[str, str]:
    """Dialect and field of a policy's variable, the longest field that fits; two empty texts when none does."""
    rest = name.removeprefix(PREFIX)
    fitting = [field for field in FIELDS if re.fullmatch(rf"[A-Z0-9_]+_{field}", rest)]
    field = max(fitting, key=len, default="")
    return (rest.removesuffix(f"_{field}").lower(), field) if field else ("", "")


def _there(dialect: str) -> bool:
    """Whether there is such a dialect: one of ours, or an entry point of somebody else's. None is imported for it."""
    return dialect in DIALECTS or any(dialect == spoken(point.name) for point in entry_points(group=GROUP))


def _near(name: str, known: frozenset[str]) -> str:
    """What was probably meant."""
    names = [*known, *(f"{PREFIX}{dialect.upper()}_{field}" for dialect in DIALECTS for field in FIELDS)]
    match = get_close_matches(name, names, n=1, cutoff=0.8)
    return f"; did you mean {match[0]}?" if match else ""


def _contradictions(found: Fields, given: Mapping[str, str]) -> Iterator[str]:
    """Dialects of ours that are to keep what is no sound image, and yet take in images only. `found` is what was said well of each."""
    for dialect in sorted(found.keys() & set(DIALECTS)):
        lax, fields = dialect in ANY_FILE, found[dialect]
        judge, types = (f"{PREFIX}{dialect.upper()}_{field}" for field in ("JUDGE", "MEDIA_TYPES"))
        said = {"judge": not lax, "media_types": (ANY,) if lax else IMAGES, **fields}
        if said["judge"] or ANY in said["media_types"] or (types in given and "media_types" not in fields):
            continue
        if "judge" in fields:
            yield f"{judge}={given[judge]!r}: should be on, or {types} have {ANY}"
        else:
            yield f"{types}={given[types]!r}: should have {ANY}, or {judge} be on"

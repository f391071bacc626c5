"""The fields of a dialect's policy, as the environment sets them: SLIPWAY_{DIALECT}_{FIELD}."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, get_origin, get_type_hints

from app.core.policy import Policy
from app.settings import readers

PREFIX = "SLIPWAY_"
DIALECTS = ("v1", "wdesk", "backoffice", "nomad", "contentful", "squidex", "tus", "s3")  # for near matches only: any name is taken
LARGEST = 2**62

BY_NAME: Mapping[str, Callable[[str], Any]] = {
    "requests_per_second": readers.whole(0, LARGEST),
    "requests_per_hour": readers.whole(0, LARGEST),
}
BY_TYPE: Mapping[type, Callable[[str], Any]] = {
    int: readers.whole(1, LARGEST),
    float: readers.seconds,
    bool: readers.switch,
    tuple: readers.words,
    Mapping: readers.numbers_by_type,
}


def _reader(name: str, hint: Any) -> Callable[[str], Any]:
    """How a field of Policy is read: by its name, else by its type; `none` where it may be None."""
    if name in BY_NAME:
        return BY_NAME[name]
    if hint == float | None:
        return lambda text: None if text.lower() == "none" else readers.seconds(text)
    return BY_TYPE[get_origin(hint) or hint]


FIELDS: Mapping[str, Callable[[str], Any]] = {name.upper(): _reader(name, hint) for name, hint in get_type_hints(Policy).items()}


def read(given: Mapping[str, str], known: frozenset[str], faults: list[str]) -> dict[str, dict[str, Any]]:
    """What the variables that are not `known` set: field by field, by dialect. A fault for each that sets nothing."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(given.keys() - known):
        dialect, field = _split(name)
        if not field:
            faults.append(f"{name}: unknown{_near(name, known)}")
            continue
        try:
            found.setdefault(dialect, {})[field.lower()] = FIELDS[field](given[name])
        except ValueError as wanted:
            faults.append(f"{name}={given[name]!r}: should be {wanted}")
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


def _near(name: str, known: frozenset[str]) -> str:
    """What was probably meant."""
    names = [*known, *(f"{PREFIX}{dialect.upper()}_{field}" for dialect in DIALECTS for field in FIELDS)]
    match = get_close_matches(name, names, n=1, cutoff=0.8)
    return f"; did you mean {match[0]}?" if match else ""

"""The vendor's query language over assets: filters, full text, groups of media types, order, selection.

A filter is `{path}[{operator}]={value}`: `sys.id[in]=a,b`, `fields.title[match]=cat`, `fields.file.details.size[gte]=1000`. A path into
`fields` may name its locale or not; without one any locale will do. Source: the vendor's page of search parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.core.errors import Code, UploadError
from app.dialects.contentful.envelope import fault

View = dict[str, Any]
Test = Callable[[View], bool]

ROOTS = ("sys", "fields", "metadata")
FIELDS = ("title", "description", "file")
FILTER = re.compile(r"(?P<path>[^\[\]]+)(?:\[(?P<operator>[a-z]+)\])?")
DEEPEST = 8  # steps of a path
MOST = 100  # paths in one order or selection, and filters


def invalid(path: str, details: str, name: str = "unknown") -> UploadError:
    """400 InvalidQuery, to be raised."""
    return UploadError(Code.BAD_REQUEST, reason="query", errors=[fault(path.split("."), name, details)])


def steps_of(path: str) -> list[str]:
    """The steps of a path. Raises UploadError (BAD_REQUEST) for one that leads nowhere in an asset."""
    steps = path.split(".")
    known = steps[0] in ROOTS and len(steps) <= DEEPEST and all(steps)
    if not known or (steps[0] == "fields" and len(steps) > 1 and steps[1] not in FIELDS):
        raise invalid(path, f'The path "{path}" is not recognized')
    return steps


def values(view: View, steps: list[str]) -> Iterator[Any]:
    """What stands at the end of a path; in `fields` in every locale, unless the path names one."""
    if steps[0] != "fields" or len(steps) == 1:
        yield from _down(view, steps)
        return
    localized = view["fields"].get(steps[1], {})
    if len(steps) > 2 and steps[2] in localized:  # noqa: PLR2004 - fields.{field}.{locale}
        yield from _down(localized, steps[2:])
        return
    for value in localized.values():
        yield from _down(value, steps[2:])


def _down(node: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for each in node:
            yield from _down(each, steps)
    elif not steps:
        yield node
    elif isinstance(node, Mapping) and steps[0] in node:
        yield from _down(node[steps[0]], steps[1:])


# ---------------------------------------------------------------- filters


def tests(query: Mapping[str, str]) -> list[Test]:
    """What an asset must pass: one test for each filter. Raises UploadError(BAD_REQUEST)."""
    if len(query) > MOST:
        raise invalid("query", f"At most {MOST} filters", "size")
    return [_test(name, value) for name, value in query.items()]


def _test(name: str, value: str) -> Test:
    if name == "query":
        return lambda view: _matches(view, value)
    if name == "mimetype_group":
        return _of_group(value)
    found = FILTER.fullmatch(name)
    if not found:
        raise invalid(name, f'The path "{name}" is not recognized')
    steps, operator = steps_of(found["path"]), OPERATORS.get(found["operator"] or "eq")
    if operator is None:
        raise invalid(found["path"], f'The operator "{found["operator"]}" is not recognized', "operator")
    return operator(steps, value)


def _eq(steps: list[str], value: str) -> Test:
    return lambda view: any(_text(found) == value for found in values(view, steps))


def _ne(steps: list[str], value: str) -> Test:
    return lambda view: all(_text(found) != value for found in values(view, steps))


def _in(steps: list[str], value: str) -> Test:
    wanted = frozenset(value.split(","))
    return lambda view: any(_text(found) in wanted for found in values(view, steps))


def _nin(steps: list[str], value: str) -> Test:
    unwanted = frozenset(value.split(","))
    return lambda view: all(_text(found) not in unwanted for found in values(view, steps))


def _all(steps: list[str], value: str) -> Test:
    wanted = frozenset(value.split(","))
    return lambda view: wanted <= {_text(found) for found in values(view, steps)}


def _exists(steps: list[str], value: str) -> Test:
    if value not in {"true", "false"}:
        raise invalid(".".join(steps), "[exists] takes true or false", "type")
    return lambda view: any(found not in (None, [], {}) for found in values(view, steps)) == (value == "true")


def _match(steps: list[str], value: str) -> Test:
    words = value.casefold().split()
    return lambda view: any(isinstance(found, str) and _has(found, words) for found in values(view, steps))


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[list[str], str], Test]:
    def build(steps: list[str], value: str) -> Test:
        return lambda view: any(_holds(holds, found, value) for found in values(view, steps))

    return build


OPERATORS: Mapping[str, Callable[[list[str], str], Test]] = {
    "eq": _eq,
    "ne": _ne,
    "in": _in,
    "nin": _nin,
    "all": _all,
    "exists": _exists,
    "match": _match,
    "lt": _compared(lambda found, value: bool(found < value)),
    "lte": _compared(lambda found, value: bool(found <= value)),
    "gt": _compared(lambda found, value: bool(found > value)),
    "gte": _compared(lambda found, value: bool(found >= value)),
}


def _holds(holds: Callable[[Any, Any], bool], found: object, value: str) -> bool:
    """Whether a comparison holds: of numbers, of moments, else of texts."""
    try:
        if isinstance(found, int | float):
            return holds(found, float(value))
        if isinstance(found, str):
            return holds(*_alike(found, value))
    except ValueError:
        return False
    return False


def _alike(found: str, value: str) -> tuple[Any, Any]:
    try:
        return _when(found), _when(value)
    except ValueError:
        return found, value


def _when(text: str) -> datetime:
    """A moment; one that names no zone is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(found: object) -> str | None:
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else None


def _has(text: str, words: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


def _matches(view: View, value: str) -> bool:
    """Full text: every word somewhere in the texts of the asset."""
    paths = (["fields", "title"], ["fields", "description"], ["fields", "file", "fileName"])
    texts = [found for path in paths for found in values(view, path) if isinstance(found, str)]
    return _has(" ".join(texts), value.casefold().split())


# ---------------------------------------------------------------- groups of media types

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
GROUPS: Mapping[str, tuple[str, ...]] = {  # by how a media type begins; "attachment" is what no other group has
    "image": ("image/",),
    "audio": ("audio/",),
    "video": ("video/",),
    "plaintext": ("text/plain",),
    "markup": ("text/html", "text/xml", "application/xml", "application/xhtml+xml"),
    "code": ("text/css", "text/javascript", "application/javascript", "application/json", "text/x-"),
    "richtext": ("application/msword", "application/rtf", "text/rtf", OFFICE + "wordprocessingml", OPEN + "text"),
    "presentation": ("application/vnd.ms-powerpoint", OFFICE + "presentationml", OPEN + "presentation"),
    "spreadsheet": ("application/vnd.ms-excel", "text/csv", OFFICE + "spreadsheetml", OPEN + "spreadsheet"),
    "pdfdocument": ("application/pdf",),
    "archive": ("application/zip", "application/gzip", "application/x-tar", "application/x-7z-compressed", "application/x-rar"),
}
EVERY_GROUP = tuple(beginning for group in GROUPS.values() for beginning in group)


def _of_group(group: str) -> Test:
    if group != "attachment" and group not in GROUPS:
        raise invalid("mimetype_group", f'There is no group "{group}"', "in")
    beginnings, inside = (EVERY_GROUP, False) if group == "attachment" else (GROUPS[group], True)

    def test(view: View) -> bool:
        kinds = [kind for kind in values(view, ["fields", "file", "contentType"]) if isinstance(kind, str)]
        return any(kind.startswith(beginnings) == inside for kind in kinds)

    return test


# ---------------------------------------------------------------- order and selection


@dataclass(frozen=True, slots=True)
class By:
    """One path of an order."""

    steps: list[str]
    reverse: bool

    def key(self, view: View) -> tuple[int, Any]:
        """Numbers before texts; an asset without a value comes first, in reverse order last."""
        found = next((value for value in values(view, self.steps) if isinstance(value, str | int | float)), None)
        if found is None:
            return 0, 0
        return (2, found) if isinstance(found, str) else (1, found)


def order(text: str) -> list[By]:
    """`-sys.updatedAt,sys.id`: by which paths, in which direction. Raises UploadError(BAD_REQUEST)."""
    return [By(steps_of(path.removeprefix("-")), path.startswith("-")) for path in _paths(text, "order")]


def ordered(views: list[View], by: list[By]) -> list[View]:
    """In that order; the first path counts most."""
    for each in reversed(by):
        views = sorted(views, key=each.key, reverse=each.reverse)
    return views


def selection(text: str | None) -> Callable[[View], View]:
    """`fields.title,sys.id`: what is left of an asset. All of it without a selection. Raises UploadError(BAD_REQUEST)."""
    if not text:
        return lambda view: view
    chosen = [steps_of(path) for path in _paths(text, "select")]

    def choose(view: View) -> View:
        left: View = {}
        for steps in chosen:
            _copy(view, left, steps)
        return left

    return choose


def _paths(text: str, what: str) -> list[str]:
    paths = [path.strip() for path in text.split(",")]
    if len(paths) > MOST:
        raise invalid(what, f"At most {MOST} paths", "size")
    return paths


def _copy(view: View, left: View, steps: list[str]) -> None:
    """Take what stands at a path over, with the objects on the way."""
    step, *rest = steps
    if step not in view:
        return
    if not rest or not isinstance(view[step], dict):
        left[step] = view[step]
    else:
        _copy(view[step], left.setdefault(step, {}), rest)

"""Lists of assets: which, in what order, how many. In the vendor's two languages: JSON (`q`) and OData (`$filter`, `$orderby`, `$top`, `$skip`).

Where both are sent, JSON counts. Source: `AssetQueryParser` of the vendor's server; its page has 200 assets at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from marshmallow import fields, validate

from app.dialects.squidex import odata
from app.dialects.squidex.asked import Body, Query, invalid
from app.dialects.squidex.filters import Condition, Order, compare, every, inverse, path, some
from app.web.schemas import load, require_shallow

PAGE = 200  # assets: unasked, and at most
MOST = 2**62
LONGEST_ODATA = 16_384  # characters of a whole OData query in a JSON body
DEEPEST = 50
NO_SEARCH = "Query search clause not supported."
NOT_JSON = "Json query not valid: {}"
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted. `trash`: the query speaks of `isDeleted`, so what was deleted is looked at too. `order`: None is the vendor's own."""

    condition: Condition | None = None
    order: tuple[Order, ...] | None = None
    skip: int = 0
    take: int = PAGE
    trash: bool = False


def _count(**more: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(min=0, max=MOST), allow_none=True, load_default=None, **more)


class OData(Query):
    """The part of a query that is OData."""

    filter = fields.String(data_key="$filter", load_default="")
    orderby = fields.String(data_key="$orderby", load_default="")
    search = fields.String(data_key="$search", load_default="")
    top = _count(data_key="$top")
    skip = _count(data_key="$skip")


class Sorting(Body):
    """One entry of `sort`."""

    path = fields.String(required=True)
    order = fields.String(load_default="ascending", allow_none=True)


class JsonQuery(Body):
    """`q`: the vendor's own query language."""

    filter = fields.Raw(allow_none=True, load_default=None)
    sort = fields.List(fields.Nested(Sorting), allow_none=True, load_default=None)
    full_text = fields.String(data_key="fullText", allow_none=True, load_default=None)
    skip = _count()
    take = _count()
    top = _count()


def wanted(sent: dict[str, str], query: object = NOTHING) -> Wanted:
    """What OData in `sent` (names in small letters), or the JSON `query` in its place, asks for. Raises UploadError(INVALID)."""
    return _by_odata(sent) if query is NOTHING or query is None else _by_json(query)


def parsed(text: str | None) -> object:
    """The JSON in `q`; NOTHING when there is none. Raises UploadError(INVALID)."""
    if not text or not text.strip():
        return NOTHING
    try:
        found: object = json.loads(text)
        require_shallow(found)
    except (ValueError, RecursionError) as error:
        raise invalid(NOT_JSON.format("it cannot be read")) from error
    return found


def spelled_out(text: str | None) -> dict[str, str]:
    """The parameters in an OData query that is sent as one text."""
    if text and len(text) > LONGEST_ODATA:
        raise invalid(f"Failed to parse query: longer than {LONGEST_ODATA} characters")
    return {name.lower(): value for name, value in parse_qsl((text or "").lstrip("?"), keep_blank_values=True, max_num_fields=None)}


def _by_odata(sent: dict[str, str]) -> Wanted:
    asked = load(OData(), {name: value for name, value in sent.items() if value != ""})
    if asked["search"].strip():
        raise invalid(NO_SEARCH)
    condition = odata.condition(asked["filter"]) if asked["filter"].strip() else None
    order = odata.orders(asked["orderby"]) if asked["orderby"].strip() else None
    return Wanted(condition, order, asked["skip"] or 0, _page(asked["top"]), "isdeleted" in asked["filter"].lower())


def _by_json(query: object) -> Wanted:
    if not isinstance(query, dict):
        raise invalid(NOT_JSON.format("no object"))
    asked = load(JsonQuery(), {_camel(name): value for name, value in query.items()})
    if (asked["full_text"] or "").strip():
        raise invalid(NO_SEARCH)
    condition = _node(asked["filter"], 0) if asked["filter"] is not None else None
    order = tuple(Order(path(each["path"]), _descending(each["order"])) for each in asked["sort"] or []) or None
    take = asked["take"] if asked["take"] is not None else asked["top"]
    return Wanted(condition, order, asked["skip"] or 0, _page(take), "isdeleted" in json.dumps(asked["filter"]).lower())


def _camel(name: object) -> str:
    spelled = str(name)
    return "fullText" if spelled.lower() == "fulltext" else spelled.lower()


def _page(take: int | None) -> int:
    """Nothing, and 0, stand for a whole page."""
    return min(take or PAGE, PAGE)


def _descending(order: str | None) -> bool:
    direction = (order or "ascending").lower()
    if direction not in {"ascending", "descending"}:
        raise invalid(NOT_JSON.format(f"no order: {order}"))
    return direction == "descending"


def _node(node: object, depth: int) -> Condition:
    """`{"and": […]}`, `{"or": […]}`, `{"not": {…}}`, or `{"path", "op", "value"}`."""
    if not isinstance(node, dict) or depth > DEEPEST:
        raise invalid(NOT_JSON.format("Invalid query."))
    named = {str(name).lower(): value for name, value in node.items()}
    if named.get("not") is not None:
        return inverse(_node(named["not"], depth + 1))
    joints: dict[str, Callable[[list[Condition]], Condition]] = {"and": every, "or": some}
    for joint, joined in joints.items():
        if isinstance(named.get(joint), list):
            return joined([_node(each, depth + 1) for each in named[joint]])
    spelled, operator = named.get("path"), named.get("op")
    if not isinstance(spelled, str) or not isinstance(operator, str):
        raise invalid(NOT_JSON.format("Invalid query."))
    return compare(spelled, operator, named.get("value"))

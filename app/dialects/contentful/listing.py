"""Lists of assets: the drafts, and what is published.

Without filters, in the order of creation, a page is read as it lies. With filters or another order everything is read, up to the core's
bound, and looked through here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from marshmallow import INCLUDE, Schema, fields, validate

from app.core.document import Document
from app.core.errors import Code, UploadError
from app.core.library import LONGEST_LIST
from app.core.policy import Principal, Scope
from app.dialects.contentful import links, queries, steps, views
from app.dialects.contentful.answers import shown
from app.dialects.contentful.queries import View, invalid
from app.dialects.contentful.schemas import loaded
from app.dialects.contentful.speaker import within
from app.web.dialect import doors

LISTS = Blueprint("lists", __name__)

MOST = 1000
USUAL = 100
FARTHEST = 2**31
LARGEST = 7 * 1024 * 1024  # bytes of an answer: 7340032 (the vendor's technical limits, and what its clients report)
IGNORED = ("locale", "include")  # they mean nothing where every locale is shown and nothing is linked
NEWEST, OLDEST = "-sys.createdAt", "sys.createdAt"


class Query(Schema):
    """What every list understands; all else is a filter."""

    class Meta:
        """Filters are judged by `queries`."""

        unknown = INCLUDE

    skip = fields.Integer(load_default=0, validate=validate.Range(min=0, max=FARTHEST))
    limit = fields.Integer(load_default=USUAL, validate=validate.Range(min=0, max=MOST))
    order = fields.String(load_default="")
    select = fields.String(load_default="")
    cursor = fields.Boolean(load_default=False)
    pageNext = fields.String(load_default="")  # noqa: N815 - the vendor's names
    pagePrev = fields.String(load_default="")  # noqa: N815 - likewise


@LISTS.get("/assets")
def drafts(space: str, environment: str = links.MASTER) -> Response:
    """The assets as they stand, the newest first unless another order is asked for."""
    return _list(within(space, environment, Scope.ASSETS_READ), views.asset)


@LISTS.get("/public/assets")
def published(space: str, environment: str = links.MASTER) -> Response:
    """The assets that are published, as they were published."""
    return _list(within(space, environment, Scope.ASSETS_READ), views.published, steps.is_published)


def _list(who: Principal, view: Callable[[Document], View], there: Callable[[Document], bool] | None = None) -> Response:
    query = _query()
    chosen = queries.selection(query.pop("select"))
    skip, limit, order = query.pop("skip"), query.pop("limit"), query.pop("order")
    cursor, forth, back = query.pop("cursor"), query.pop("pageNext"), query.pop("pagePrev")
    start = _position(forth or back) if cursor else skip
    if not query and there is None and order in {"", NEWEST, OLDEST}:
        page = doors().documents.list(who, links.NAME, start, limit, newest=order != OLDEST)
        items, total = [view(document) for document in page.items], page.total
    else:
        everything = _looked_through(who, view, there, query, order)
        items, total = everything[start : start + limit], len(everything)
    items = [chosen(item) for item in items]
    return _sendable(shown(_by_cursor(items, total, start, limit) if cursor else views.array(items, total, start, limit)))


def _sendable(response: Response) -> Response:
    """Raise UploadError(BAD_REQUEST) for a page that is larger than the vendor sends any: its clients then ask for a smaller one."""
    if (response.content_length or 0) > LARGEST:
        raise steps.refuse(f"Response size too big. Maximum allowed response size: {LARGEST}B.")
    return response


def _query() -> dict[str, Any]:
    try:
        query = loaded(Query(), request.args.to_dict())
    except UploadError as refusal:
        told = refusal.problem.facts.get("errors")
        raise UploadError(Code.BAD_REQUEST, reason="query", errors=told) from refusal
    return {name: value for name, value in query.items() if name not in IGNORED}


def _looked_through(
    who: Principal, view: Callable[[Document], View], there: Callable[[Document], bool] | None, query: Mapping[str, str], order: str
) -> list[View]:
    tests, by = queries.tests(query), queries.order(order or NEWEST)
    documents = doors().documents.list(who, links.NAME, 0, LONGEST_LIST).items
    found = [view(document) for document in documents if there is None or there(document)]
    return queries.ordered([each for each in found if all(test(each) for test in tests)], by)


# ---------------------------------------------------------------- pages by cursor


def _by_cursor(items: list[View], total: int, start: int, limit: int) -> dict[str, object]:
    """An Array without skip and total, with the way to the pages beside it; pages of nothing lead nowhere."""
    pages = {}
    if limit and start + limit < total:
        pages["next"] = _page("pageNext", start + limit)
    if start > 0:
        pages["prev"] = _page("pagePrev", max(0, start - limit))
    return {"sys": {"type": "Array"}, "limit": limit, "pages": pages, "items": items}


def _page(name: str, start: int) -> str:
    rest = {key: value for key, value in request.args.to_dict().items() if key not in {"pageNext", "pagePrev"}}
    return f"{request.path}?{urlencode({**rest, name: base64.urlsafe_b64encode(str(start).encode()).decode()})}"


def _position(token: str) -> int:
    """Where the page begins that a token of ours names."""
    try:
        found = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode() if token else "0"
    except (binascii.Error, ValueError):
        found = ""
    if not (found.isascii() and found.isdecimal() and int(found[:10]) <= FARTHEST):
        raise invalid("pageNext", "The cursor is not one of ours", "invalid")
    return int(found[:10])

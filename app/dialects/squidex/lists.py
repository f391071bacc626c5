"""Lists of assets, by GET and by POST."""

from __future__ import annotations

from flask import Response, request
from marshmallow import fields

from app.core.asset import Asset
from app.core.errors import UploadError
from app.core.library import ANYWHERE
from app.core.policy import Principal, Scope
from app.dialects.squidex import queries, views
from app.dialects.squidex.asked import Body, Query, body, folder_id, query
from app.dialects.squidex.filters import NEWEST, ordered, row
from app.dialects.squidex.queries import Wanted
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import everything, seen, trash
from app.dialects.squidex.tags import Names, names
from app.dialects.squidex.tokens import speaker
from app.web.replies import answer

LISTS = Routes("lists", __name__)

MOST_IDS = 1000
UNCOUNTED = -1  # what stands in the place of a total that nobody wanted


class Listing(Query):
    """The query of a list beside its OData."""

    parent_id = fields.String(data_key="parentid", load_default=None)
    ids = fields.String(load_default="")
    q = fields.String(load_default=None)


class PostedListing(Body):
    """The same as a body."""

    ids = fields.List(fields.String(), allow_none=True, load_default=None)
    odata = fields.String(data_key="oData", allow_none=True, load_default=None)
    q = fields.Raw(allow_none=True, load_default=None)
    parent_id = fields.String(data_key="parentId", allow_none=True, load_default=None)


@LISTS.get("/api/apps/<app>/assets")
def show(app: str) -> Response:
    """The assets of a folder, or of all folders where none is named."""
    who = speaker(app, Scope.ASSETS_READ)
    asked = query(Listing())
    if ids := [each.strip() for each in asked["ids"].split(",") if each.strip()]:
        return _listed(who, _named(who, ids))
    sent = {name.lower(): value for name, value in request.args.items()}
    return _page(who, asked["parent_id"], queries.wanted(sent, queries.parsed(asked["q"])))


@LISTS.post("/api/apps/<app>/assets/query")
def show_posted(app: str) -> Response:
    """The same, asked for in a body: a query can be longer than an address."""
    who = speaker(app, Scope.ASSETS_READ)
    asked = body(PostedListing())
    if asked["ids"]:
        return _listed(who, _named(who, asked["ids"]))
    meant = queries.parsed(asked["q"]) if isinstance(asked["q"], str) else asked["q"]
    wanted = queries.wanted(queries.spelled_out(asked["odata"]), meant)
    return _page(who, asked["parent_id"], wanted)


def _named(who: Principal, ids: list[str]) -> list[Asset]:
    """Those of these ids that are there, in their order."""
    found: list[Asset] = []
    for each in list(dict.fromkeys(ids))[:MOST_IDS]:
        try:
            found.append(seen(who, each))
        except UploadError:
            continue
    return found


def _page(who: Principal, parent: str | None, wanted: Wanted) -> Response:
    place = ANYWHERE if parent is None or parent == "" else folder_id(parent)
    known = names(who)
    found = everything(who, place)
    if wanted.trash:
        found += [of for of in trash(who) if place in {ANYWHERE, of.parent}]
    rows = [(row(of, known), of) for of in found]
    kept = [pair for pair in rows if wanted.condition is None or wanted.condition(pair[0])]
    items = ordered(kept, wanted.order or NEWEST)[wanted.skip : wanted.skip + wanted.take]
    uncounted = _uncounted() and (len(items) >= wanted.take or wanted.skip > 0)
    return _listed(who, items, UNCOUNTED if uncounted else len(kept), known)


def _uncounted() -> bool:
    return any(request.headers.get(name, "").strip().lower() in {"1", "true"} for name in ("X-NoTotal", "X-NoSlowTotal"))


def _listed(who: Principal, items: list[Asset], total: int | None = None, known: Names | None = None) -> Response:
    return answer(views.assets_dto(len(items) if total is None else total, items, who, known or names(who)))

"""One asset: looked at, annotated, moved, deleted. `If-Match` names the version that is meant, ETag the one that came of it."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from app.core.asset import Asset
from app.core.policy import Principal, Scope
from app.dialects.squidex import changes, views
from app.dialects.squidex.asked import Body, Query, Switch, body, existing_folder, expected_version, query
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import seen, there
from app.dialects.squidex.tags import names
from app.dialects.squidex.tokens import speaker
from app.web.replies import answer

ASSETS = Routes("assets", __name__)


class Moving(Body):
    """The body of a move; without a folder it goes to the root."""

    parent_id = fields.String(data_key="parentId", allow_none=True, load_default=None)


class Deletion(Query):
    """The query of a deletion. Nothing here refers to an asset, so `checkReferrers` finds nobody."""

    check_referrers = Switch(data_key="checkreferrers", load_default=False)
    permanent = Switch(load_default=False)


@ASSETS.get("/api/apps/<app>/assets/<id>")
def show(app: str, id: str) -> Response:
    """The asset."""
    who = speaker(app, Scope.ASSETS_READ)
    return shown(seen(who, id), who)


@ASSETS.put("/api/apps/<app>/assets/<id>")
def annotate(app: str, id: str) -> Response:
    """Name, slug, tags, metadata, protection."""
    who = speaker(app, Scope.ASSETS_WRITE)
    wanted = body(changes.Annotation())
    return shown(changes.annotate(who, there(who, id), wanted, expected_version()), who)


@ASSETS.put("/api/apps/<app>/assets/<id>/parent")
def move(app: str, id: str) -> Response:
    """Into another folder."""
    who = speaker(app, Scope.ASSETS_WRITE)
    wanted = body(Moving())["parent_id"]
    of = there(who, id)
    return shown(changes.move(who, of, existing_folder(who, wanted), expected_version()), who)


@ASSETS.delete("/api/apps/<app>/assets/<id>")
def delete(app: str, id: str) -> Response:
    """Into the trash for 30 days, or for good."""
    who = speaker(app, Scope.ASSETS_DELETE)
    changes.delete(who, id, expected_version(), permanent=query(Deletion())["permanent"])
    return Response(status=204)


def shown(of: Asset, who: Principal, status: int = 200, *, duplicate: bool = False) -> Response:
    """The asset with its version."""
    response = answer(views.asset_dto(of, who, names(who), duplicate=duplicate), status)
    response.headers.update(views.entity_tag(of.version))
    return response

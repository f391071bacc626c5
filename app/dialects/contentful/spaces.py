"""The space and its one environment, as far as clients ask for them before they upload."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core.policy import Principal, Scope
from app.dialects.contentful import links, views
from app.dialects.contentful.answers import shown
from app.dialects.contentful.speaker import caller, within
from app.web.dialect import doors

SPACES = Blueprint("spaces", __name__)


@SPACES.get("/spaces")
def spaces() -> Response:
    """The spaces that the token opens: one."""
    who = doors().access.bearer(request.headers.get("Authorization"))
    return shown(views.array([_space(who)], 1, 0, 100))


@SPACES.get("/spaces/<space>")
def show(space: str) -> Response:
    """The space."""
    return shown(_space(caller(space, Scope.ASSETS_READ)))


@SPACES.get("/spaces/<space>/environments")
def environments(space: str) -> Response:
    """Its environments: one."""
    return shown(views.array([_environment(caller(space, Scope.ASSETS_READ))], 1, 0, 100))


@SPACES.get("/spaces/<space>/environments/<environment>")
def environment(space: str, environment: str) -> Response:
    """Its environment."""
    return shown(_environment(within(space, environment, Scope.ASSETS_READ)))


def _space(who: Principal) -> dict[str, object]:
    return {"sys": {"type": "Space", "id": who.tenant, "version": 1}, "name": who.tenant}


def _environment(who: Principal) -> dict[str, object]:
    system = {
        "type": "Environment",
        "id": links.MASTER,
        "version": 1,
        "space": links.link("Space", who.tenant),
        "status": links.link("Status", "ready"),
    }
    return {"sys": system, "name": links.MASTER}

"""Publishing and archiving: the states of an asset that is no draft.

A version that is named must be the current one. Publishing must name it; the others need not (one client never does, or only where it
knows one).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from app.core.document import Document
from app.core.policy import Principal, Scope
from app.dialects.contentful import links, steps, views
from app.dialects.contentful.answers import shown
from app.dialects.contentful.assets import known
from app.dialects.contentful.schemas import PublishBody, loaded
from app.dialects.contentful.speaker import named_version, require_current, required_version, within
from app.web.dialect import doors
from app.web.schemas import json_object

STATES = Blueprint("states", __name__)

Step = Callable[[Document, float, str], Document]
Version = Callable[[], int | None]


@STATES.put("/assets/<id>/published")
def publish(space: str, id: str, environment: str = links.MASTER) -> Response:
    """Publish all of it; or, as the body says, add these locales to what is published, or remove them."""
    who = within(space, environment, Scope.ASSETS_WRITE)
    return _stepped(who, id, *_meant(loaded(PublishBody(), json_object(request, required=False))))


@STATES.delete("/assets/<id>/published")
def unpublish(space: str, id: str, environment: str = links.MASTER) -> Response:
    """A draft again."""
    return _stepped(within(space, environment, Scope.ASSETS_WRITE), id, steps.unpublished, named_version)


@STATES.put("/assets/<id>/archived")
def archive(space: str, id: str, environment: str = links.MASTER) -> Response:
    """Put away."""
    return _stepped(within(space, environment, Scope.ASSETS_WRITE), id, steps.archived, named_version)


@STATES.delete("/assets/<id>/archived")
def unarchive(space: str, id: str, environment: str = links.MASTER) -> Response:
    """Taken out again."""
    return _stepped(within(space, environment, Scope.ASSETS_WRITE), id, steps.unarchived, named_version)


def _meant(wanted: Mapping[str, Any]) -> tuple[Step, Version]:
    """What a body asks for; without one everything is published."""
    if "remove" in wanted:
        return partial(steps.unpublished, locales=wanted["remove"]["fields"]["locales"]), named_version
    locales = wanted["add"]["fields"]["locales"] if "add" in wanted else None
    return partial(steps.published, locales=locales), required_version


def _stepped(who: Principal, id: str, step: Step, named: Version) -> Response:
    document, version = known(who, id), named()

    def change(current: Document, now: float) -> Document:
        require_current(current, version)
        return step(current, now, who.owner)

    return shown(views.asset(doors().documents.revise(document, change)))

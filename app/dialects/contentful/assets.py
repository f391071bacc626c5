"""Assets: created, updated, shown, deleted. An asset is a document; its files come by processing."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request

from app.core.document import Document
from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.dialects.contentful import links, steps, views
from app.dialects.contentful.answers import nothing, shown
from app.dialects.contentful.envelope import fault
from app.dialects.contentful.queries import selection
from app.dialects.contentful.schemas import AssetBody, loaded
from app.dialects.contentful.speaker import named_version, require_current, within
from app.web.dialect import doors
from app.web.schemas import json_object

ASSETS = Blueprint("assets", __name__)

ID = re.compile(r"[a-zA-Z0-9._-]{1,64}")


def known(who: Principal, id: str) -> Document:
    """An asset of the space. Raises UploadError(NOT_FOUND)."""
    return doors().documents.document(who, links.NAME, id)


@ASSETS.post("/assets")
def create(space: str, environment: str = links.MASTER) -> Response:
    """A new asset under an id of ours, at version 1."""
    who = within(space, environment, Scope.ASSETS_WRITE)
    return _created(who, links.new_id(), _sent())


@ASSETS.put("/assets/<id>")
def put(space: str, id: str, environment: str = links.MASTER) -> Response:
    """The whole of it anew at the version named; or a new one under this id, where none is named and there is none."""
    who = within(space, environment, Scope.ASSETS_WRITE)
    sent, version = _sent(), named_version()
    if not version:  # clients that have seen no version send none, or 0
        return _created(who, _chosen(id), sent)

    def change(current: Document, now: float) -> Document:
        require_current(current, version)
        return steps.replaced(current, now, sent, who.owner)

    return shown(views.asset(doors().documents.revise(known(who, id), change)))


@ASSETS.get("/assets/<id>")
def show(space: str, id: str, environment: str = links.MASTER) -> Response:
    """The asset as it stands."""
    who = within(space, environment, Scope.ASSETS_READ)
    chosen = selection(request.args.get("select"))
    return shown(chosen(views.asset(known(who, id))))


@ASSETS.delete("/assets/<id>")
def delete(space: str, id: str, environment: str = links.MASTER) -> Response:
    """204: gone with its files. Not while it is published."""
    who = within(space, environment, Scope.ASSETS_DELETE)
    doors().documents.delete(known(who, id), named_version(), steps.require_deletable)
    return nothing()


def _created(who: Principal, id: str, sent: dict[str, Any]) -> Response:
    return shown(views.asset(doors().documents.create(who, links.NAME, id, steps.body(sent))), 201)


def _chosen(id: str) -> str:
    if not ID.fullmatch(id) or id.strip(".") == "":
        wrong = fault(["sys", "id"], "regexp", f"Does not match {ID.pattern}")
        raise UploadError(Code.INVALID, reason="id", errors=[wrong])
    return id


def _sent() -> dict[str, Any]:
    return loaded(AssetBody(), json_object(request, required=True))

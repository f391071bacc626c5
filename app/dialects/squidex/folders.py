"""Folders: made, listed with the way to them, renamed, moved, deleted with all that lies in them."""

from __future__ import annotations

from flask import Response
from marshmallow import fields, validate

from app.core.errors import Code, UploadError
from app.core.folder import Folder
from app.core.policy import Principal, Scope
from app.dialects.squidex import views
from app.dialects.squidex.asked import NAME, PARENT, ROOT, Body, Query, body, existing_folder, expected_version, folder_id, invalid, query
from app.dialects.squidex.changes import plain
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.tokens import speaker
from app.web.dialect import doors
from app.web.replies import absolute, answer

FOLDERS = Routes("folders", __name__)

LONGEST = 255  # characters of a name
MOST = 10_000  # folders in one answer
NO_NAME = "FolderName: Folder name is required."
OWN_CHILD = f"{PARENT}: Cannot add folder to its own child."
SCOPES = ("PathAndItems", "Path", "Items")


class Naming(Body):
    """The body of a renaming."""

    name = fields.String(data_key="folderName", load_default="", allow_none=True, validate=[validate.Length(max=LONGEST), plain])


class Creation(Naming):
    """The body of a new folder."""

    parent_id = fields.String(data_key="parentId", allow_none=True, load_default=None)


class Moving(Body):
    """The body of a move; without a folder it goes to the root."""

    parent_id = fields.String(data_key="parentId", allow_none=True, load_default=None)


class Listing(Query):
    """The query of a list."""

    parent_id = fields.String(data_key="parentid", load_default=None)
    scope = fields.String(load_default=SCOPES[0])


@FOLDERS.get("/api/apps/<app>/assets/folders")
def show(app: str) -> Response:
    """The folders in a folder and the way to it; without a folder all there are, as the vendor does."""
    who = speaker(app, Scope.ASSETS_READ)
    asked = query(Listing())
    scope = next((name for name in SCOPES if name.lower() == asked["scope"].lower()), None)
    if scope is None:
        raise invalid(f"The value '{asked['scope']}' is not valid.")
    path = _path(who, asked["parent_id"]) if scope != "Items" else []
    items = _items(who, asked["parent_id"]) if scope != "Path" else []
    return answer(views.folders_dto(items, path, who))


def _path(who: Principal, wanted: str | None) -> list[Folder]:
    meant = folder_id(wanted)
    found = _folder(who, meant) if meant else None
    return doors().folders.path(found) if found else []


def _items(who: Principal, wanted: str | None) -> list[Folder]:
    if wanted:
        meant = folder_id(wanted)
        return [] if meant and _folder(who, meant) is None else _inside(who, meant)
    found, at = _inside(who, None), 0
    while at < len(found) < MOST:
        found += _inside(who, found[at].id)
        at += 1
    return found[:MOST]


def _inside(who: Principal, parent: str | None) -> list[Folder]:
    page = doors().folders.inside(who, NAME, parent, 0, MOST)
    return [of for of in page.items if of.dialect == NAME]


def _folder(who: Principal, wanted: str) -> Folder | None:
    try:
        found = doors().folders.folder(who, wanted)
    except UploadError as refusal:
        if refusal.code not in {Code.NOT_FOUND, Code.GONE}:
            raise
        return None
    return found if found.dialect == NAME else None


@FOLDERS.post("/api/apps/<app>/assets/folders")
def create(app: str) -> Response:
    """A new folder; two may have one name."""
    who = speaker(app, Scope.ASSETS_WRITE)
    wanted = body(Creation())
    name = _name(wanted)
    parent = existing_folder(who, wanted["parent_id"])
    made = doors().folders.create(who, NAME, name, parent)
    response = _shown(made, who, 201)
    response.headers["Location"] = absolute(f"{views.assets_path(app, 'folders')}?parentId={parent or ROOT}")
    return response


@FOLDERS.put("/api/apps/<app>/assets/folders/<id>")
def rename(app: str, id: str) -> Response:
    """Another name."""
    who = speaker(app, Scope.ASSETS_WRITE)
    name = _name(body(Naming()))
    return _shown(doors().folders.rename(_there(who, id), name, expected_version(), who.owner), who)


@FOLDERS.put("/api/apps/<app>/assets/folders/<id>/parent")
def move(app: str, id: str) -> Response:
    """Into another folder, but not into itself."""
    who = speaker(app, Scope.ASSETS_WRITE)
    wanted = body(Moving())["parent_id"]
    of, parent = _there(who, id), existing_folder(who, wanted)
    if parent == of.parent:
        return _shown(of, who)
    try:
        return _shown(doors().folders.move(of, parent, expected_version(), who.owner), who)
    except UploadError as refusal:
        raise invalid(OWN_CHILD) if refusal.code is Code.INVALID else refusal from None


@FOLDERS.delete("/api/apps/<app>/assets/folders/<id>")
def delete(app: str, id: str) -> Response:
    """The folder with all that lies in it; what lies in it goes with the next sweep."""
    who = speaker(app, Scope.ASSETS_DELETE)
    doors().folders.delete(_there(who, id), expected_version())
    return Response(status=204)


def _name(wanted: dict[str, str | None]) -> str:
    name = (wanted["name"] or "").strip()
    if not name:
        raise invalid(NO_NAME)
    return name


def _there(who: Principal, wanted: str) -> Folder:
    found = _folder(who, wanted)
    if found is None:
        raise UploadError(Code.NOT_FOUND, what="folder")
    return found


def _shown(of: Folder, who: Principal, status: int = 200) -> Response:
    response = answer(views.folder_dto(of, who), status)
    response.headers.update(views.entity_tag(of.version))
    return response

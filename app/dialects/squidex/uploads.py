"""Files that come in: a new asset, an asset of a chosen id made or given a new content, a new content for one that is there.

The answer is the vendor's own, after a worker is done; who does not want to wait, or waits in vain, gets 202 and the place of the operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Response
from marshmallow import fields

from app.core import filenames
from app.core.asset import Asset
from app.core.errors import ClientGone, Code, Fault, UploadError
from app.core.operation import Operation
from app.core.policy import Principal, Scope
from app.core.reception import Opening
from app.core.target import Target
from app.dialects.squidex import changes, pocket
from app.dialects.squidex.asked import NAME, Query, Switch, existing_folder, expected_version, new_id, query
from app.dialects.squidex.incoming import ADDRESS, ADDRESS_NAME, PARENT_FIELD, Incoming, incoming
from app.dialects.squidex.operations import answered
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import there
from app.dialects.squidex.tokens import speaker
from app.web.dialect import doors
from app.web.forms import FormUpload
from app.web.patience import settled

UPLOADS = Routes("uploads", __name__)

REVISIONS = 100  # earlier contents that stay


class Placing(Query):
    """Where the asset goes, and whether a second one of the same content and name is wanted."""

    parent_id = fields.String(data_key="parentid", load_default=None)
    duplicate = Switch(load_default=False)


class Creation(Placing):
    """The same, with an id of the client's choice."""

    id = fields.String(load_default=None)


@UPLOADS.post("/api/apps/<app>/assets")
def create(app: str) -> Response:
    """A new asset; or the one that has this content and this name already."""
    who = speaker(app, Scope.UPLOADS_WRITE)
    came = incoming()
    asked = query(Creation())
    chosen = new_id(asked["id"])

    def target(came: Incoming) -> Target:
        parent = existing_folder(who, asked["parent_id"] or came.field(PARENT_FIELD))
        _require_free(who, chosen)
        return _new(came, chosen, parent, duplicate=asked["duplicate"])

    return _answered(who, came, target)


@UPLOADS.post("/api/apps/<app>/assets/<id>")
def upsert(app: str, id: str) -> Response:
    """A new content for the asset of this id, or a new asset of this id."""
    who = speaker(app, Scope.UPLOADS_WRITE)
    chosen = new_id(id)
    if chosen is None:
        raise UploadError(Code.NOT_FOUND, what="asset")
    came = incoming()
    asked = query(Placing())

    def target(came: Incoming) -> Target:
        wanted = asked["parent_id"] or came.field(PARENT_FIELD)
        parent, of = existing_folder(who, wanted), _existing(who, chosen)
        if of is None:
            changes.require(of, expected_version())
            return replace(_new(came, chosen, parent, duplicate=asked["duplicate"]), replace=True)
        given = replace(_content(came, of), unless_same=not asked["duplicate"])
        return replace(given, parent=parent, move=True) if wanted else given

    return _answered(who, came, target)


@UPLOADS.put("/api/apps/<app>/assets/<id>/content")
def put_content(app: str, id: str) -> Response:
    """A new content; name, slug and tags stay."""
    who = speaker(app, Scope.UPLOADS_WRITE)
    came = incoming()

    return _answered(who, came, lambda came: _content(came, there(who, id)))


# ---------------------------------------------------------------- what becomes of it


def _new(came: Incoming, id: str | None, parent: str | None, *, duplicate: bool) -> Target:
    kept = pocket.first(_type(came), _name(came))
    aliases = (pocket.slug_alias(kept["slug"]),) if kept["slug"] else ()
    return Target(asset_id=id, parent=parent, metadata=kept, aliases=aliases, same_alias=True, unless_same=not duplicate)


def _content(came: Incoming, of: Asset) -> Target:
    """A new content for an asset. Raises Moved(PRECONDITION); so does the worker, when the asset is changed before the content is."""
    changes.require(of, expected_version())
    return Target(
        asset_id=of.id,
        replace=True,
        rename=True,
        merge=True,
        filename=of.filename,
        metadata=pocket.replaced(of, _type(came), _name(came)),
        same_alias=True,
        revisions=REVISIONS,
        expected=expected_version(),
        there=True,
    )


def _type(came: Incoming) -> str | None:
    """As the part says; of a file that we fetch nothing is known yet."""
    return came.file.content_type if came.file else None


def _name(came: Incoming) -> str:
    """As it is kept: hash, slug and tags follow from it. Raises UploadError(BAD_FILENAME)."""
    return filenames.clean(came.file.filename if came.file else came.field(ADDRESS_NAME)) or ""


def _existing(who: Principal, id: str) -> Asset | None:
    """The asset; None when there never was one. Raises UploadError(GONE) when it was deleted."""
    try:
        return there(who, id)
    except UploadError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise
        return None


def _require_free(who: Principal, id: str | None) -> None:
    """Raise UploadError: EXISTS when the id is taken, GONE when it was."""
    if id is None:
        return
    try:
        doors().library.any_asset(who, id)
    except UploadError as refusal:
        if refusal.code is Code.NOT_FOUND:
            return
        raise UploadError(refusal.code, what="asset", id=id) from None
    raise UploadError(Code.EXISTS, what="asset", id=id)


# ---------------------------------------------------------------- the way of the bytes


def _answered(who: Principal, came: Incoming, target: Callable[[Incoming], Target]) -> Response:
    op = _received(who, came, came.file, target) if came.file else _fetched(who, came, target(came))
    return answered(settled(op, NAME), who)


def _fetched(who: Principal, came: Incoming, target: Target) -> Operation:
    opening = Opening(filename=_name(came), source=came.field(ADDRESS), target=target)
    return doors().reception.fetch(who, NAME, doors().policies[NAME], opening)


def _received(who: Principal, came: Incoming, file: FormUpload, target: Callable[[Incoming], Target]) -> Operation:
    """Take the file in; what becomes of it is decided when the form has ended, because fields may follow the file."""
    up = doors().reception.open(who, NAME, doors().policies[NAME], Opening(file.filename, file.declared_type))

    def judged() -> None:
        if came.verify:
            came.verify()
        meant = target(came)
        kept = {**(meant.metadata or {}), pocket.type_key(up.id): file.content_type}
        doors().reception.redirect(up, replace(meant, metadata=kept))

    try:
        return doors().reception.take(up, file.body, judged)
    except (UploadError, Fault, ClientGone):
        doors().reception.withdraw(up)
        raise

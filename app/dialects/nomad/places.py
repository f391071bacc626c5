"""Where a file goes: the folder, the name in it, and the asset that is there already.

Two uploads mean the same file when folder and name are the same, in the same letters: S3's object keys are exact, and so is the vendor's
`objectKey`. A place has one name among the aliases; the asset that lies there has it, and keeps it when it gets another display name::

    nomad:{folder id}/{name}        nothing before the slash: the root, which the vendor calls a bucket
    nomad:asset/{asset id}          an asset that came by another way

Files that belong to an asset, or to a content record, lie in a folder of their own, which is in no other folder::

    folder nomad-related-{asset id}     folder nomad-content-{content id}
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core import asset, filenames
from app.core.asset import Asset, AssetState
from app.core.errors import Code, Moved, UploadError
from app.core.folder import Folder
from app.core.library import LONGEST_ID
from app.core.policy import Principal
from app.dialects.nomad import ids
from app.web.dialect import doors

NAME = "nomad"
INCOMING = "incoming"  # the predefined folder, as the page says
RELATED, CONTENT = "related", "content"
ALIAS = "nomad:"
NAMELESS = "file"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder (None: the root), a name in it, its alias, and the asset that is there, with bytes or without."""

    parent: str | None
    name: str
    alias: str
    there: Asset | None


def in_folder(who: Principal, parent: str | None, path: Sequence[str]) -> Place:
    """The place at the end of a path (folders, then the name) below a folder, or below `incoming`. Missing folders are made.

    Raises UploadError(INVALID) for an unknown parent, or one that is a file.
    """
    below = _parent(who, parent)
    folder = doors().folders.ensure(who, NAME, path[:-1], below)
    return _at(who, folder.id if folder else below, path[-1])


def of_asset(who: Principal, field: str, id: str) -> Place:
    """The place of an asset that is there. Raises UploadError(INVALID), naming the `field`, for what is none, and for folders."""
    return whereabouts(file(who, field, id))


def whereabouts(there: Asset) -> Place:
    """The place of an asset."""
    own = next((name for name in there.aliases if name.startswith(ALIAS)), f"{ALIAS}asset/{there.id}")
    return Place(there.parent, there.filename, own, there)


def beside(who: Principal, kind: str, id: str, name: str) -> Place:
    """The place of a file that belongs to an asset or to a content record."""
    return _at(who, _annex(who, kind, id).id, name)


def annex_id(kind: str, id: str) -> str:
    """The folder of the files that belong to an asset or to a content record. Raises UploadError(INVALID) for an id that is too long."""
    name = f"{NAME}-{kind}-{id}"
    if len(name) > LONGEST_ID:
        raise UploadError(Code.INVALID, reason=f"{kind}: the id is too long")
    return name


def file(who: Principal, field: str, id: str) -> Asset:
    """An asset of this dialect, with bytes or without. Raises UploadError(INVALID), naming the `field`."""
    try:
        found = doors().library.any_asset(who, id)
    except UploadError:
        raise _no_such(field, "file") from None
    if found.dialect != NAME or not asset.there(found, doors().now()):
        raise _no_such(field, "file")
    return found


def ready(of: Asset | None) -> bool:
    """Whether the asset has bytes."""
    return of is not None and of.state is AssetState.READY


def split(path: str, field: str = "relativePath") -> tuple[str, ...]:
    """The folders and the name of a path, whichever way its slashes lean. Raises UploadError: INVALID, naming the `field`; BAD_FILENAME."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", "."}]
    if not parts or ".." in parts:
        reason = f"{field}: names nothing below its folder"
        raise UploadError(Code.INVALID, reason=reason, errors=[reason])
    return tuple(filenames.clean(part) or "" for part in parts)


def called(*told: str | None) -> str:
    """The name for a file that has none of its own: the first of these of which one is left."""
    for name in filter(None, told):
        with suppress(UploadError):
            return split(name)[-1]
    return NAMELESS


def _at(who: Principal, parent: str | None, name: str) -> Place:
    alias = f"{ALIAS}{parent or ''}/{name}"
    try:
        there = doors().library.find(who, alias)
    except UploadError:
        return Place(parent, name, alias, None)
    return Place(parent, name, alias, there if isinstance(there, Asset) and asset.there(there, doors().now()) else None)


def _parent(who: Principal, parent: str | None) -> str | None:
    if parent is None:
        incoming = doors().folders.ensure(who, NAME, [INCOMING])
        return incoming.id if incoming else None
    return None if parent == ids.bucket(who.tenant) else folder(who, "parentId", parent).id


def folder(who: Principal, field: str, id: str) -> Folder:
    """A folder of this dialect that clients see. Raises UploadError(INVALID), naming the `field`."""
    try:
        found = doors().folders.folder(who, id)
    except UploadError:
        raise _no_such(field, "folder") from None
    if found.dialect != NAME:
        raise _no_such(field, "folder")
    return found


def _no_such(field: str, what: str) -> UploadError:
    reason = f"{field}: there is no such {what}"
    return UploadError(Code.INVALID, reason=reason, errors=[reason])


def _annex(who: Principal, kind: str, id: str) -> Folder:
    """The folder, made when it is missing; whoever comes at the same time gets the same."""
    name = annex_id(kind, id)
    try:
        return doors().folders.folder(who, name)
    except UploadError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise _no_such(kind, "file") from None
    try:
        return doors().folders.create(who, f"{NAME}.{kind}", id, id=name)
    except Moved as moved:
        if moved.code is not Code.EXISTS:
            raise
        return doors().folders.folder(who, name)


def way(tenant: str, folder: str | None) -> list[str]:
    """The names of the folders from the root down to this one; for what belongs to something, the kind and the id of that."""
    if folder is None:
        return []
    for kind in (RELATED, CONTENT):
        if folder.startswith(prefix := f"{NAME}-{kind}-"):
            return [kind, folder.removeprefix(prefix)]
    try:
        found = doors().folders.folder(Principal(tenant, ""), folder)
    except UploadError:
        return []
    return [above.name for above in doors().folders.path(found)]

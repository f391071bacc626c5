"""Folders: names for places, in which assets and folders of one tenant lie. A folder that is deleted takes its contents with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.core.errors import Code, Moved
from app.core.refs import Kind, Ref


@dataclass(frozen=True, slots=True)
class Folder:
    """A place of a tenant. `parent`: None is the dialect's root. `alias`: a name by which it is found, unique in the tenant.

    `deleted_at`: since when it is gone for clients; its record goes when it is empty.
    """

    id: str
    tenant: str
    owner: str
    dialect: str
    name: str
    created_at: float
    updated_at: float
    updated_by: str = ""
    parent: str | None = None
    alias: str | None = None
    deleted_at: float | None = None
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The folder's name among the records."""
        return Ref(Kind.FOLDER, self.tenant, self.id)


def require(folder: Folder | None) -> Folder:
    """The folder. Raises Moved(NOT_FOUND) when there is none, or no longer."""
    if folder is None or folder.deleted_at is not None:
        raise Moved(Code.NOT_FOUND, what="folder")
    return folder


def revised(folder: Folder, now: float, **changes: Any) -> Folder:
    """The folder with `changes`, one version on."""
    return replace(folder, updated_at=now, version=folder.version + 1, **changes)

"""In which lists a record stands: derived from the entity alone, so that the two never disagree.

A list is a sorted set scored with the time at which the record was made; members of one millisecond stand in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.asset import Asset, AssetState
from app.core.document import Document
from app.core.folder import Folder
from app.core.operation import Operation
from app.core.refs import Row, Shelf, lying_in
from app.core.upload import Upload

if TYPE_CHECKING:
    from app.core.ports import Entity


def standing(entity: Entity | None) -> dict[Shelf, float]:
    """The lists that hold the entity as it stands, each with the time that sorts it."""
    match entity:
        case Asset() | Folder() | Document() | Upload() | Operation():
            return dict.fromkeys(_lists(entity), entity.created_at)
        case _:
            return {}


def _lists(of: Asset | Folder | Document | Upload | Operation) -> tuple[Shelf, ...]:
    match of:
        case Asset():
            return _asset(of)
        case Folder():
            return () if of.deleted_at is not None else (lying_in(Row.FOLDERS, of.tenant, of.dialect, of.parent),)
        case Document():
            return (Shelf(Row.DOCUMENTS, of.tenant, of.dialect),)
        case Upload():
            return (Shelf(Row.UPLOADS, of.tenant, of.dialect),)
        case Operation():
            return (Shelf(Row.OPERATIONS, of.tenant), Shelf(Row.OPERATIONS, of.tenant, of.status.value))


def _asset(of: Asset) -> tuple[Shelf, ...]:
    if of.state is AssetState.TRASHED:
        return (Shelf(Row.TRASH, of.tenant, of.dialect),)
    if of.state is AssetState.DELETED:
        return ()
    return (
        Shelf(Row.ASSETS, of.tenant),
        Shelf(Row.ASSETS, of.tenant, of.dialect),
        lying_in(Row.INSIDE, of.tenant, of.dialect, of.parent),
    )

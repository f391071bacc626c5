"""In which lists a record stands: derived from the entity alone, so that the two never disagree.

A list is a sorted set scored with the time at which the record was made; members of one millisecond stand in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.asset import Asset, AssetState
from app.core.document import Document
from app.core.folder import Folder
from app.core.refs import Row, Shelf, lying_in
from app.core.upload import Upload

if TYPE_CHECKING:
    from app.core.ports import Entity


def standing(entity: Entity | None) -> dict[Shelf, float]:
    """The lists that hold the entity as it stands, each with the time that sorts it."""
    match entity:
        case Asset(state=AssetState.READY | AssetState.PLACEHOLDER):
            return dict.fromkeys(_asset(entity), entity.created_at)
        case Asset(state=AssetState.TRASHED):
            return {Shelf(Row.TRASH, entity.tenant, entity.dialect): entity.created_at}
        case Folder(deleted_at=None):
            return {lying_in(Row.FOLDERS, entity.tenant, entity.dialect, entity.parent): entity.created_at}
        case Document():
            return {Shelf(Row.DOCUMENTS, entity.tenant, entity.dialect): entity.created_at}
        case Upload():
            return {Shelf(Row.UPLOADS, entity.tenant, entity.dialect): entity.created_at}
        case _:
            return {}


def _asset(of: Asset) -> tuple[Shelf, ...]:
    return (
        Shelf(Row.ASSETS, of.tenant),
        Shelf(Row.ASSETS, of.tenant, of.dialect),
        lying_in(Row.INSIDE, of.tenant, of.dialect, of.parent),
    )

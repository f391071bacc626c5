"""Which index a record is a member of, and with which time: derived from the entity alone, so that the two never disagree.

The manifest index alone is not derived: a change says so itself, and a member outlives its record until the sweep has seen it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.asset import Asset, AssetState, Blob, BlobState
from app.core.folder import Folder
from app.core.operation import Operation, Status
from app.core.refs import Index, Kind
from app.core.upload import State, Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.ports import Entity

OF_KIND: Mapping[Kind, frozenset[Index]] = {
    Kind.UPLOAD: frozenset({Index.EXPIRY_UPLOADS, Index.DOOMED}),
    Kind.PARTS: frozenset(),
    Kind.OPERATION: frozenset({Index.EXPIRY_OPERATIONS, Index.QUEUED, Index.WAITING, Index.LEASE}),
    Kind.ASSET: frozenset({Index.EXPIRY_ASSETS}),
    Kind.BLOB: frozenset({Index.DOOMED}),
    Kind.DIGEST: frozenset(),
    Kind.FOLDER: frozenset({Index.EMPTYING}),
    Kind.DOCUMENT: frozenset(),
    Kind.ALIAS: frozenset(),
    Kind.RENDITIONS: frozenset(),
}


def memberships(entity: Entity) -> dict[Index, float]:
    """The indexes of OF_KIND that hold the entity as it stands, each with the time at which something is due."""
    match entity:
        case Upload():
            return _upload(entity)
        case Operation():
            return _operation(entity)
        case Asset(state=AssetState.READY | AssetState.TRASHED, expires_at=float() | int() as deadline):
            return {Index.EXPIRY_ASSETS: deadline}
        case Folder(deleted_at=float() | int() as moment):
            return {Index.EMPTYING: moment}
        case Blob(state=BlobState.DOOMED, doomed_at=float() | int() as moment):
            return {Index.DOOMED: moment}
        case _:
            return {}


def _upload(up: Upload) -> dict[Index, float]:
    due: dict[Index, float] = {}
    if up.state is State.OPEN or (up.kept and up.state is State.FINISHED):
        due[Index.EXPIRY_UPLOADS] = up.expires_at
    if up.doomed_at is not None:
        due[Index.DOOMED] = up.doomed_at
    return due


def _operation(op: Operation) -> dict[Index, float]:
    """A queued operation without a time to be sent again, or a started one without a lease, is due at once: none is ever forgotten."""
    if op.final:
        return {Index.EXPIRY_OPERATIONS: op.expires_at}
    if op.status is Status.QUEUED:
        return {
            Index.QUEUED: op.updated_at if op.resend_at is None else op.resend_at,
            Index.WAITING: op.updated_at if op.queued_at is None else op.queued_at,
        }
    if op.status is Status.STARTED:
        return {Index.LEASE: op.updated_at if op.lease is None else op.lease}
    return {}

"""What is kept: assets and their bytes. Get, keep, delete, open for reading; and what a principal may see of uploads and operations."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from app.core import asset
from app.core.asset import Asset, Blob, BlobState, Pointer
from app.core.errors import Code, Moved, UploadError
from app.core.operation import Operation
from app.core.policy import Principal
from app.core.ports import Change, Fetched, Records, Store
from app.core.refs import Kind, Ref
from app.core.upload import Upload

LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Library:
    """Looks records up for a principal: another tenant's id is as unknown as one that never was."""

    records: Records
    store: Store

    def asset(self, who: Principal, id: str) -> Asset:
        """An asset that is there. Raises UploadError(NOT_FOUND), or GONE when it was removed or its deadline passed."""
        found: Asset = self._find(Kind.ASSET, who.tenant, id, "asset")
        asset.require_ready(found, self.records.now())
        return found

    def operation(self, who: Principal, id: str) -> Operation:
        """An operation. Raises UploadError(NOT_FOUND, GONE)."""
        found: Operation = self._find(Kind.OPERATION, who.tenant, id, "operation")
        return found

    def upload(self, who: Principal, id: str) -> Upload:
        """An upload in whatever state. Raises UploadError(NOT_FOUND, GONE)."""
        found: Upload = self._find(Kind.UPLOAD, who.tenant, id, "upload")
        return found

    def _find(self, kind: Kind, tenant: str, id: str, what: str) -> Any:
        ref = Ref(kind, tenant, id)
        if len(id) > LONGEST_ID:
            raise UploadError(Code.NOT_FOUND, what=what)
        found = self.records.get(ref)
        if found is None:
            raise UploadError(Code.GONE if self.records.gone(ref) else Code.NOT_FOUND, what=what)
        return found

    def read(self, of: Asset, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """`length` bytes of an asset from `offset`. Raises UploadError(GONE) when the bytes are not there."""
        if of.blob is None:
            raise UploadError(Code.GONE, what="asset")
        return self.store.fetch(of.blob, offset, length)

    def keep(self, of: Asset, usage: str | None = None) -> Asset:
        """Keep an asset for ever; `usage` names what for. Raises Moved (IN_USE, GONE)."""
        return self._revise(of, lambda current, now: asset.keep(current, usage, now))

    def _revise(self, of: Asset, change: Callable[[Asset, float], Asset]) -> Asset:
        def step(current: Asset | None) -> Change:
            if current is None:
                raise Moved(Code.GONE, what="asset")
            return Change(put=(change(current, self.records.now()),), manifest=(of.ref,))

        written: Any = self.records.commit([of.ref], step).put[0]
        revised: Asset = written
        return revised

    def delete(self, of: Asset, before: float | None = None) -> None:
        """Delete an asset, if its deadline is `before` that time where one is given. Raises Moved(GONE) when it is deleted or was kept.

        The asset is gone at once; its manifest, its record and, when nobody else holds them, its bytes follow.
        """
        blob_ref = Ref(Kind.BLOB, of.tenant, of.blob or "")
        pointer_ref = Ref(Kind.DIGEST, of.tenant, of.facts.digest if of.facts else "")

        def step(current: Asset | None, blob: Blob | None, pointer: Pointer | None) -> Change:
            now = self.records.now()
            if current is None or current.blob != of.blob or (before is not None and not _late(current, before)):
                raise Moved(Code.GONE, what="asset")
            gone = asset.delete(current, now)
            return _released(gone, blob, pointer, now)

        self.records.commit([of.ref, blob_ref, pointer_ref], step)


def _late(current: Asset, before: float) -> bool:
    return current.expires_at is not None and current.expires_at < before


def _released(gone: Asset, blob: Blob | None, pointer: Pointer | None, now: float) -> Change:
    """The asset lets go of its blob; the last holder's letting go dooms it, and nothing points to it any more."""
    if blob is None or blob.state is not BlobState.LIVE:
        return Change(put=(gone,), manifest=(gone.ref,))
    if blob.holders > 1:
        return Change(put=(gone,), release=((blob.ref, gone.id),), manifest=(gone.ref,))
    drop = (pointer.ref,) if pointer and pointer.key == blob.key else ()
    return Change(put=(gone, asset.doom(blob, now)), drop=drop, release=((blob.ref, gone.id),), manifest=(gone.ref,))

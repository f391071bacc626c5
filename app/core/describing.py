"""The sweep of manifests: what changed is described in the store, what is gone is described no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core import keys, manifest
from app.core.asset import Asset, AssetState
from app.core.folder import Folder
from app.core.ports import Change, Records, Store
from app.core.refs import Index, Kind, Ref
from app.core.rendering import clear

if TYPE_CHECKING:
    from app.core.manifest import Described


@dataclass(frozen=True, slots=True)
class Describing:
    """Writes and removes manifests."""

    records: Records
    store: Store

    def describe(self, ref: Ref, at: float) -> None:
        """The manifest of one record as the record stands; the record of a deleted asset goes after it."""
        found = self._there(ref)
        if found is not None:
            self.store.save(keys.manifest(ref), manifest.encode(found))
            found = self._there(ref)  # it may have been deleted, and swept by another pass, while this one wrote
        if found is None:
            self.store.remove(keys.manifest(ref))
        if ref.kind is Kind.ASSET:
            self._settle(ref, gone=found is None)
        self.records.settle_index(Index.MANIFEST, [(ref, at)])

    def _there(self, ref: Ref) -> Described | None:
        found: Any = self.records.get(ref)
        gone = (isinstance(found, Asset) and found.state is AssetState.DELETED) or (
            isinstance(found, Folder) and found.deleted_at is not None
        )
        described: Described | None = None if gone else found
        return described

    def _settle(self, ref: Ref, *, gone: bool) -> None:
        if gone:
            self._bury(ref)
        clear(self.records, ref)

    def _bury(self, ref: Ref) -> None:
        """Nothing happens to an asset that is there: another pass was quicker, and one of the same id may have been made since."""

        def step(current: Asset | None) -> Change:
            if current is None or current.state is not AssetState.DELETED:
                return Change()
            return Change(drop=(ref,), bury=(ref,))

        self.records.commit([ref], step)

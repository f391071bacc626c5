"""What is kept: assets and their bytes. Find, list, read, keep, revise, trash, delete; and what a principal may see of uploads and operations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from app.core import alias, asset, filenames, holding, keys, listing, revising
from app.core.alias import Alias, alias_ref
from app.core.asset import Asset, AssetState
from app.core.document import Document
from app.core.errors import Code, Moved, UploadError
from app.core.folder import Folder, require
from app.core.holding import until_current
from app.core.listing import Slice, Wanted
from app.core.operation import Operation
from app.core.policy import Principal
from app.core.ports import Change, Entity, Fetched, Records, Store
from app.core.refs import Kind, Ref, Row, Shelf, lying_in
from app.core.revising import Revise, Terms, require_version
from app.core.upload import Upload

LONGEST_ID = 128
LONGEST_LIST = 10_000  # members that a list that must be looked through is read up to
ANYWHERE = "*"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some members of a list, and how many it has in all."""

    items: list[T]
    total: int


@dataclass(frozen=True, slots=True)
class Library:
    """Looks records up for a principal: another tenant's id is as unknown as one that never was."""

    records: Records
    store: Store

    # ------------------------------------------------------------ looking up

    def asset(self, who: Principal, id: str) -> Asset:
        """An asset that is there, with bytes. Raises UploadError(NOT_FOUND), or GONE when it was removed or its deadline passed."""
        found: Asset = self._find(Kind.ASSET, who.tenant, id, "asset")
        asset.require_ready(found, self.records.now())
        return found

    def any_asset(self, who: Principal, id: str) -> Asset:
        """An asset, a placeholder and one in the trash too. Raises UploadError(NOT_FOUND), or GONE when it was deleted."""
        found: Asset = self._find(Kind.ASSET, who.tenant, id, "asset")
        if found.state is AssetState.DELETED:
            raise UploadError(Code.GONE, what="asset")
        return found

    def operation(self, who: Principal, id: str) -> Operation:
        """An operation. Raises UploadError(NOT_FOUND, GONE)."""
        found: Operation = self._find(Kind.OPERATION, who.tenant, id, "operation")
        return found

    def upload(self, who: Principal, id: str) -> Upload:
        """An upload in whatever state. Raises UploadError(NOT_FOUND, GONE)."""
        found: Upload = self._find(Kind.UPLOAD, who.tenant, id, "upload")
        return found

    def find(self, who: Principal, name: str) -> Asset | Folder | Document:
        """What has this alias. Raises UploadError(NOT_FOUND)."""
        held: Alias | None = self.records.get(alias_ref(who.tenant, name))
        found: Asset | Folder | Document | None = self.records.get(held.of) if held else None
        if found is None:
            raise UploadError(Code.NOT_FOUND, what="resource")
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

    # ------------------------------------------------------------ lists

    def assets(
        self, who: Principal, dialect: str = "", parent: str | None = ANYWHERE, start: int = 0, limit: int = 100, *, newest: bool = True
    ) -> Page[Asset]:
        """Assets that are there, placeholders too: of a tenant, of one dialect, or in one folder (None: the dialect's root)."""
        shelf = Shelf(Row.ASSETS, who.tenant, dialect) if parent == ANYWHERE else lying_in(Row.INSIDE, who.tenant, dialect, parent)
        page: Page[Asset] = self.page(shelf, start, limit, newest=newest)
        now = self.records.now()
        return Page([of for of in page.items if asset.there(of, now)], page.total)

    def uploads(self, who: Principal, dialect: str, start: int = 0, limit: int = LONGEST_LIST) -> list[Upload]:
        """The uploads of a dialect in whatever state, newest first, until they are purged."""
        page: Page[Upload] = self.page(Shelf(Row.UPLOADS, who.tenant, dialect), start, limit, newest=True)
        return page.items

    def page(self, shelf: Shelf, start: int, limit: int, *, newest: bool) -> Page[Any]:
        """Some members of a list."""
        refs = self.records.shelf(shelf, start, limit, newest=newest)
        return Page([entity for entity in self.records.many(refs) if entity is not None], self.records.shelved(shelf))

    def slice(self, wanted: Wanted) -> Slice:
        """The next members of some lists, whatever is made or removed meanwhile."""
        return listing.read(self.records, wanted)

    # ------------------------------------------------------------ changing

    def keep(self, of: Asset, usage: str | None = None) -> Asset:
        """Keep an asset for ever; `usage` names what for. Raises Moved (IN_USE, GONE)."""
        return self.revise(of, lambda current, now: asset.keep(current, usage, now))

    def revise(
        self, of: Asset, change: Revise, version: int | None = None, claim: tuple[str, ...] = (), drop: tuple[str, ...] = ()
    ) -> Asset:
        """Change an asset, its names and its place. `claim` are aliases to get, `drop` aliases to give up.

        Raises Moved: GONE when it is deleted, PRECONDITION unless it stands at `version`, EXISTS for an alias that is taken, NOT_FOUND (folder),
        and what `change` raises.
        """
        return until_current(lambda: self._revise(of.ref, change, Terms(version, claim, drop)))

    def _revise(self, ref: Ref, change: Revise, terms: Terms) -> Asset:
        seen = _existing(self.records.get(ref))
        refs = revising.refs(seen, change(seen, self.records.now()), terms)

        def step(*found: Entity | None) -> Change:
            return revising.revision(dict(zip(refs, found, strict=True)), seen, change, terms, self.records.now())

        written: Any = self.records.commit(refs, step).put[0]
        revised: Asset = written
        return revised

    def placeholder(
        self,
        who: Principal,
        dialect: str,
        filename: str,
        parent: str | None = None,
        id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        aliases: tuple[str, ...] = (),
    ) -> Asset:
        """An asset without bytes, for ever. Raises UploadError: BAD_FILENAME; Moved: EXISTS (the id, or an alias), NOT_FOUND (folder)."""
        now = self.records.now()
        name = filenames.clean(filename) or "untitled"
        new = Asset(
            id or keys.new_id(),
            who.tenant,
            who.owner,
            dialect,
            name,
            created_at=now,
            updated_at=now,
            state=AssetState.PLACEHOLDER,
            metadata=metadata or {},
            parent=parent,
            aliases=aliases,
            updated_by=who.owner,
        )
        place = [Ref(Kind.FOLDER, who.tenant, parent)] if parent else []
        refs = [new.ref, *place, *(alias_ref(who.tenant, name) for name in aliases)]

        def step(*found: Entity | None) -> Change:
            if any(found[:1]) or any(found[1 + len(place) :]):
                raise Moved(Code.EXISTS, what="asset")
            for entity in found[1 : 1 + len(place)]:
                require(entity if isinstance(entity, Folder) else None)
            return Change(put=(new, *(alias.given(name, new.ref) for name in aliases)), manifest=(new.ref,))

        self.records.commit(refs, step)
        return new

    def trash(self, of: Asset, version: int | None = None) -> Asset:
        """Out of sight, to be brought back within TRASH seconds; its aliases are free. Raises Moved (PRECONDITION, GONE, IN_USE)."""
        return self.revise(of, asset.trash, version)

    def restore(self, of: Asset) -> Asset:
        """Back from the trash, without its aliases; in the root when the folder in which it lay is deleted. Raises Moved(GONE)."""
        try:
            return self.revise(of, asset.restore)
        except Moved as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            return self.revise(of, lambda current, now: replace(asset.restore(current, now), parent=None))

    def delete(self, of: Asset, before: float | None = None, version: int | None = None) -> None:
        """Delete an asset, if its deadline is `before` that time, or it stands at `version`, where one is given.

        Raises Moved: GONE when it is deleted or was kept, PRECONDITION, IN_USE when it stands in a document. It is gone at once; its manifest,
        its record and, when nobody else holds them, its bytes follow.
        """
        until_current(lambda: self._delete(of.ref, before, version))

    def _delete(self, ref: Ref, before: float | None, version: int | None) -> None:
        seen = _existing(self.records.get(ref))
        refs = holding.refs(seen)

        def step(*found: Entity | None) -> Change:
            there = dict(zip(refs, found, strict=True))
            current = there[ref]
            if not isinstance(current, Asset) or (before is not None and not _late(current, before)):
                raise Moved(Code.GONE, what="asset")
            require_version(current, version)
            asset.require_alone(current)
            return holding.deletion([seen], there, self.records.now())

        self.records.commit(refs, step)


def _late(current: Asset, before: float) -> bool:
    return current.expires_at is not None and current.expires_at < before


def _existing(found: Asset | None) -> Asset:
    if found is None or found.state is AssetState.DELETED:
        raise Moved(Code.GONE, what="asset")
    return found

"""The use case of folders: make, find, list, rename, move, delete; what lies in a deleted one goes by a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import alias, folder, keys
from app.core.alias import Alias, alias_ref
from app.core.errors import Code, Moved, UploadError
from app.core.folder import Folder, require
from app.core.holding import Overtaken, until_current
from app.core.library import LONGEST_ID, Library, Page
from app.core.policy import Principal
from app.core.ports import Change, Entity, Records
from app.core.refs import Kind, Ref, Row, lying_in
from app.core.revising import require_version

DEEPEST = 100  # folders in one another


@dataclass(frozen=True, slots=True)
class Folders:
    """Looks folders up for a principal, as the library does assets."""

    records: Records
    library: Library

    def folder(self, who: Principal, id: str) -> Folder:
        """A folder that is there. Raises UploadError(NOT_FOUND), GONE when it was deleted."""
        found: Folder | None = self.records.get(Ref(Kind.FOLDER, who.tenant, id)) if len(id) <= LONGEST_ID else None
        if found is None:
            raise UploadError(Code.NOT_FOUND, what="folder")
        if found.deleted_at is not None:
            raise UploadError(Code.GONE, what="folder")
        return found

    def inside(self, who: Principal, dialect: str, parent: str | None = None, start: int = 0, limit: int = 1000) -> Page[Folder]:
        """The folders in a folder, or in a dialect's root, in the order in which they were made."""
        return self.library.page(lying_in(Row.FOLDERS, who.tenant, dialect, parent), start, limit, newest=False)

    def path(self, of: Folder) -> list[Folder]:
        """From the root down to the folder itself."""
        up, way = of, [of]
        while up.parent and len(way) < DEEPEST:
            above: Folder | None = self.records.get(Ref(Kind.FOLDER, of.tenant, up.parent))
            if above is None:
                break
            way.append(above)
            up = above
        return way[::-1]

    # ------------------------------------------------------------ making

    def create(
        self, who: Principal, dialect: str, name: str, parent: str | None = None, id: str | None = None, alias: str | None = None
    ) -> Folder:
        """A new folder. Raises Moved: EXISTS (the id, or the alias), NOT_FOUND (the parent); UploadError(INVALID) when it would lie too deep."""
        now = self.records.now()
        new = Folder(id or keys.new_id(), who.tenant, who.owner, dialect, name, now, now, who.owner, parent, alias)
        if parent and len(self.path(self.folder(who, parent))) >= DEEPEST:
            raise UploadError(Code.INVALID, reason=f"folders lie at most {DEEPEST} deep")
        refs = [new.ref, *_places(who.tenant, parent), *_names(new)]

        def step(current: Entity | None, *rest: Entity | None) -> Change:
            above, names = rest[: bool(parent)], rest[bool(parent) :]
            if current is not None or any(names):
                raise Moved(Code.EXISTS, what="folder")
            _require_all(above)
            return Change(put=(new, *_given(new)))

        self.records.commit(refs, step)
        return new

    def ensure(self, who: Principal, dialect: str, names: Sequence[str], parent: str | None = None) -> Folder | None:
        """The folder at the end of this path below `parent`, made where it is missing; None for no names.

        Whoever comes at the same time gets the same folders. Raises as `create`, but EXISTS.
        """
        at: Folder | None = None
        for name in names:
            at = self._ensure(who, dialect, name, at.id if at else parent)
        return at

    def _ensure(self, who: Principal, dialect: str, name: str, parent: str | None) -> Folder:
        known = f"{dialect}:path:{parent or ''}/{name}"
        if found := self._named(who, known):
            return found
        try:
            return self.create(who, dialect, name, parent, alias=known)
        except Moved as moved:
            found = self._named(who, known) if moved.code is Code.EXISTS else None
            if found is None:
                raise
            return found

    def _named(self, who: Principal, name: str) -> Folder | None:
        held: Alias | None = self.records.get(alias_ref(who.tenant, name))
        found = self.records.get(held.of) if held else None
        return found if isinstance(found, Folder) else None

    # ------------------------------------------------------------ changing

    def rename(self, of: Folder, name: str, version: int | None = None, by: str | None = None) -> Folder:
        """Another name. It is no longer found by its alias. Raises Moved (PRECONDITION, NOT_FOUND)."""
        return self._revise(of, lambda it, now: folder.revised(it, now, name=name, alias=None, updated_by=by or it.updated_by), version)

    def move(self, of: Folder, parent: str | None, version: int | None = None, by: str | None = None) -> Folder:
        """Another place. Raises Moved (PRECONDITION, NOT_FOUND: the folder, or one above), UploadError(INVALID): into itself, or too deep."""
        return until_current(lambda: self._move(of, parent, version, by))

    def _move(self, of: Folder, parent: str | None, version: int | None, by: str | None) -> Folder:
        way = self.path(self.folder(Principal(of.tenant, of.owner), parent)) if parent else []
        if of.id in {above.id for above in way} or len(way) >= DEEPEST:
            raise UploadError(Code.INVALID, reason="a folder cannot be moved into itself, or too deep")
        return self._revise(
            of, lambda it, now: folder.revised(it, now, parent=parent, alias=None, updated_by=by or it.updated_by), version, way
        )

    def delete(self, of: Folder, version: int | None = None) -> None:
        """Delete a folder with all that lies in it, at once for clients that ask for it; what lies in it goes with the next sweep.

        Raises Moved (PRECONDITION, NOT_FOUND).
        """
        self._revise(of, lambda it, now: folder.revised(it, now, deleted_at=now, alias=None), version)

    def _revise(
        self, of: Folder, change: Callable[[Folder, float], Folder], version: int | None = None, way: Sequence[Folder] = ()
    ) -> Folder:
        """`way`: the folders above its new place, as they were read. Raises Overtaken when one was moved: two moves at once make no ring."""
        refs = [of.ref, *(above.ref for above in way), *_names(of)]

        def step(current: Folder | None, *rest: Entity | None) -> Change:
            there = require(current)
            require_version(there, version)
            _require_same(way, rest)
            held = [name.ref for name in rest if isinstance(name, Alias) and name.of == of.ref]
            return Change(put=(change(there, self.records.now()),), drop=tuple(held))

        written: Any = self.records.commit(refs, step).put[0]
        revised: Folder = written
        return revised


def _places(tenant: str, parent: str | None) -> list[Ref]:
    return [Ref(Kind.FOLDER, tenant, parent)] if parent else []


def _names(of: Folder) -> list[Ref]:
    return [alias_ref(of.tenant, of.alias)] if of.alias else []


def _given(of: Folder) -> tuple[Alias, ...]:
    return (alias.given(of.alias, of.ref),) if of.alias else ()


def _require_all(places: Sequence[Entity | None]) -> None:
    for place in places:
        require(place if isinstance(place, Folder) else None)


def _require_same(seen: Sequence[Folder], found: Sequence[Entity | None]) -> None:
    for before, current in zip(seen, found, strict=False):
        if require(current if isinstance(current, Folder) else None).parent != before.parent:
            raise Overtaken

"""What lay in a deleted folder goes: folders first, each to be emptied in its turn, then assets, then the folder's own record."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from app.core import folder, timing
from app.core.alias import Alias, alias_ref
from app.core.errors import Code, Moved
from app.core.folder import Folder
from app.core.ports import Change, Records
from app.core.refs import Index, Ref, Row, lying_in

if TYPE_CHECKING:
    from app.core.library import Library
    from app.core.retention import Retention, Swept

BATCH = 200


class Emptying:
    """The sweep of deleted folders. Nothing new can come into one: whoever puts something there names the folder in the same commit."""

    def __init__(self, retention: Retention, library: Library) -> None:
        self._retention, self._library = retention, library
        self._records: Records = retention.records

    def empty_folders(self) -> Swept:
        """One pass over the folders that were deleted and are not empty yet."""
        return self._retention.sweep("empty_folders", Index.EMPTYING, self._empty)

    def _empty(self, ref: Ref, at: float) -> None:
        found: Folder | None = self._records.get(ref)
        if found is None or found.deleted_at is None:
            self._records.settle_index(Index.EMPTYING, [(ref, at)])
            return
        until = time.monotonic() + timing.SWEEP
        while lying := self._inside(found):
            for each in lying:
                self._remove(each)
            if time.monotonic() > until:
                raise Moved(Code.LOCKED)  # the next pass goes on
        self._records.commit([ref], lambda there: Change(drop=(ref,), bury=(ref,)) if there else Change())

    def _inside(self, of: Folder) -> list[Ref]:
        shelves = (lying_in(row, of.tenant, of.dialect, of.id) for row in (Row.FOLDERS, Row.INSIDE))
        return [each for shelf in shelves for each in self._records.shelf(shelf, 0, BATCH, newest=False)]

    def _remove(self, ref: Ref) -> None:
        found = self._records.get(ref)
        if isinstance(found, Folder):
            names = [alias_ref(ref.tenant, found.alias)] if found.alias else []
            self._records.commit([ref, *names], self._deleted)
        elif found is not None:
            with suppress(Moved):
                self._library.delete(found)

    def _deleted(self, found: Folder | None, *names: Alias | None) -> Change:
        if found is None or found.deleted_at is not None:
            return Change()
        now = self._records.now()
        held = tuple(name.ref for name in names if name and name.of == found.ref)
        return Change(put=(folder.revised(found, now, deleted_at=now, alias=None),), drop=held)

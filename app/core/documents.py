"""The use case of documents: make, find, list, revise, delete; with the assets that stand in their slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.core import alias, holding
from app.core.alias import Alias, alias_ref
from app.core.asset import Asset, AssetState
from app.core.document import Document, document_ref
from app.core.errors import Code, Moved, UploadError
from app.core.holding import Overtaken, until_current
from app.core.library import LONGEST_ID, Library, Page
from app.core.policy import Principal
from app.core.ports import Change, Entity, Records
from app.core.refs import Kind, Ref, Row, Shelf
from app.core.revising import Terms

if TYPE_CHECKING:
    from app.core.holding import Found

Revise = Callable[[Document, float], Document]


@dataclass(frozen=True, slots=True)
class Documents:
    """Looks documents up for a principal, as the library does assets."""

    records: Records
    library: Library

    def document(self, who: Principal, dialect: str, id: str) -> Document:
        """A document. Raises UploadError(NOT_FOUND)."""
        found: Document | None = self.records.get(document_ref(who.tenant, dialect, id)) if len(id) <= LONGEST_ID else None
        if found is None:
            raise UploadError(Code.NOT_FOUND, what="document")
        return found

    def list(self, who: Principal, dialect: str, start: int = 0, limit: int = 100, *, newest: bool = True) -> Page[Document]:
        """The documents of a dialect."""
        return self.library.page(Shelf(Row.DOCUMENTS, who.tenant, dialect), start, limit, newest=newest)

    def create(self, who: Principal, dialect: str, id: str, body: Mapping[str, Any], aliases: tuple[str, ...] = ()) -> Document:
        """A new document, at revision 1. Raises Moved(EXISTS): the id, or an alias, is taken."""
        now = self.records.now()
        new = Document(id, who.tenant, dialect, who.owner, now, now, who.owner, body, aliases=aliases)
        refs = [new.ref, *(alias_ref(who.tenant, name) for name in aliases)]

        def step(*found: Entity | None) -> Change:
            if any(found):
                raise Moved(Code.EXISTS, what="document")
            return Change(put=(new, *(alias.given(name, new.ref) for name in aliases)))

        self.records.commit(refs, step)
        return new

    def revise(
        self, of: Document, change: Revise, revision: int | None = None, claim: tuple[str, ...] = (), drop: tuple[str, ...] = ()
    ) -> Document:
        """Change a document; see `document.revised`. A slot that `change` takes out of `files` loses its asset, which is deleted.

        `claim` are aliases to get, `drop` aliases to give up. Raises Moved: PRECONDITION unless it stands at `revision`, EXISTS for an alias
        that is taken, NOT_FOUND; and what `change` raises.
        """
        return until_current(lambda: self._revise(of.ref, change, Terms(revision, claim, drop)))

    def _revise(self, ref: Ref, change: Revise, terms: Terms) -> Document:
        seen = _existing(self.records.get(ref))
        out = _left(seen, change(seen, self.records.now()))
        leaving = self._assets(seen, out)
        names = [alias_ref(ref.tenant, name) for name in (*terms.gains, *terms.drop)]
        refs = list(dict.fromkeys([ref, *names, *(each for of in leaving for each in holding.refs(of))]))

        def step(*found: Entity | None) -> Change:
            there = dict(zip(refs, found, strict=True))
            now, current = self.records.now(), _existing(there[ref])
            _require_revision(current, terms.version)
            after = change(current, now)
            if current.files != seen.files or _left(current, after) != out:
                raise Overtaken
            return holding.combined([_renamed(current, after, terms, there), holding.deletion(leaving, there, now)])

        written: Any = self.records.commit(refs, step).put[0]
        revised: Document = written
        return revised

    def delete(self, of: Document, revision: int | None = None, guard: Callable[[Document], None] | None = None) -> None:
        """Delete a document with its assets and its names. `guard` may raise to refuse. Raises Moved (PRECONDITION, NOT_FOUND)."""
        until_current(lambda: self._delete(of.ref, revision, guard))

    def _delete(self, ref: Ref, revision: int | None, guard: Callable[[Document], None] | None) -> None:
        seen = _existing(self.records.get(ref))
        held = self._assets(seen, {file.asset_id for file in seen.files.values()})
        names = [alias_ref(ref.tenant, name) for name in seen.aliases]
        refs = list(dict.fromkeys([ref, *names, *(each for of in held for each in holding.refs(of))]))

        def step(*found: Entity | None) -> Change:
            there = dict(zip(refs, found, strict=True))
            current = _existing(there[ref])
            _require_revision(current, revision)
            if guard:
                guard(current)
            if current.files != seen.files or current.aliases != seen.aliases:
                raise Overtaken
            gone = Change(drop=(ref, *holding.freed(ref, seen.aliases, there)), manifest=(ref,))
            return holding.combined([gone, holding.deletion(held, there, self.records.now())])

        self.records.commit(refs, step)

    def _assets(self, of: Document, ids: set[str]) -> Sequence[Asset]:
        """The assets of these ids that can still be deleted."""
        found = self.records.many([Ref(Kind.ASSET, of.tenant, name) for name in sorted(ids)])
        return [each for each in found if isinstance(each, Asset) and each.state is not AssetState.DELETED]


def _left(before: Document, after: Document) -> set[str]:
    """The assets that stood in the document and no longer do."""
    return {file.asset_id for file in before.files.values()} - {file.asset_id for file in after.files.values()}


def _renamed(current: Document, after: Document, terms: Terms, there: Found) -> Change:
    """The changed document with the names that it gets and without those that it gives up. Raises Moved(EXISTS)."""
    held = {name: there[alias_ref(current.tenant, name)] for name in terms.gains}
    if any(isinstance(taken, Alias) and taken.of != current.ref for taken in held.values()):
        raise Moved(Code.EXISTS, what="document")
    got = tuple(alias.given(name, current.ref) for name, taken in held.items() if taken is None)
    names = tuple(dict.fromkeys(name for name in (*current.aliases, *terms.gains) if name not in terms.drop))
    return Change(put=(replace(after, aliases=names), *got), drop=holding.freed(current.ref, terms.drop, there))


def _require_revision(current: Document, revision: int | None) -> None:
    if revision is not None and current.revision != revision:
        raise Moved(Code.PRECONDITION, version=current.revision)


def _existing(found: Any) -> Document:
    if not isinstance(found, Document):
        raise Moved(Code.NOT_FOUND, what="document")
    return found

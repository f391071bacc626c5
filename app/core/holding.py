"""Letting go of blobs: whoever holds a blob last dooms it by letting go, in the same commit.

A commit names every record that it may write before it begins, while which blobs an entity holds stands in the entity. So it is read
first; the step finds out whether it is still the same (`Overtaken` when not), and `until_current` begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from app.core import asset
from app.core.alias import Alias, alias_ref
from app.core.asset import Asset, Blob, BlobState, Pointer
from app.core.errors import RecordsDown
from app.core.ports import Change, Entity, Records
from app.core.refs import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.upload import Upload

T = TypeVar("T")
Found = Mapping[Ref, Entity | None]
TRIES = 40


class Overtaken(Exception):
    """What was read to know which records the commit must name is no longer so."""


def until_current(attempt: Callable[[], T]) -> T:
    """What `attempt` gives as soon as it is not overtaken. Raises RecordsDown after a bounded number."""
    for _ in range(TRIES):
        try:
            return attempt()
        except Overtaken:
            continue
    raise RecordsDown("contention")


class Reading:
    """Reads records, and remembers what it read."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.seen: dict[Ref, Entity | None] = {}

    def __call__(self, ref: Ref) -> Entity | None:
        """The record, as it was when it was first asked for."""
        if ref not in self.seen:
            self.seen[ref] = self._records.get(ref)
        return self.seen[ref]

    def require_same(self, found: Found) -> None:
        """Raise Overtaken unless everything that was read is still as it was."""
        if any(found[ref] != entity for ref, entity in self.seen.items()):
            raise Overtaken


def of_upload(up: Upload) -> str:
    """As whom a kept upload holds its blob; an asset's id never looks so."""
    return f"upload:{up.id}"


def blob_refs(tenant: str, contents: Mapping[str, str]) -> list[Ref]:
    """The blobs of these keys, and what points to them by their digests."""
    blobs = [Ref(Kind.BLOB, tenant, key) for key in contents]
    return [*blobs, *(Ref(Kind.DIGEST, tenant, digest) for digest in sorted(set(contents.values())))]


def refs(of: Asset) -> list[Ref]:
    """What the deletion of an asset writes: itself, its blobs, its names."""
    return [of.ref, *blob_refs(of.tenant, of.contents), *(alias_ref(of.tenant, name) for name in of.aliases)]


def deletion(seen: Sequence[Asset], found: Found, now: float) -> Change:
    """The end of these assets, as they were seen. Raises Overtaken, Moved(GONE)."""
    current = [_same(of, found) for of in seen]
    leaving: dict[Ref, set[str]] = {}  # who lets go of which blob: of two that have the same bytes, both at once
    for of in current:
        for key in of.contents:
            leaving.setdefault(Ref(Kind.BLOB, of.tenant, key), set()).add(of.id)
    gone = tuple(asset.delete(of, now) for of in current)
    rest = combined(release(found, blob.tenant, blob.id, holders, now) for blob, holders in leaving.items())
    names = tuple(ref for of in current for ref in freed(of.ref, of.aliases, found))
    return Change(
        put=(*gone, *rest.put), drop=(*rest.drop, *names), release=rest.release, manifest=tuple(of.ref for of in gone), bury=rest.bury
    )


def _same(seen: Asset, found: Found) -> Asset:
    current = found.get(seen.ref)
    if not isinstance(current, Asset) or current.contents != seen.contents or current.aliases != seen.aliases:
        raise Overtaken
    return current


def release(found: Found, tenant: str, key: str, holders: Iterable[str], now: float) -> Change:
    """These holders let go of the blob; when nobody else holds it, it is doomed and nothing points to it any more.

    The commit must name the blob (else KeyError: it would stay for ever), and every one of `holders` must hold it: they are counted.
    """
    ref, leaving = Ref(Kind.BLOB, tenant, key), sorted(set(holders))
    blob = found[ref]
    if not isinstance(blob, Blob) or blob.state is not BlobState.LIVE:
        return Change()
    letting_go = tuple((ref, holder) for holder in leaving)
    if blob.holders > len(leaving):
        return Change(release=letting_go)
    pointer = found.get(Ref(Kind.DIGEST, tenant, blob.digest or ""))
    drop = (pointer.ref,) if isinstance(pointer, Pointer) and pointer.key == key else ()
    return Change(put=(asset.doom(blob, now),), drop=drop, release=letting_go)


def combined(changes: Iterable[Change]) -> Change:
    """All of them as one."""
    every = list(changes)
    return Change(
        put=tuple(e for c in every for e in c.put),
        drop=tuple(dict.fromkeys(r for c in every for r in c.drop)),
        hold=tuple(h for c in every for h in c.hold),
        release=tuple(r for c in every for r in c.release),
        bury=tuple(r for c in every for r in c.bury),
        manifest=tuple(r for c in every for r in c.manifest),
        charge=any(c.charge for c in every),
    )


def freed(of: Ref, names: Iterable[str], found: Found) -> tuple[Ref, ...]:
    """The aliases among `names` that a record has, to be dropped."""
    held = (found.get(alias_ref(of.tenant, name)) for name in names)
    return tuple(alias.ref for alias in held if isinstance(alias, Alias) and alias.of == of)

"""The records, made anew from what the store describes, after Redis lost them.

::

    manifests ──► folders, then documents, then assets: each with its names, its lists, its deadlines; with an asset its blobs, their holders, their digests
    the rest  ──► renditions that nobody knows are condemned (they are made again); other bytes that nobody knows are counted, or condemned when asked for

A record that is there is never touched, so it may run beside everything else, and twice. What was in flight is not described anywhere: open
uploads, operations, uploads kept for later, and whoever had credentials. Their bytes are orphans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from app.core import alias, holding, keys, manifest
from app.core.alias import Alias, alias_ref
from app.core.asset import Asset, Blob, BlobState, Pointer, doom
from app.core.document import Document
from app.core.folder import Folder
from app.core.holding import blob_refs
from app.core.manifest import Described
from app.core.ports import Change, Entity, Records, Store
from app.core.refs import Kind, Ref

if TYPE_CHECKING:
    from app.core.facts import Facts
    from app.core.holding import Found

BATCH = 200
READERS = 16  # manifests read at once: on S3 each takes some milliseconds of waiting
NAMED = 100  # losses that a report names; all are counted

T = TypeVar("T")


@dataclass(slots=True)
class Rebuilt:
    """What a run did, or would do: records restored, records that were there, and what could not be brought back, by its manifest's key."""

    folders: int = 0
    documents: int = 0
    assets: int = 0
    present: int = 0
    lost: int = 0  # assets whose bytes are not in the store
    unreadable: int = 0  # manifests
    uprooted: int = 0  # assets whose folder is not described: they lie in the root now
    renditions: int = 0  # unknown ones, condemned
    orphans: int = 0  # blobs that no record knows
    orphaned_bytes: int = 0
    failures: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set, repr=False, compare=False)  # blobs that a described asset holds

    def fail(self, key: str) -> None:
        """Remember the first few by name."""
        if len(self.failures) < NAMED:
            self.failures.append(key)


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """The operator's hands after a loss. `say` hears how far it is: a word and a count."""

    records: Records
    store: Store
    say: Callable[[str, int], None] = lambda _word, _count: None

    def rebuild(self, *, dry_run: bool = False, delete_orphans: bool = False) -> Rebuilt:
        """Bring back what is described and not there. Takes some 200 bytes of memory an object at rest. Raises StoreDown, RecordsDown."""
        rebuilt = Rebuilt()
        at_rest = dict(self.store.resting(keys.BLOBS))
        self.say("blobs", len(at_rest))
        for folder in (keys.FOLDERS, keys.DOCUMENTS, keys.MANIFESTS):
            for found in self._described(folder, rebuilt):
                self._restore(found, at_rest, rebuilt, dry_run=dry_run)
            self.say(folder.rstrip("/"), rebuilt.folders + rebuilt.documents + rebuilt.assets)
        rebuilt.renditions = sum(1 for _ in self._orphans(self.store.resting(keys.RENDITIONS), condemn=not dry_run))
        unnamed = ((key, size) for key, size in at_rest.items() if key not in rebuilt.named)  # in a dry run no record says that it is known
        for _, size in self._orphans(unnamed, condemn=delete_orphans and not dry_run):
            rebuilt.orphans, rebuilt.orphaned_bytes = rebuilt.orphans + 1, rebuilt.orphaned_bytes + size
        return rebuilt

    def _described(self, folder: str, rebuilt: Rebuilt) -> Iterator[Described]:
        with ThreadPoolExecutor(READERS) as pool:
            for batch in _batches(key for key, _ in self.store.resting(folder)):
                for key, content in zip(batch, pool.map(self.store.load, batch), strict=True):
                    try:
                        if content is not None:
                            yield manifest.decode(content)
                    except ValueError:
                        rebuilt.unreadable += 1
                        rebuilt.fail(key)

    # ------------------------------------------------------------ one record

    def _restore(self, found: Described, at_rest: dict[str, int], rebuilt: Rebuilt, *, dry_run: bool) -> None:
        """A record, unless it is there, or was deleted meanwhile."""
        if self.records.get(found.ref) is not None or self.records.gone(found.ref):
            rebuilt.present += 1
            return
        match found:
            case Folder():
                rebuilt.folders += 1
                back: Described = found
            case Document():
                rebuilt.documents += 1
                back = replace(found, pending={})  # the operations that were to fill its slots are lost
            case Asset():
                sound = self._sound(found, at_rest, rebuilt)
                if sound is None:
                    return
                rebuilt.assets += 1
                back = sound
                rebuilt.named.update(sound.contents)
        if not dry_run:
            self._write(back)

    def _sound(self, of: Asset, at_rest: dict[str, int], rebuilt: Rebuilt) -> Asset | None:
        """The asset with those of its contents that are there, in a place that is there; None without its present content."""
        if of.blob is not None and not self._rests(of.blob, of.facts, at_rest):
            rebuilt.lost += 1
            rebuilt.fail(keys.manifest(of.ref))
            return None
        place = self.records.get(Ref(Kind.FOLDER, of.tenant, of.parent)) if of.parent else None
        if of.parent and not isinstance(place, Folder) and self.store.load(keys.manifest(Ref(Kind.FOLDER, of.tenant, of.parent))) is None:
            rebuilt.uprooted += 1
            of = replace(of, parent=None)
        return replace(of, revisions=tuple(each for each in of.revisions if self._rests(each.blob, each.facts, at_rest)))

    def _rests(self, key: str, facts: Facts | None, at_rest: dict[str, int]) -> bool:
        """Whether all the bytes are there, and not condemned: a doomed blob never comes back."""
        known: Blob | None = self.records.get(keys.resting(key))
        return facts is not None and at_rest.get(key) == facts.size and (known is None or known.state is not BlobState.DOOMED)

    def _write(self, of: Described) -> None:
        names = _names(of)
        contents = of.contents if isinstance(of, Asset) else {}
        refs = list(dict.fromkeys([of.ref, *(alias_ref(of.tenant, name) for name in names), *blob_refs(of.tenant, contents)]))

        def step(*entities: Entity | None) -> Change:
            found = dict(zip(refs, entities, strict=True))
            if found[of.ref] is not None:
                return Change()
            mine = tuple(name for name in names if _free(found, of.ref, name))
            record = Change(put=(_named(of, mine), *(alias.given(name, of.ref) for name in mine if not found[alias_ref(of.tenant, name)])))
            return holding.combined([record, *(_held(found, of.ref, facts, key) for key, facts in _contents(of).items())])

        self.records.commit(refs, step)

    # ------------------------------------------------------------ what nobody knows

    def _orphans(self, at_rest: Iterable[tuple[str, int]], *, condemn: bool) -> Iterator[tuple[str, int]]:
        """What rests without a record. A blob's record is made before its bytes come, and goes after them."""
        for batch in _batches(at_rest):
            known = self.records.many([keys.resting(key) for key, _ in batch])
            for (key, size), blob in zip(batch, known, strict=True):
                if blob is None:
                    if condemn:
                        self._condemn(keys.resting(key))
                    yield key, size

    def _condemn(self, ref: Ref) -> None:
        def step(current: Blob | None) -> Change:
            return Change() if current else Change(put=(doom(Blob(ref.id, ref.tenant), self.records.now()),))

        self.records.commit([ref], step)


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _names(of: Described) -> tuple[str, ...]:
    if isinstance(of, Folder):
        return (of.alias,) if of.alias else ()
    return of.aliases


def _named(of: Described, names: tuple[str, ...]) -> Described:
    """The record with those of its names that it has again."""
    return replace(of, alias=names[0] if names else None) if isinstance(of, Folder) else replace(of, aliases=names)


def _free(found: Found, by: Ref, name: str) -> bool:
    held = found[alias_ref(by.tenant, name)]
    return held is None or (isinstance(held, Alias) and held.of == by)


def _contents(of: Described) -> dict[str, Facts]:
    """Every blob that an asset holds, with what was measured of it."""
    if not isinstance(of, Asset):
        return {}
    own = {of.blob: of.facts} if of.blob and of.facts else {}
    return {each.blob: each.facts for each in of.revisions} | own


def _held(found: Found, of: Ref, facts: Facts, key: str) -> Change:
    """The blob, held by the asset; what its digest points to, unless that is another one already."""
    ref, pointer = Ref(Kind.BLOB, of.tenant, key), Pointer(of.tenant, facts.digest, key)
    blob = found[ref]
    if isinstance(blob, Blob) and blob.state is BlobState.DOOMED:
        return Change()
    live = () if blob else (Blob(key, of.tenant, BlobState.LIVE, facts.size, facts.digest, facts.media_type),)
    pointing = () if found[pointer.ref] else (pointer,)
    return Change(put=(*live, *pointing), hold=((ref, of.id),))

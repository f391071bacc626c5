"""What must agree in a house that has come to rest: each record with every other, and the records with the bytes.

Every function yields what is wrong, in words; together they are the law of `core` about what may stand.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict

from app.core.alias import Alias, alias_ref
from app.core.asset import AssetState, BlobState
from app.core.errors import UploadError
from app.core.refs import Index, Kind, Ref
from app.core.tally import Tally, weight
from app.core.upload import State
from app.records import keys
from app.records.indexes import memberships
from app.records.shelves import standing

SHELVED = (Kind.ASSET, Kind.FOLDER, Kind.DOCUMENT, Kind.UPLOAD, Kind.OPERATION)
INDEXED = (Kind.ASSET, Kind.FOLDER, Kind.UPLOAD, Kind.OPERATION, Kind.BLOB)
KEPT = ("gone:", "lock:", "tenants", "cred", "secret", "test:", "tally:")  # what stays when everything is gone


def wrong(house):
    """Everything that does not agree."""
    judges = (
        _operations,
        _uploads,
        _assets,
        _holders,
        _renditions,
        _aliases,
        _pointers,
        _documents,
        _folders,
        _shelves,
        _indexes,
        _tallies,
    )
    return [f"{judge.__name__}: {fault}" for judge in judges for fault in judge(house)]


def left(house):
    """Records and bytes that are still there when everything was deleted."""
    yield from (key for key in house.raw.scan_iter("*") if not key.startswith(KEPT))
    yield from house.store._kept


def _operations(house):
    yield from (f"{op.id} ({op.kind}) is {op.status}" for op in house.every(Kind.OPERATION) if not op.final)


def _uploads(house):
    for up in house.every(Kind.UPLOAD):
        if up.attaching or up.state is State.OPEN:
            yield f"{up.id} is {up.state}, and awaited by {up.attaching}"


def _assets(house):
    for of in house.every(Kind.ASSET):
        if of.state is AssetState.DELETED or (of.state is AssetState.READY) > (of.blob is not None):
            yield f"{of.id} is {of.state} with {of.blob}"
        folder = house.records.get(Ref(Kind.FOLDER, of.tenant, of.parent)) if of.parent else None
        if of.parent and of.state is not AssetState.TRASHED and (folder is None or folder.deleted_at):
            yield f"{of.id} lies in {of.parent}, which is gone"
        yield from (f"{of.id} has not {name}" for name in of.aliases if not _has(house, of.ref, name))
        yield from (f"{of.id} has not the bytes {key}" for key, digest in of.contents.items() if _digest(house, key) != digest)


def _has(house, ref, name) -> bool:
    held = house.records.get(alias_ref(ref.tenant, name))
    return isinstance(held, Alias) and held.of == ref


def _digest(house, key) -> str | None:
    try:
        with house.store.fetch(key, 0, 1 << 30) as fetched:
            return f"sha256:{hashlib.sha256(b''.join(fetched.chunks)).hexdigest()}"
    except UploadError:
        return None


def _holders(house):
    """Who holds a blob is who says that it does; what nobody holds is gone."""
    should = defaultdict(set)
    for of in house.every(Kind.ASSET):
        for key in of.contents:
            should[key].add(of.id)
    for up in house.every(Kind.UPLOAD):
        if up.kept and up.state is State.FINISHED and up.blob:
            should[up.blob].add(f"upload:{up.id}")
    for made in house.every(Kind.RENDITIONS):
        for entry in made.entries.values():
            if entry.facts:
                should[entry.blob].add(made.id)
    blobs = {blob.key: blob for blob in house.every(Kind.BLOB)}
    yield from (f"{key} is {blob.state}" for key, blob in blobs.items() if blob.state is not BlobState.LIVE)
    held = {key: set(house.raw.smembers(keys.holders(blob.ref))) for key, blob in blobs.items()}
    yield from (f"{key}: {held.get(key)}, not {should.get(key)}" for key in {*held, *should} if held.get(key) != should.get(key))


def _renditions(house):
    for made in house.every(Kind.RENDITIONS):
        of = house.records.get(Ref(Kind.ASSET, made.tenant, made.id))
        if of is None or of.blob != made.source:
            yield f"{made.id}: of {made.source}"


def _aliases(house):
    for alias in house.every(Kind.ALIAS):
        of = house.records.get(alias.of)
        names = () if of is None else of.aliases if hasattr(of, "aliases") else (of.alias,)
        if alias.name not in names:
            yield f"{alias.name} is nobody's: {alias.of}"


def _pointers(house):
    for pointer in house.every(Kind.DIGEST):
        blob = house.records.get(Ref(Kind.BLOB, pointer.tenant, pointer.key))
        if blob is None or blob.state is not BlobState.LIVE or blob.digest != pointer.digest:
            yield f"{pointer.digest} points to {blob}"


def _documents(house):
    for paper in house.every(Kind.DOCUMENT):
        for slot, file in paper.files.items():
            of = house.records.get(Ref(Kind.ASSET, paper.tenant, file.asset_id))
            if of is None or of.state is not AssetState.READY or of.document != paper.id or of.facts != file.facts:
                yield f"{paper.id}.{slot}: {of}"


def _folders(house):
    for folder in house.every(Kind.FOLDER):
        way = house.folders.path(folder)
        if folder.deleted_at or way[0].parent or len({above.id for above in way}) != len(way):
            yield f"{folder.id} is not to be reached: {[above.id for above in way]}, {folder.deleted_at}"


def _shelves(house):
    yield from _differ(house, "sh:*", SHELVED, lambda of: [keys.shelf(shelf) for shelf in standing(of)])


def _tallies(house):
    """What is counted is what the records weigh."""
    weighed = [of for kind in (Kind.UPLOAD, Kind.BLOB) for of in house.every(kind)]
    for tenant in {of.ref.tenant for of in weighed}:
        should = sum((weight(of) for of in weighed if of.ref.tenant == tenant), Tally())
        found = house.records.standing(tenant).tally
        if found != should:
            yield f"{tenant} takes up {should}, and {found} is counted"


def _indexes(house):
    """But for what is condemned of uploads: that is settled, and comes back with every write of the upload."""
    doomed = (Kind.UPLOAD, Index.DOOMED)
    yield from _differ(house, "ix:*", INDEXED, lambda of: [i.value for i in memberships(of) if (of.ref.kind, i) != doomed])


def _differ(house, pattern, kinds, lists_of):
    should = {(name, keys.member(of.ref)) for kind in kinds for of in house.every(kind) for name in lists_of(of)}
    found = {(name, member) for name in house.raw.scan_iter(pattern) for member in house.raw.zrange(name, 0, -1)}
    condemned = {(name, member) for name, member in found if name == Index.DOOMED.value and member.startswith("up:")}
    yield from sorted(f"{name} lacks {member}" for name, member in should - found)
    yield from sorted(f"{name} has {member}" for name, member in found - should - condemned)

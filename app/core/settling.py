"""The end of good work: what the bytes became, in one commit with the end of the operation.

What is written depends on what is found: who has the aliases, whether the same bytes rest already, what the asset held before. So that is
read first, the records concerned are named, and the step begins again when one of them is no longer what was read (`Overtaken`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.core import alias, asset, document, filenames, holding, operation, upload
from app.core.alias import Alias, alias_ref, same_content
from app.core.asset import Asset, AssetState, Blob, BlobState, Pointer, Revision
from app.core.document import Document, File, document_ref
from app.core.errors import Code, Moved, UploadError, refuse
from app.core.facts import Facts
from app.core.folder import Folder
from app.core.holding import Reading
from app.core.operation import ATTACH, Operation, Progress, Status
from app.core.ports import Change, Entity, Records
from app.core.refs import Kind, Ref
from app.core.target import Target
from app.core.upload import Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.holding import Found


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker claimed: the operation as claimed, its upload, the key at which its bytes will rest, and the asset's id."""

    op: Operation
    up: Upload
    key: str
    asset_id: str

    @property
    def refs(self) -> list[Ref]:
        """Operation, upload, blob: what every ending of the work is a commit over."""
        return [self.op.ref, self.up.ref, Ref(Kind.BLOB, self.op.tenant, self.key)]

    @property
    def target(self) -> Target:
        """What the bytes become."""
        return self.op.target


class Settlement:
    """One try to settle. `refs` are the records that its `step` is a commit over."""

    def __init__(self, records: Records, work: Work, facts: Facts) -> None:
        self._work, self._facts = work, facts
        self._read = Reading(records)
        self._filename = work.target.filename or work.up.filename or filenames.default(facts.media_type)
        self._key = self._resting_key()
        self.refs = self._concerned()

    # ------------------------------------------------------------ what is found, before the commit

    @property
    def _attaching(self) -> bool:
        return self._work.op.kind == ATTACH

    def _resting_key(self) -> str:
        """Where the bytes rest: at the kept upload's key, at the key of equal bytes, or at the work's own."""
        if self._attaching:
            return self._work.up.blob or ""
        pointer = self._read(Ref(Kind.DIGEST, self._work.op.tenant, self._facts.digest))
        return pointer.key if isinstance(pointer, Pointer) else self._work.key

    @cached_property
    def _same(self) -> str | None:
        target = self._work.target
        wanted = target.same_alias or target.unless_same
        return same_content(self._work.up.dialect, self._facts.digest, self._filename) if wanted else None

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """The aliases that the asset gets where they are free."""
        target = self._work.target
        return tuple(dict.fromkeys(name for name in (*target.aliases, target.by_alias, self._same) if name))

    def _holder(self, name: str | None) -> Asset | None:
        """The asset that has this alias, and is there."""
        held = self._read(alias_ref(self._work.op.tenant, name)) if name else None
        found = self._read(held.of) if isinstance(held, Alias) else None
        return found if isinstance(found, Asset) and found.state in {AssetState.READY, AssetState.PLACEHOLDER} else None

    @cached_property
    def _twin(self) -> Asset | None:
        """The asset of equal content and filename that is the result instead of a new one."""
        found = self._holder(self._same) if self._work.target.unless_same else None
        return found if found and found.state is AssetState.READY else None

    @cached_property
    def _document(self) -> Document | None:
        target = self._work.target
        ref = document_ref(self._work.op.tenant, self._work.up.dialect, target.document) if target.document else None
        found = self._read(ref) if ref else None
        return found if isinstance(found, Document) else None

    @cached_property
    def _id(self) -> str:
        """Of the asset: the one behind the alias, the one in the slot, the one that was chosen, or a new one."""
        there = self._holder(self._work.target.by_alias)
        if there:
            return there.id
        standing = self._document.files.get(self._work.target.slot) if self._document else None
        return standing.asset_id if standing else self._work.target.asset_id or self._work.asset_id

    @cached_property
    def _before(self) -> Asset | None:
        """The asset whose bytes are replaced. Raises UploadError(EXISTS) when its id is taken and may not be."""
        target = self._work.target
        found = self._read(Ref(Kind.ASSET, self._work.op.tenant, self._id))
        if found is None:
            return None
        there = isinstance(found, Asset) and found.state in {AssetState.READY, AssetState.PLACEHOLDER}
        if not (there and (target.replace or target.document or found == self._holder(target.by_alias))):
            raise UploadError(Code.EXISTS, what="asset")
        return found if isinstance(found, Asset) else None

    @cached_property
    def _revisions(self) -> tuple[Revision, ...]:
        """The earlier contents that stay."""
        before, most = self._before, self._work.target.revisions
        if before is None or before.blob is None or before.facts is None or most == 0:
            return ()
        return (*before.revisions, Revision(before.blob, before.facts, before.updated_at, before.version, before.upload_id))[-most:]

    @cached_property
    def _retired(self) -> Mapping[str, str]:
        """The contents that do not stay, by their keys, with their digests."""
        staying = {self._key, *(revision.blob for revision in self._revisions)}
        held = self._before.contents if self._before else {}
        return {key: digest for key, digest in held.items() if key not in staying}

    def _concerned(self) -> list[Ref]:
        tenant, target = self._work.op.tenant, self._work.target
        if self._work.up.kept and not self._attaching:
            return list(dict.fromkeys([*self._work.refs, *self._resting()]))
        place = [Ref(Kind.FOLDER, tenant, target.parent)] if target.parent else []
        slot = [self._document.ref] if self._document else []
        mine = [] if self._twin else [Ref(Kind.ASSET, tenant, self._id), *holding.blob_refs(tenant, self._retired)]
        old = self._before.aliases if not self._twin and self._before else ()
        names = [alias_ref(tenant, name) for name in (*self._names, *old)]
        return list(dict.fromkeys([*self._work.refs, *self._resting(), *place, *slot, *mine, *names, *self._read.seen]))

    def _resting(self) -> list[Ref]:
        return holding.blob_refs(self._work.op.tenant, {self._key: self._facts.digest})

    # ------------------------------------------------------------ the step

    def step(self, now: float, *entities: Entity | None) -> Change:
        """The change. Raises Overtaken, Moved (the operation is no longer this worker's), UploadError: EXISTS, NOT_FOUND, GONE, VERSION_CONFLICT."""
        found = dict(zip(self.refs, entities, strict=True))
        op, up = self._own(found)
        self._read.require_same(found)
        if up.kept and not self._attaching:
            return self._kept(found, op, up, now)
        if self._twin:
            return Change(put=(self._ended(op, self._twin.id, now), upload.condemn(up, now), *self._own_blob_goes(found, now)))
        return self._settled(found, op, up, now)

    def _own(self, found: Found) -> tuple[Operation, Upload]:
        op, up = found[self._work.op.ref], found[self._work.up.ref]
        if not isinstance(op, Operation) or not isinstance(up, Upload):
            raise Moved(Code.GONE, what="upload")
        operation.own(op, self._work.op.attempt)
        return op, up

    def _ended(self, op: Operation, asset_id: str | None, now: float) -> Operation:
        done = Progress("completed", self._facts.size, self._facts.size)
        return operation.finish(op, Status.COMPLETED, now, asset_ids=(asset_id,) if asset_id else (), progress=done)

    def _rest(self, found: Found, now: float) -> tuple[Blob, tuple[Entity, ...]]:
        """The live blob that has the bytes, and what is written so that it is."""
        key = Ref(Kind.BLOB, self._work.op.tenant, self._key)
        resting = found[key]
        if isinstance(resting, Blob) and resting.state is BlobState.LIVE:
            return resting, self._own_blob_goes(found, now)
        if self._attaching:
            raise UploadError(Code.GONE, what="upload")
        own = found[self._work.refs[2]]
        if not isinstance(own, Blob) or own.state is not BlobState.PROMOTING:
            raise Moved(Code.GONE, what="upload")
        pointer = found[Ref(Kind.DIGEST, own.tenant, self._facts.digest)]
        older = pointer.version + 1 if isinstance(pointer, Pointer) else 0
        live = asset.live(own, self._facts)
        return live, (live, Pointer(own.tenant, self._facts.digest, own.key, version=older))

    def _own_blob_goes(self, found: Found, now: float) -> tuple[Entity, ...]:
        own = found.get(self._work.refs[2])
        mine = isinstance(own, Blob) and own.state is BlobState.PROMOTING and not self._attaching
        return (asset.doom(own, now),) if mine and isinstance(own, Blob) else ()

    def _kept(self, found: Found, op: Operation, up: Upload, now: float) -> Change:
        blob, written = self._rest(found, now)
        resting = upload.rest(up, blob.key, self._facts, now)
        return Change(put=(self._ended(op, None, now), resting, *written), hold=((blob.ref, holding.of_upload(up)),))

    def _settled(self, found: Found, op: Operation, up: Upload, now: float) -> Change:
        blob, written = self._rest(found, now)
        self._require_place(found)
        got = self._asset(up, blob.key, found, now)
        names = tuple(alias.given(name, got.ref) for name in got.aliases if found.get(alias_ref(got.tenant, name)) is None)
        lost = holding.freed(got.ref, [name for name in (self._before.aliases if self._before else ()) if name not in got.aliases], found)
        after = upload.detach(up, op.id) if self._attaching else upload.condemn(up, now)
        leaving = holding.combined(holding.release(found, got.tenant, key, [got.id], now) for key in self._retired)
        settled = Change(
            put=(self._ended(op, got.id, now), after, got, *written, *names, *self._filled(found, got, now)),
            drop=lost,
            hold=((blob.ref, got.id),),
            manifest=(got.ref,),
        )
        return holding.combined([settled, leaving])

    def _require_place(self, found: Found) -> None:
        target = self._work.target
        place = found.get(Ref(Kind.FOLDER, self._work.op.tenant, target.parent)) if target.parent else None
        if target.parent and not (isinstance(place, Folder) and place.deleted_at is None):
            raise UploadError(Code.NOT_FOUND, what="folder")

    def _filled(self, found: Found, got: Asset, now: float) -> tuple[Document, ...]:
        target = self._work.target
        if target.document is None:
            return ()
        there = found.get(self._document.ref) if self._document else None
        file = File(got.id, self._filename, self._facts)
        try:
            return (document.filled(there if isinstance(there, Document) else None, target.slot, self._work.op.id, file, now),)
        except Moved as late:
            raise refuse(late.problem) from late

    def _asset(self, up: Upload, key: str, found: Found, now: float) -> Asset:
        free = [name for name in self._names if self._gets(name, found)]
        if self._before is None:
            return self._new(up, key, tuple(free), now)
        before, target = self._before, self._work.target
        kept = [name for name in before.aliases if not name.startswith("same:")]
        renamed = {"filename": self._filename, "metadata": self._over(before, up)} if target.rename else {}
        return asset.revised(
            before,
            now,
            state=AssetState.READY,
            blob=key,
            facts=self._facts,
            upload_id=up.id,
            revisions=self._revisions,
            file_version=before.file_version + (before.blob is not None),
            aliases=tuple(dict.fromkeys([*kept, *free])),
            updated_by=up.owner,
            **renamed,
        )

    def _gets(self, name: str, found: Found) -> bool:
        held = found.get(alias_ref(self._work.op.tenant, name))
        return held is None or (isinstance(held, Alias) and held.id == self._id)

    def _over(self, before: Asset, up: Upload) -> Mapping[str, Any]:
        given = self._metadata(up)
        laid = {**before.metadata, **given} if self._work.target.merge else given
        return {name: value for name, value in laid.items() if value is not None or not self._work.target.merge}

    def _metadata(self, up: Upload) -> Mapping[str, Any]:
        given = self._work.target.metadata
        return up.metadata if given is None else given

    def _new(self, up: Upload, key: str, aliases: tuple[str, ...], now: float) -> Asset:
        ttl = up.policy.asset_ttl
        return Asset(
            id=self._id,
            tenant=up.tenant,
            owner=up.owner,
            dialect=up.dialect,
            filename=self._filename,
            created_at=now,
            updated_at=now,
            blob=key,
            facts=self._facts,
            expires_at=None if ttl is None else now + ttl,
            upload_id=up.id,
            metadata=self._metadata(up),
            parent=self._work.target.parent,
            aliases=aliases,
            updated_by=up.owner,
        )

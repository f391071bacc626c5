"""The end of good work: what the bytes became, in one commit with the end of the operation.

What is written depends on what is found (`core.finding`): that is read first, and the step begins again when one of the records is no longer
what was read (`Overtaken`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import alias, asset, checks, document, holding, operation, upload
from app.core.alias import SAME, Alias, alias_ref
from app.core.asset import Asset, AssetState, Blob, BlobState, Pointer
from app.core.document import Document, File
from app.core.errors import Code, Moved, UploadError, refuse
from app.core.facts import Facts
from app.core.finding import Finding
from app.core.folder import Folder
from app.core.operation import Operation, Progress, Status
from app.core.ports import Change, Entity, Records
from app.core.refs import Kind, Ref
from app.core.upload import Upload
from app.core.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.holding import Found


class Settlement:
    """One try to settle. `refs` are the records that its `step` is a commit over. Raises as Finding, and what the records raise.

    Good work ends in one of three ways: the bytes are kept for later use (a kept upload), an asset that has them already is the result
    (a twin), or an asset gets them.
    """

    def __init__(self, records: Records, work: Work, facts: Facts) -> None:
        self._work, self._facts = work, facts
        self._finding = Finding(records, work, facts)
        self.refs = self._finding.refs

    def step(self, now: float, *entities: Entity | None) -> Change:
        """The change. Raises Overtaken, Moved (the operation is no longer this worker's), UploadError: NOT_FOUND, GONE, VERSION_CONFLICT."""
        found = dict(zip(self.refs, entities, strict=True))
        op, up = self._own(found)
        self._finding.require_same(found)
        if self._work.keeping:
            return self._kept(found, op, up, now)
        if twin := self._finding.twin:
            return Change(put=(self._ended(op, twin.id, now), self._used(up, now), *self._own_blob_goes(found, now)))
        return self._settled(found, op, up, now)

    def _own(self, found: Found) -> tuple[Operation, Upload]:
        op, up = found[self._work.op.ref], found[self._work.up.ref]
        if not isinstance(op, Operation) or not isinstance(up, Upload):
            raise Moved(Code.GONE, what="upload")
        operation.own(op, self._work.op.attempt)
        return op, up

    def _ended(self, op: Operation, asset_id: str | None, now: float) -> Operation:
        done = Progress("completed", self._facts.size, self._facts.size)
        told = checks.warnings(self._facts, self._work.up.policy)
        return operation.finish(op, Status.COMPLETED, now, asset_ids=(asset_id,) if asset_id else (), progress=done, warnings=told)

    def _used(self, up: Upload, now: float) -> Upload:
        """A kept upload stays for others; of any other the staged bytes are needed no more."""
        return upload.detach(up, self._work.op.id) if self._work.attaching else upload.condemn(up, now)

    def _rest(self, found: Found, now: float) -> tuple[Blob, tuple[Entity, ...]]:
        """The live blob that has the bytes, and what is written so that it is."""
        resting = found[Ref(Kind.BLOB, self._work.op.tenant, self._finding.key)]
        if isinstance(resting, Blob) and resting.state is BlobState.LIVE:
            return resting, self._own_blob_goes(found, now)
        own = None if self._work.attaching else found[self._work.blob_ref]
        if not isinstance(own, Blob) or own.state is not BlobState.PROMOTING:
            raise UploadError(Code.GONE, what="upload")  # a doomed blob never comes back
        pointer = found[Ref(Kind.DIGEST, own.tenant, self._facts.digest)]
        older = pointer.version + 1 if isinstance(pointer, Pointer) else 0
        live = asset.live(own, self._facts)
        return live, (live, Pointer(own.tenant, self._facts.digest, own.key, version=older))

    def _own_blob_goes(self, found: Found, now: float) -> tuple[Entity, ...]:
        """Equal bytes rest elsewhere: those that this work brought along are condemned."""
        own = None if self._work.attaching else found[self._work.blob_ref]
        return (asset.doom(own, now),) if isinstance(own, Blob) and own.state is BlobState.PROMOTING else ()

    def _kept(self, found: Found, op: Operation, up: Upload, now: float) -> Change:
        blob, written = self._rest(found, now)
        resting = upload.rest(up, blob.key, self._facts, now)
        return Change(put=(self._ended(op, None, now), resting, *written), hold=((blob.ref, holding.of_upload(up)),))

    def _settled(self, found: Found, op: Operation, up: Upload, now: float) -> Change:
        blob, written = self._rest(found, now)
        self._require_place(found)
        got = self._asset(up, blob.key, found, now)
        settled = Change(
            put=(self._ended(op, got.id, now), self._used(up, now), got, *written, *self._given(got, found), *self._filled(got, now)),
            drop=self._taken(got, found),
            hold=((blob.ref, got.id),),
            manifest=(got.ref,),
        )
        leaving = (holding.release(found, got.tenant, key, [got.id], now) for key in self._finding.retired)
        return holding.combined([settled, *leaving])

    def _given(self, got: Asset, found: Found) -> tuple[Alias, ...]:
        """The names that it has from now on."""
        return tuple(alias.given(name, got.ref) for name in got.aliases if found[alias_ref(got.tenant, name)] is None)

    def _taken(self, got: Asset, found: Found) -> tuple[Ref, ...]:
        """The names that it no longer has."""
        before = self._finding.before
        return holding.freed(got.ref, [name for name in before.aliases if name not in got.aliases], found) if before else ()

    def _require_place(self, found: Found) -> None:
        parent = self._work.target.parent
        place = found[Ref(Kind.FOLDER, self._work.op.tenant, parent)] if parent else None
        if parent and not (isinstance(place, Folder) and place.deleted_at is None):
            raise UploadError(Code.NOT_FOUND, what="folder")

    def _filled(self, got: Asset, now: float) -> tuple[Document, ...]:
        """The document with the asset in its slot. Raises UploadError: GONE, VERSION_CONFLICT; the operation is ours, so a Moved would not do."""
        target, paper = self._work.target, self._finding.document
        if target.document is None:
            return ()
        file = File(got.id, self._finding.filename, self._facts)
        try:
            return (document.filled(paper, target.slot, self._work.op.id, file, now),)
        except Moved as late:
            raise refuse(late.problem) from late

    # ------------------------------------------------------------ the asset

    def _asset(self, up: Upload, key: str, found: Found, now: float) -> Asset:
        """The asset with its bytes: a new one, or the one that was there."""
        free = [name for name in self._finding.names if self._gets(name, found)]
        before, target = self._finding.before, self._work.target
        if before is None:
            return self._new(up, key, tuple(free), now)
        if target.move and before.parent != target.parent:
            before = asset.revised(before, now, parent=target.parent)  # a change of its own, so that it counts as one
        kept = [name for name in before.aliases if not name.startswith(SAME)]
        renamed = {"filename": self._finding.filename, "metadata": self._over(before, up)} if target.rename else {}
        return asset.revised(
            before,
            now,
            state=AssetState.READY,
            blob=key,
            facts=self._facts,
            upload_id=up.id,
            revisions=self._finding.revisions,
            file_version=before.file_version + (before.blob is not None),
            aliases=tuple(dict.fromkeys([*kept, *free])),
            updated_by=up.owner,
            document=target.document or before.document,
            expires_at=None if before.expires_at is None else self._deadline(up, now),
            **renamed,
        )

    def _gets(self, name: str, found: Found) -> bool:
        """Whether nobody else has this alias: one that is taken stays with who has it."""
        held = found[alias_ref(self._work.op.tenant, name)]
        return held is None or (isinstance(held, Alias) and held.of == Ref(Kind.ASSET, held.tenant, self._finding.id))

    def _over(self, before: Asset, up: Upload) -> Mapping[str, Any]:
        """The metadata that replaces what was there, or is laid over it."""
        given = self._metadata(up)
        laid = {**before.metadata, **given} if self._work.target.merge else given
        return {name: value for name, value in laid.items() if value is not None or not self._work.target.merge}

    def _metadata(self, up: Upload) -> Mapping[str, Any]:
        given = self._work.target.metadata
        return up.metadata if given is None else given

    def _deadline(self, up: Upload, now: float) -> float | None:
        """Of an asset that nobody keeps. What stands in a document goes with it, never before."""
        ttl = None if self._work.target.document else up.policy.asset_ttl
        return None if ttl is None else now + ttl

    def _new(self, up: Upload, key: str, aliases: tuple[str, ...], now: float) -> Asset:
        return Asset(
            id=self._finding.id,
            tenant=up.tenant,
            owner=up.owner,
            dialect=up.dialect,
            filename=self._finding.filename,
            created_at=now,
            updated_at=now,
            blob=key,
            facts=self._facts,
            expires_at=self._deadline(up, now),
            upload_id=up.id,
            metadata=self._metadata(up),
            parent=self._work.target.parent,
            aliases=aliases,
            updated_by=up.owner,
            document=self._work.target.document,
        )

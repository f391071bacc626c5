"""What bytes find where they are to settle: the asset that they belong to, what it held, who has the names, whether equal bytes rest already.

It is read before the commit, because it says which records the commit must name. Each question is answered when it is first asked, and the
answers stay: a step that asks again hears the same, and begins by making sure that everything read is still so (`require_same`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from app.core import asset, filenames, holding
from app.core.alias import Alias, alias_ref, same_content
from app.core.asset import Asset, AssetState, Pointer, Revision
from app.core.document import Document, document_ref
from app.core.errors import Code, UploadError
from app.core.holding import Reading
from app.core.refs import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.facts import Facts
    from app.core.holding import Found
    from app.core.ports import Records
    from app.core.work import Work

THERE = frozenset({AssetState.READY, AssetState.PLACEHOLDER})


class Finding:
    """What the work finds for bytes with these facts. `refs`: every record that the commit reads or may write.

    Raises UploadError: EXISTS when the id that was chosen is taken, and the asset that has it may not be replaced; PRECONDITION when that
    asset is no longer at the version that is expected, GONE when it is no more.
    """

    def __init__(self, records: Records, work: Work, facts: Facts) -> None:
        self._records, self._work, self._facts = records, work, facts
        self._read = Reading(records)
        self.filename = work.target.filename or work.up.filename or filenames.default(facts.media_type)
        self.refs = list(dict.fromkeys([*work.refs, *self._resting, *(() if work.keeping else self._surroundings()), *self._read.seen]))

    def require_same(self, found: Found) -> None:
        """Raise Overtaken unless everything that was read is still so in the commit."""
        self._read.require_same(found)

    # ------------------------------------------------------------ the bytes

    @cached_property
    def key(self) -> str:
        """Where the bytes rest: at the kept upload's key, at the key of equal bytes, or at the work's own."""
        if self._work.attaching:
            return self._work.up.blob or ""
        pointer = self._read(Ref(Kind.DIGEST, self._work.op.tenant, self._facts.digest))
        return pointer.key if isinstance(pointer, Pointer) else self._work.key

    @property
    def _resting(self) -> list[Ref]:
        return holding.blob_refs(self._work.op.tenant, {self.key: self._facts.digest})

    # ------------------------------------------------------------ the asset

    @cached_property
    def twin(self) -> Asset | None:
        """The asset of equal content and filename that is the result instead of a new one."""
        found = self._holder(self._same) if self._work.target.unless_same else None
        return found if found and found.state is AssetState.READY and asset.there(found, self._records.now()) else None

    @cached_property
    def id(self) -> str:
        """Of the asset: the one behind the alias, the one in the slot, the one that was chosen, or a new one."""
        there = self._holder(self._work.target.by_alias) or self._standing
        return there.id if there else self._work.target.asset_id or self._work.asset_id

    @cached_property
    def before(self) -> Asset | None:
        """The asset whose bytes are replaced; None makes a new one. Raises UploadError: EXISTS, PRECONDITION, GONE."""
        ref = self._asset_ref(self.id)
        if self._read(ref) is None:
            self._require_unexpected()
            return None
        there = self._there(ref)
        if there is None and self._work.target.there:
            raise UploadError(Code.GONE, what="asset")
        if there is None or not (there == self._standing or (self._replaceable(there) and there.document is None)):
            raise UploadError(Code.EXISTS, what="asset")
        if self._work.target.expected not in {None, there.version}:
            raise UploadError(Code.PRECONDITION, version=there.version)
        return there

    def _require_unexpected(self) -> None:
        """Whoever says that an asset must be there, or at which version, does not want a new one."""
        if self._work.target.there or self._work.target.expected is not None:
            raise UploadError(Code.GONE, what="asset")

    def _replaceable(self, there: Asset) -> bool:
        return self._work.target.replace or there == self._holder(self._work.target.by_alias)

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """The earlier contents that stay."""
        before, most = self.before, self._work.target.revisions
        if before is None or before.blob is None or before.facts is None or most == 0:
            return ()
        return (*before.revisions, Revision(before.blob, before.facts, before.updated_at, before.version, before.upload_id))[-most:]

    @cached_property
    def retired(self) -> Mapping[str, str]:
        """The contents that do not stay, by their keys, with their digests."""
        staying = {self.key, *(revision.blob for revision in self.revisions)}
        held = self.before.contents if self.before else {}
        return {key: digest for key, digest in held.items() if key not in staying}

    # ------------------------------------------------------------ its names and its document

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The aliases that the asset gets where they are free."""
        target = self._work.target
        return tuple(dict.fromkeys(name for name in (*target.aliases, target.by_alias, self._same) if name))

    @cached_property
    def document(self) -> Document | None:
        """The document whose slot is to be filled; None also when it is gone."""
        wanted = self._work.target.document
        found = self._read(document_ref(self._work.op.tenant, self._work.up.dialect, wanted)) if wanted else None
        return found if isinstance(found, Document) else None

    @cached_property
    def _standing(self) -> Asset | None:
        """The asset that fills the slot so far and is there. One that fills another slot too keeps its bytes for that one."""
        files = dict(self.document.files) if self.document else {}
        file = files.pop(self._work.target.slot, None)
        if file is None or file.asset_id in {other.asset_id for other in files.values()}:
            return None
        return self._there(self._asset_ref(file.asset_id))

    @cached_property
    def _same(self) -> str | None:
        target = self._work.target
        wanted = target.same_alias or target.unless_same
        return same_content(self._work.up.dialect, self._facts.digest, self.filename) if wanted else None

    def _holder(self, name: str | None) -> Asset | None:
        """The asset that has this alias, and is there."""
        held = self._read(alias_ref(self._work.op.tenant, name)) if name else None
        return self._there(held.of) if isinstance(held, Alias) else None

    def _there(self, ref: Ref) -> Asset | None:
        found = self._read(ref)
        return found if isinstance(found, Asset) and found.state in THERE else None

    def _asset_ref(self, id: str) -> Ref:
        return Ref(Kind.ASSET, self._work.op.tenant, id)

    # ------------------------------------------------------------ what the commit names

    def _surroundings(self) -> list[Ref]:
        """The folder, and what is written of an asset: itself, its names, what it holds no more. What is only read is in `seen`."""
        tenant, parent = self._work.op.tenant, self._work.target.parent
        place = [Ref(Kind.FOLDER, tenant, parent)] if parent else []
        slot = [self.document.ref] if self.document else []
        if self.twin:
            return [*place, *slot]
        before = self.before
        names = [alias_ref(tenant, name) for name in (*self.names, *(before.aliases if before else ()))]
        return [*place, *slot, self._asset_ref(self.id), *names, *holding.blob_refs(tenant, self.retired)]

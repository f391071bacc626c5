"""Renditions: promised at the door, made by a worker (`core.drawing`), kept beside the asset until it goes, its bytes change, or newer ones need the room.

::

    request ──► an entry among the asset's renditions, and a queued operation, in one commit; who asks again finds both
    render  ──► claim → read the asset's bytes → draw → place → settle: facts into the entry, the blob held by the asset
    clear   ──► what is not made of the asset's present bytes lets go of its blob

A rendition's blob obeys the law of every blob: its key is unique (it names the operation) and never used again. An operation that ends
badly dooms its own; the entry that it leaves is made anew when it is asked for REMEMBERED seconds later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from app.core import asset, holding, keys, operation, renditions
from app.core.asset import Asset, AssetState
from app.core.errors import BrokerDown, Code, Moved, UploadError
from app.core.facts import Facts
from app.core.holding import Overtaken, until_current
from app.core.operation import RENDER, Operation, Status
from app.core.ports import Change, Entity, Fetched, Jobs, Records, Store
from app.core.refs import Kind, Ref
from app.core.renditions import READABLE, Order, Rendition, Renditions, Spec, entry_of, renditions_ref

REMEMBERED = 300.0  # seconds in which a rendition that failed is not tried again
RETENTION = 3600.0  # seconds that its operation can be asked about after its end
WAITED_MOST = 32  # renditions of one asset that are waited for: anybody may ask for any size, and the workers have uploads to see to


@dataclass(frozen=True, slots=True)
class Ready:
    """A rendition that rests: where, and what it is."""

    blob: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Rendering:
    """The door's side; the worker's is Drawing."""

    records: Records
    store: Store
    jobs: Jobs
    require_calm: Callable[[], None] = lambda: None  # raises UploadError(OVERLOADED) while the house takes no new work

    def applies(self, of: Asset, spec: Spec) -> bool:
        """Whether `spec` asks for anything else than the asset's own bytes, and the asset is an image of which something can be made."""
        return of.facts is not None and of.facts.width is not None and of.facts.media_type in READABLE and spec.asks_of(of.facts.media_type)

    def request(self, of: Asset, spec: Spec) -> Ready | Operation:
        """The rendition, or the operation that makes it, or that failed to a short while ago. However many ask at once, it is made once.

        Raises UploadError: NOT_AN_IMAGE unless it applies; GONE when the asset is deleted, or its bytes are no longer these; UNAVAILABLE while
        WAITED_MOST others of it are waited for; OVERLOADED.
        """
        if of.facts is None or not self.applies(of, spec):
            raise UploadError(Code.NOT_AN_IMAGE)
        exact = spec.of(of.facts.media_type)
        return until_current(lambda: self._answer(of, exact))

    def found(self, of: Asset, spec: Spec) -> Ready | None:
        """The rendition, if it rests already."""
        if of.facts is None:
            return None
        entry = entry_of(self._known(of), of.blob, spec.of(of.facts.media_type).key())
        return Ready(entry.blob, entry.facts) if entry and entry.facts else None

    def size(self, of: Asset) -> int:
        """Bytes that the renditions of an asset take, besides its own."""
        known = self._known(of)
        return known.size if known else 0

    def sizes(self, of: Sequence[Asset]) -> list[int]:
        """As `size`, of many."""
        known: list[Renditions | None] = self.records.many([renditions_ref(each.tenant, each.id) for each in of])
        return [each.size if each else 0 for each in known]

    def read(self, ready: Ready, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """`length` bytes of a rendition from `offset`. Raises UploadError(GONE) when it made room for others: it can be requested again."""
        return self.store.fetch(ready.blob, offset, length)

    def _known(self, of: Asset) -> Renditions | None:
        known: Renditions | None = self.records.get(renditions_ref(of.tenant, of.id))
        return known

    def _answer(self, of: Asset, spec: Spec) -> Ready | Operation:
        known, key = self._known(of), spec.key()
        entry = entry_of(known, of.blob, key)
        if known and entry and entry.facts:
            self._want(known, key)
            return Ready(entry.blob, entry.facts)
        op = self._under_way(of, entry) if entry else None
        return op or self._promise(of, spec, known)

    def _want(self, known: Renditions, key: str) -> None:
        """Remember that it was, when that matters."""
        if renditions.wanted(known, key) is known:
            return

        def step(current: Renditions | None) -> Change:
            later = renditions.wanted(current, key) if current and key in current.entries else current
            return Change() if later is current or later is None else Change(put=(later,))

        self.records.commit([known.ref], step)

    def _under_way(self, of: Asset, entry: Rendition) -> Operation | None:
        """The operation that makes it, or failed to lately; None when it is to be tried anew. Raises Overtaken when it has just been made."""
        op: Operation | None = self.records.get(Ref(Kind.OPERATION, of.tenant, entry.operation_id))
        if op is None or op.status is Status.CANCELLED:
            return None
        if op.status is Status.COMPLETED:
            raise Overtaken
        failed = op.status is Status.FAILED and self.records.now() - op.updated_at > REMEMBERED
        return None if failed else op

    def _require_turn(self, before: Renditions) -> None:
        waited = [Ref(Kind.OPERATION, before.tenant, entry.operation_id) for entry in before.entries.values() if entry.facts is None]
        if len(waited) < WAITED_MOST:
            return
        ops = (op for op in self.records.many(waited) if isinstance(op, Operation))
        if sum(not op.final for op in ops) >= WAITED_MOST:
            raise UploadError(Code.UNAVAILABLE)

    def _promise(self, of: Asset, spec: Spec, known: Renditions | None) -> Operation:
        self.require_calm()
        op, order = self._order(of, spec)
        before = known if known and known.source == of.blob else _afresh(of, known)
        self._require_turn(before)
        after = renditions.asked(before, spec.key(), Rendition(order.key, op.id))
        leaving = sorted(renditions.resting(known) - renditions.resting(after))
        refs = [of.ref, after.ref, op.ref, *(Ref(Kind.BLOB, of.tenant, blob) for blob in leaving)]

        def step(*entities: Entity | None) -> Change:
            found = dict(zip(refs, entities, strict=True))
            _require_source(found[of.ref], order.source, self.records.now())
            if found[after.ref] != known:
                raise Overtaken
            going = (holding.release(found, of.tenant, blob, [of.id], self.records.now()) for blob in leaving)
            return holding.combined([Change(put=(op, after)), *going])

        self.records.commit(refs, step)
        with contextlib.suppress(BrokerDown):  # the sweep sends it
            self.jobs.process(op.ref)
        return op

    def _order(self, of: Asset, spec: Spec) -> tuple[Operation, Order]:
        if of.blob is None or of.facts is None:
            raise UploadError(Code.GONE, what="asset")
        now, fresh = self.records.now(), keys.new_id()
        order = Order(of.blob, of.facts.size, of.facts.media_type, spec, keys.rendition(of.tenant, of.blob, spec.key(), fresh))
        promised = Operation(
            id=fresh,
            tenant=of.tenant,
            owner=of.owner,
            dialect=of.dialect,
            kind=RENDER,
            created_at=now,
            updated_at=now,
            expires_at=now + RETENTION,
            asset_ids=(of.id,),
            order=order,
        )
        return operation.queue(promised, now), order


def clear(records: Records, of: Ref) -> None:
    """Let go of the renditions of an asset that are not of its present bytes; of all when it is gone. Nothing there is no error."""
    until_current(lambda: _clear(records, of))


def _clear(records: Records, of: Ref) -> None:
    known: Renditions | None = records.get(renditions_ref(of.tenant, of.id))
    if known is None:
        return
    refs = [of, known.ref, *(Ref(Kind.BLOB, of.tenant, blob) for blob in sorted(renditions.resting(known)))]

    def step(*entities: Entity | None) -> Change:
        found = dict(zip(refs, entities, strict=True))
        there = found[of]
        if isinstance(there, Asset) and there.state is not AssetState.DELETED and there.blob == known.source:
            return Change()
        if found[known.ref] != known:
            raise Overtaken
        going = (holding.release(found, of.tenant, ref.id, [of.id], records.now()) for ref in refs[2:])
        return holding.combined([Change(drop=(known.ref,)), *going])

    records.commit(refs, step)


def _afresh(of: Asset, known: Renditions | None) -> Renditions:
    """No renditions, of the bytes that the asset has now."""
    fresh = Renditions(of.id, of.tenant, of.blob or "")
    return replace(fresh, version=known.version, count=known.count) if known else fresh


def _require_source(of: Entity | None, source: str, now: float) -> None:
    """Raise Moved(GONE) unless the asset is there and still has these bytes."""
    if not isinstance(of, Asset) or of.blob != source:
        raise Moved(Code.GONE, what="asset")
    asset.require_ready(of, now)

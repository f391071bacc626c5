"""Takes bytes in and promises. The first of the three use cases; every dialect speaks to it.

The life of one upload at the door::

    open ──► take (a whole file in one body)            ──► queued
         ──► append, append … (a stream)      ──► finish ──► queued
         ──► accept_part, accept_part … (plan)──► finish ──► queued
         ──► cancel, withdraw

What a 202 promises is on disk and in Redis before it is said; the message to the workers is sent after that, and may be lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.core import endings, filenames, keys, metering, parts, upload
from app.core.admission import Opening, admit, planned, require_fit, streamed
from app.core.attaching import Attaching
from app.core.document import Document, Guard, await_file, document_ref
from app.core.errors import BrokerDown, Code, Fault, Moved, Problem, UploadError
from app.core.operation import FETCH, INGEST, Operation, Status, queue
from app.core.parts import Part, Parts
from app.core.policy import Policy, Principal
from app.core.ports import Body, Change, Jobs, Locks, Records, Store
from app.core.refs import Index, Kind, Ref
from app.core.streams import Streams, Verify, unchanged, with_parts
from app.core.target import Target
from app.core.upload import State, Upload, still_open
from app.core.writing import Writing

if TYPE_CHECKING:
    from app.core.asset import Blob

log = logging.getLogger(__name__)

__all__ = ["Opening", "Reception", "admit"]

Complete = Callable[[float, Upload, Parts | None], tuple[Upload, tuple[Parts, ...]]]


@dataclass(frozen=True, slots=True)
class Reception:
    """The door's hands. Holds no state of its own."""

    records: Records
    store: Store
    jobs: Jobs
    locks: Locks
    require_calm: Callable[[], None] = lambda: None  # raises UploadError(OVERLOADED) while the house takes no new work

    @property
    def streams(self) -> Streams:
        """What moves bodies."""
        return Streams(self.records, self.store, self.locks)

    def open(self, who: Principal, dialect: str, policy: Policy, opening: Opening) -> Upload:
        """A new upload and the operation that promises its result, in one commit.

        Raises UploadError: OVERLOADED, TOO_LARGE, QUOTA_EXCEEDED, EMPTY, UNSUPPORTED_TYPE, BAD_FILENAME, INVALID (part size); Moved: EXISTS (the id), NOT_FOUND (the document).
        """
        up = self._staged(who, dialect, policy, opening)
        self._begin(up, _promise(up, INGEST, opening.target))
        return up

    def fetch(self, who: Principal, dialect: str, policy: Policy, opening: Opening, guard: Guard | None = None) -> Operation:
        """Promise that a worker fetches the file from `opening.source`. Raises as `open`; `guard` as in `Attaching.attach`."""
        up = replace(self._staged(who, dialect, policy, opening), state=State.FINISHED)
        op = queue(_promise(up, FETCH, opening.target), up.created_at)
        self._begin(up, op, guard)
        return self._sent(op)

    def _staged(self, who: Principal, dialect: str, policy: Policy, opening: Opening) -> Upload:
        admit(policy, opening)
        self.require_calm()
        up = self._draft(who, dialect, policy, opening)
        return replace(up, staged=self.store.stage(up.staged.key, planned=up.planned, length=up.length))

    def _begin(self, up: Upload, op: Operation, guard: Guard | None = None) -> None:
        paper = [document_ref(up.tenant, up.dialect, op.target.document)] if op.target.document else []
        rest = Ref(Kind.BLOB, up.tenant, keys.blob(up.tenant, up.id))  # outlives the upload, and its key follows from the upload's id

        def step(taken: Upload | None, _: Operation | None, resting: Blob | None, *papers: Document | None) -> Change:
            if taken or resting:
                raise Moved(Code.EXISTS, what="upload")
            return Change(put=(up, op, *(await_file(found, op.target.slot, op.id, guard) for found in papers)), charge=True)

        self.records.commit([up.ref, op.ref, rest, *paper], step)

    def attach(self, who: Principal, up: Upload, target: Target, guard: Guard | None = None) -> Operation:
        """The bytes of a kept upload become one more asset. See `Attaching.attach`."""
        return self._attaching.attach(who, up, target, guard)

    def discard(self, up: Upload) -> None:
        """A kept upload is wanted no more. See `Attaching.discard`."""
        self._attaching.discard(up)

    @property
    def _attaching(self) -> Attaching:
        return Attaching(self.records, self.jobs)

    def _draft(self, who: Principal, dialect: str, policy: Policy, opening: Opening) -> Upload:
        now, new = self.records.now(), opening.id or keys.new_id()
        return Upload(
            id=new,
            tenant=who.tenant,
            owner=who.owner,
            dialect=dialect,
            policy=policy,
            operation_id=keys.new_id(),
            staged=upload.Staged(keys.staging(who.tenant, new)),
            created_at=now,
            expires_at=now + policy.upload_ttl if opening.expires_at is None else opening.expires_at,
            part_size=parts.part_size_for(policy, opening.length, opening.part_size),
            filename=filenames.clean(opening.filename),
            declared_type=opening.declared_type,
            length=opening.length,
            planned=opening.planned,
            digest=opening.digest,
            metadata=opening.metadata,
            kept=opening.kept,
            source=opening.source,
        )

    # ------------------------------------------------------------ bytes

    def take(self, up: Upload, body: Body, verify: Verify | None = None) -> Operation:
        """A whole file in one body: received, synced, finished, queued. Raises as `Streams.receiving`, and OFFSET_MISMATCH when it is too short."""
        with self.streams.receiving(up, body, 0, verify) as (current, written):
            if current.length not in {None, written.offset}:
                self.streams.keep(current, written)
                raise UploadError(Code.OFFSET_MISMATCH, offset=written.offset)

            def complete(now: float, found: Upload, held: Parts | None) -> tuple[Upload, tuple[Parts, ...]]:
                whole = replace(unchanged(found, current, now), staged=written.staged, verifying=False)
                return upload.finish(whole, written.offset, now), with_parts(current, held, written)

            return self._finish(current, complete)

    def append(self, up: Upload, body: Body, offset: int, verify: Verify | None = None) -> Upload:
        """The next bytes of a stream: where the last ones ended, or at 0 to begin again. Raises as `Streams.receiving`."""
        with self.streams.receiving(up, body, offset, verify) as (current, written):
            return self.streams.keep(current, written)

    def accept_part(
        self, up: Upload, number: int, body: Body, verify: Verify | None = None, digest: Callable[[], str] | None = None
    ) -> Part:
        """One part of a plan, at our own door. The same part again replaces it, until the upload is finished.

        `digest`: what the bytes have that flowed, to be asked at their end. Raises UploadError (PART_UNKNOWN, PART_SIZE, TOO_LARGE, QUOTA_EXCEEDED, DIGEST_MISMATCH, LOCKED), Moved, ClientGone (the part is then not held).
        """
        place = parts.slot(number, up.part_size, up.length, up.policy.max_parts)
        require_fit(up, place, body.length)
        metering.reserve(self.records, up, place.offset + (place.size if body.length is None else body.length))
        with Writing(self.records, self.locks, up, number) as writing:
            self.records.drop_part(up.ref, number, self._check_open)
            part = self.store.put_part(up.staged, place, body, writing.tick)
            require_fit(up, place, part.size)
            if verify:
                verify()
            part = replace(part, digest=digest()) if digest else part
            writing.renew()
            self.records.record_part(up.ref, part, self._check_open)
        return part

    def _check_open(self, current: Upload | None) -> None:
        still_open(current, self.records.now())

    def held(self, up: Upload, only: int | None = None) -> Parts:
        """The parts that are there; `only` the one of this number, which takes as long for thousands as for one."""
        recorded: Parts = self.records.get(up.parts_ref) if only is None else self.records.part(up.parts_ref, only)
        return self.store.held(up.staged, recorded, up.part_size, only) if up.state is State.OPEN else recorded

    # ------------------------------------------------------------ the end at the door

    def finish(self, up: Upload) -> Operation:
        """Every byte is there: freeze what is held, queue the work. While it runs, and after, the same operation again.

        Raises UploadError (PARTS_MISSING with `missing`, EMPTY, OFFSET_MISMATCH, TOO_LARGE, LOCKED), Moved (cancelled, expired).
        """
        try:
            return self._finish(up, self._complete_plan) if up.planned else self._finish_stream(up)
        except UploadError as refusal:
            finished = isinstance(refusal, Moved) and refusal.code is Code.FINISHED
            again: Upload | None = self.records.get(up.ref)
            op: Operation | None = self.records.get(up.operation_ref)
            if op and (finished or (again and again.state is State.FINISHED)):
                return op
            raise

    def _finish_stream(self, up: Upload) -> Operation:
        with Writing(self.records, self.locks, up) as writing:
            length = streamed(writing.up, self.streams.reach(writing.up))

            def complete(now: float, found: Upload, _: Parts | None) -> tuple[Upload, tuple[Parts, ...]]:
                return upload.finish(unchanged(found, writing.up, now), length, now), ()

            return self._finish(up, complete)

    def _complete_plan(self, now: float, current: Upload, held: Parts | None) -> tuple[Upload, tuple[Parts, ...]]:
        recorded = held or Parts(current.tenant, current.id)
        table = self.store.held(current.staged, recorded, current.part_size)
        frozen = replace(table, version=recorded.version + 1)
        return upload.finish(current, planned(current, table), now), (frozen,)

    def _finish(self, up: Upload, complete: Complete) -> Operation:
        def step(current: Upload | None, held: Parts | None, op: Operation | None) -> Change:
            now = self.records.now()
            done, table = complete(now, still_open(current, now), held)
            if op is None:
                raise Moved(Code.GONE, what="operation")
            return Change(put=(done, *table, queue(op, now)), charge=True)

        return self._sent(_operation(self.records.commit([up.ref, up.parts_ref, up.operation_ref], step)))

    def _sent(self, queued: Operation) -> Operation:
        try:
            self.jobs.process(queued.ref)
        except BrokerDown as down:
            log.warning("message not sent, the sweep will", extra={"operation": queued.id, "reason": str(down)})
        return queued

    def cancel(self, op: Operation, why: Problem | None = None) -> Operation:
        """Give the operation and its upload up. Raises Moved(FINAL) when it is over.

        `why` makes it a failure instead, and is for uploads that are still open: whose bytes are all there is judged by a worker. Raises Moved.
        """

        def step(current: Operation | None, up: Upload | None, blob: Blob | None) -> Change:
            now = self.records.now()
            if current is None:
                raise Moved(Code.NOT_FOUND, what="operation")
            if why and up and up.state is not State.OPEN:
                raise Moved(upload.CLOSED[up.state])
            return endings.refused(current, up, blob, why, now) if why else endings.cancelled(current, up, blob, now)

        change = self.records.commit(endings.refs(op), step)
        for entity in change.put:
            if isinstance(entity, Upload) and entity.doomed_at is not None:  # an attachment leaves the upload its bytes
                self._free(entity)
        return _operation(change)

    def _free(self, up: Upload) -> None:
        """The condemned bytes go at once; if that fails, the sweep of the doomed does it."""
        try:
            self.store.discard(up.staged)
            if up.doomed_at is not None:
                self.records.settle_index(Index.DOOMED, [(up.ref, up.doomed_at)])
        except Fault as down:
            log.warning("staged bytes left to the sweep", extra={"upload": up.id, "reason": str(down)})

    def redirect(self, up: Upload, target: Target) -> None:
        """Say anew what the bytes become, as long as the promise is not kept: what a form says behind its file. Raises Moved."""

        def step(op: Operation | None) -> Change:
            if op is None or op.status is not Status.ACKNOWLEDGED:
                raise Moved(Code.FINISHED)
            return Change(put=(replace(op, target=target, version=op.version + 1),))

        self.records.commit([up.operation_ref], step)

    def withdraw(self, up: Upload) -> None:
        """Take the promise back before anybody heard of it: records and bytes go, nothing is kept. A finished upload stays."""

        def step(current: Upload | None, *_: object) -> Change:
            if current is None or current.state is not State.OPEN:
                return Change()
            return Change(drop=(up.ref, up.parts_ref, up.operation_ref))

        try:
            dropped = self.records.commit([up.ref, up.parts_ref, up.operation_ref], step).drop
        except Fault as down:
            log.warning("not withdrawn, its deadline will end it", extra={"upload": up.id, "reason": str(down)})
            return
        if dropped:
            self._free(up)


def _operation(change: Change) -> Operation:
    return next(entity for entity in change.put if isinstance(entity, Operation))


def _promise(up: Upload, kind: str, target: Target) -> Operation:
    return Operation(
        id=up.operation_id,
        tenant=up.tenant,
        owner=up.owner,
        dialect=up.dialect,
        kind=kind,
        target=target,
        upload_id=up.id,
        created_at=up.created_at,
        updated_at=up.created_at,
        expires_at=up.created_at + up.policy.operation_ttl,
    )

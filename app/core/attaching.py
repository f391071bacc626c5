"""What an upload keeps becomes an asset, once or often: the promise at the door, and the wait for the bytes in a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core import document, holding, keys, upload
from app.core.document import Document, Guard, document_ref
from app.core.errors import BrokerDown, Busy, Code, Moved, UploadError, refuse
from app.core.operation import ATTACH, Operation, Status, queue
from app.core.ports import Change, Entity, Jobs, Records
from app.core.refs import Kind, Ref
from app.core.upload import State, Upload

if TYPE_CHECKING:
    from app.core.facts import Facts
    from app.core.lease import Lease
    from app.core.policy import Principal
    from app.core.target import Target

PATIENCE = 30.0  # seconds that a worker waits for another one that measures the same upload: that one may be lost, and what is left must do
LOOK = 0.2  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Attaching:
    """The door's side, and the worker's."""

    records: Records
    jobs: Jobs

    # ------------------------------------------------------------ at the door

    def attach(self, who: Principal, up: Upload, target: Target, guard: Guard | None = None) -> Operation:
        """Promise that the upload's bytes become what `target` says; the upload stays for others until the promise is kept.

        `guard` sees the document as it stands in the commit, and may raise: what the promise rests on may have changed since it was read.
        Raises Moved: NOT_FOUND (the upload is not kept, not whole, or past its deadline; the document).
        """
        now = self.records.now()
        op = queue(_promise(who, up, target, now), now)
        paper = [document_ref(up.tenant, up.dialect, target.document)] if target.document else []

        def step(_op: Entity | None, current: Upload | None, *papers: Entity | None) -> Change:
            moment = self.records.now()
            awaiting = (document.await_file(_there(paper), target.slot, op.id, guard) for paper in papers)
            return Change(put=(op, upload.attach(current, op.id, moment), *awaiting))

        self.records.commit([op.ref, up.ref, *paper], step)
        try:
            self.jobs.process(op.ref)
        except BrokerDown:
            return op  # the sweep sends it
        return op

    def discard(self, up: Upload) -> None:
        """The client wants a kept upload no more. What is about to use its bytes still does. Raises Moved(NOT_FOUND) when it is gone already."""
        refs = [up.ref, *holding.blob_refs(up.tenant, {up.blob: up.facts.digest} if up.blob and up.facts else {})]

        def step(*entities: Entity | None) -> Change:
            found, now = dict(zip(refs, entities, strict=True)), self.records.now()
            current = found[up.ref]
            if not isinstance(current, Upload) or not current.kept or current.state is not State.FINISHED or now > current.expires_at:
                raise Moved(Code.NOT_FOUND, what="upload")
            if current.attaching or current.blob != up.blob or up.blob is None:
                return Change(put=(upload.changed(current, expires_at=now - 1),))  # out of sight; its deadline does the rest
            return released(current, State.CANCELLED, found, now)

        self.records.commit(refs, step)

    # ------------------------------------------------------------ in a worker

    def measured(self, op: Operation, lease: Lease, process: Callable[[str, str], None]) -> tuple[Upload, Facts]:
        """The upload with its bytes at rest, after they were measured, by this worker when no other does.

        Raises UploadError as the upload was refused, GONE; Busy when another worker takes very long, or when measuring failed for a fault and
        is to be tried later; Lost.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            lease.check()
            up: Upload | None = self.records.get(upload_ref(op))
            if up is None or up.state is not State.FINISHED:
                raise UploadError(Code.GONE, what="upload")
            if up.blob is not None and up.facts is not None:
                return up, up.facts
            if time.monotonic() > deadline:
                raise Busy("the upload is still being measured")
            self._further(up, process)

    def _further(self, up: Upload, process: Callable[[str, str], None]) -> None:
        own: Operation | None = self.records.get(up.operation_ref)
        if own is None:
            raise UploadError(Code.GONE, what="upload")
        if own.problem:
            raise refuse(own.problem)
        if own.status is not Status.QUEUED:
            time.sleep(LOOK)
        elif own.faults and (own.resend_at or 0) > self.records.now():
            raise Busy("the upload cannot be measured at the moment")
        else:
            process(own.tenant, own.id)


def released(up: Upload, to: State, found: holding.Found, now: float) -> Change:
    """A kept upload ends, and lets go of its bytes. Raises Moved(LOCKED) while something is about to use them."""
    ended = upload.let_go(up, to, now)
    letting = holding.release(found, up.tenant, up.blob or "", [holding.of_upload(up)], now)
    return holding.combined([Change(put=(ended,)), letting])


def upload_ref(op: Operation) -> Ref:
    """The upload that an operation is about."""
    return Ref(Kind.UPLOAD, op.tenant, op.upload_id or op.id)


def _promise(who: Principal, up: Upload, target: Target, now: float) -> Operation:
    return Operation(
        id=keys.new_id(),
        tenant=up.tenant,
        owner=who.owner,
        dialect=up.dialect,
        kind=ATTACH,
        upload_id=up.id,
        target=target,
        created_at=now,
        updated_at=now,
        expires_at=now + up.policy.operation_ttl,
    )


def _there(found: Entity | None) -> Document:
    if not isinstance(found, Document):
        raise Moved(Code.NOT_FOUND, what="document")
    return found

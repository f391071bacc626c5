"""How an operation ends, or begins again: the changes that several rooms make, each one commit over (operation, upload, blob).

An operation that ends badly takes everything with it in the same commit: its staged bytes are condemned, its promoting blob is doomed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import keys, operation, upload
from app.core.asset import Blob, BlobState, doom
from app.core.operation import ATTACH, RENDER, Operation, Status
from app.core.ports import Change, Entity
from app.core.refs import Kind, Ref
from app.core.upload import State, Upload

if TYPE_CHECKING:
    from app.core.errors import Problem


RENDER_ATTEMPTS = 2  # an upload says how many workers may be lost over it; a rendition has none, and anybody may ask for one


def refs(op: Operation) -> list[Ref]:
    """Operation, upload, blob: what an ending is a commit over. An upload that never was is not found, and nothing is the matter."""
    of = op.upload_id or op.id
    key = op.order.key if op.order else keys.blob(op.tenant, of)
    return [op.ref, Ref(Kind.UPLOAD, op.tenant, of), Ref(Kind.BLOB, op.tenant, key)]


def refused(op: Operation, up: Upload | None, blob: Blob | None, why: Problem, now: float) -> Change:
    """The operation fails for good."""
    return ended(operation.fail(op, why, now), up, blob, now)


def cancelled(op: Operation, up: Upload | None, blob: Blob | None, now: float) -> Change:
    """The client gave it up. Raises Moved when the operation is final."""
    stopped = operation.finish(op, Status.CANCELLED, now)
    if op.kind == ATTACH:
        return _detached(stopped, up)
    gone = upload.cancel(up, now) if up and up.state in {State.OPEN, State.FINISHED} else up
    return Change(put=(stopped, *_put(gone, up), *_doomed(blob, now)))


def expired(op: Operation | None, up: Upload, why: Problem, now: float) -> Change:
    """The deadline passed before the last byte. Raises Moved when the upload was finished, or has time left."""
    late = upload.expire(up, now)
    failed = () if op is None or op.final else (operation.fail(op, why, now),)
    return Change(put=(late, *failed))


def lost(op: Operation, up: Upload | None, blob: Blob | None, now: float) -> Change:
    """Its worker is gone: queued again, or failed when too many were lost."""
    without = RENDER_ATTEMPTS if op.kind == RENDER else 1
    return ended(operation.lose(op, up.policy.max_attempts if up else without, now), up, blob, now)


def faltered(op: Operation, up: Upload | None, blob: Blob | None, now: float) -> Change:
    """Redis or the store failed it: queued again after a pause, or failed when its time budget is spent."""
    return ended(operation.falter(op, now), up, blob, now)


def ended(op: Operation, up: Upload | None, blob: Blob | None, now: float) -> Change:
    """Write the operation; when it is over, condemn what it leaves behind."""
    if not op.final:
        return Change(put=(op,))
    if op.kind == ATTACH:
        return _detached(op, up)
    spent = _spent(up, now) if up and up.doomed_at is None else up
    return Change(put=(op, *_put(spent, up), *_doomed(blob, now)))


def _detached(op: Operation, up: Upload | None) -> Change:
    """Nothing but the operation ends: the upload keeps its bytes for others."""
    return Change(put=(op, upload.detach(up, op.id)) if up and op.id in up.attaching else (op,))


def _spent(up: Upload, now: float) -> Upload:
    """An upload whose operation failed takes no more bytes."""
    return upload.cancel(up, now) if up.state is State.OPEN else upload.condemn(up, now)


def _put(new: Upload | None, old: Upload | None) -> tuple[Entity, ...]:
    return () if new is None or new is old else (new,)


def _doomed(blob: Blob | None, now: float) -> tuple[Entity, ...]:
    return (doom(blob, now),) if blob and blob.state is BlobState.PROMOTING else ()

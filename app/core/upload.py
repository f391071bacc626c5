"""Bytes in flight: the upload, where its bytes are staged, and the pure steps between its states.

::

    open ──► finished     every byte is there; a worker has, or had, the rest
      │  ──► cancelled    the client gave up, or was refused
      └────► expired      the deadline passed

A kept upload stays finished, with its bytes at rest, until its own deadline or its client's wish expires or cancels it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from app.core.errors import Code, Moved
from app.core.facts import Facts
from app.core.policy import Policy
from app.core.refs import Kind, Ref
from app.core.sums import Sum

ATTACHING_MOST = 1000  # operations that are about to use one upload: the record is read and written with every one of them


class State(StrEnum):
    """The states of an upload."""

    OPEN = "open"
    FINISHED = "finished"
    ATTACHED = "attached"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Piece:
    """An immutable run of staged bytes that is not yet a part: where a stream was cut (S3 only)."""

    key: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Staged:
    """Where the bytes of an upload wait. Opaque to the core: a store makes it, gets it back, and alone reads it.

    `key`: the storage key of the whole. `session`: the store's name of an unfinished multipart upload.
    `pieces`: what a stream left below a part. `etag`, `size`: of the whole, once it is sealed. `sum`: of a stream, as far as it was kept
    when that was recorded; of the whole, once it is sealed.
    """

    key: str
    session: str | None = None
    pieces: tuple[Piece, ...] = ()
    etag: str | None = None
    size: int | None = None
    sum: Sum | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes in flight. Sizes in bytes, times in seconds since the epoch by the records' clock.

    `length`: None until it is known. `offset`: bytes of a stream that are kept. `planned`: arrives as parts, not as one stream.
    `reserved`: bytes that parts were let in for while the length is not known. `digest`: `sha256:{hex}` that the client declared for the whole. `verifying`: the bytes beyond `offset` await a checksum of their message.
    `doomed_at`: since when the staged bytes are condemned. `metadata`: the dialect's own pocket, never opened by the core.
    `kept`: it becomes no asset, and holds its bytes for `attach` until its own deadline: `blob`, `facts` as soon as a worker measured them;
    `attaching`: the operations that are about to use them. `source`: the URL from which a worker fetches the bytes.
    """

    id: str
    tenant: str
    owner: str
    dialect: str
    policy: Policy
    operation_id: str
    staged: Staged
    created_at: float
    expires_at: float
    part_size: int
    state: State = State.OPEN
    filename: str | None = None
    declared_type: str | None = None
    length: int | None = None
    offset: int = 0
    planned: bool = False
    reserved: int = 0
    digest: str | None = None
    verifying: bool = False
    doomed_at: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False
    blob: str | None = None
    facts: Facts | None = None
    attaching: tuple[str, ...] = ()
    source: str | None = None
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The upload's name among the records."""
        return Ref(Kind.UPLOAD, self.tenant, self.id)

    @property
    def parts_ref(self) -> Ref:
        """The name of its part table."""
        return Ref(Kind.PARTS, self.tenant, self.id)

    @property
    def operation_ref(self) -> Ref:
        """The name of the operation that was promised for it."""
        return Ref(Kind.OPERATION, self.tenant, self.operation_id)


CLOSED: Mapping[State, Code] = {
    State.FINISHED: Code.FINISHED,
    State.ATTACHED: Code.FINISHED,
    State.CANCELLED: Code.UPLOAD_CANCELLED,
    State.EXPIRED: Code.UPLOAD_EXPIRED,
}


def require_open(up: Upload, now: float) -> None:
    """Raise Moved, with the code that says why, unless the upload still takes bytes at `now`."""
    if up.state is not State.OPEN:
        raise Moved(CLOSED[up.state])
    if now > up.expires_at:
        raise Moved(Code.UPLOAD_EXPIRED)


def still_open(current: Upload | None, now: float) -> Upload:
    """The upload, if it is there and takes bytes. Raises Moved."""
    if current is None:
        raise Moved(Code.GONE, what="upload")
    require_open(current, now)
    return current


def changed(up: Upload, **changes: Any) -> Upload:
    """The upload with `changes`, one version on."""
    return replace(up, version=up.version + 1, **changes)


def append(up: Upload, offset: int, staged: Staged, now: float) -> Upload:
    """Bytes of a stream are kept up to `offset`."""
    require_open(up, now)
    return changed(up, offset=offset, staged=staged, verifying=False)


def finish(up: Upload, length: int, now: float) -> Upload:
    """Every byte is there. Finishing in time counts, whenever the worker comes to it."""
    require_open(up, now)
    return changed(up, state=State.FINISHED, length=length, offset=length)


def cancel(up: Upload, now: float) -> Upload:
    """Given up; its bytes are condemned."""
    if up.state not in {State.OPEN, State.FINISHED}:
        raise Moved(CLOSED[up.state])
    return changed(up, state=State.CANCELLED, doomed_at=now)


def expire(up: Upload, now: float) -> Upload:
    """Its deadline passed while it was open; its bytes are condemned."""
    if up.state is not State.OPEN or now <= up.expires_at:
        raise Moved(Code.FINISHED)
    return changed(up, state=State.EXPIRED, doomed_at=now)


def rest(up: Upload, blob: str, facts: Facts, now: float) -> Upload:
    """A kept upload was measured; its bytes rest, and the staged ones are needed no more."""
    return changed(up, blob=blob, facts=facts, doomed_at=now)


def attach(up: Upload | None, operation_id: str, now: float) -> Upload:
    """An operation is about to use the bytes. Raises Moved: NOT_FOUND unless the upload is kept, whole and in time; UNAVAILABLE while many are."""
    if up is None or not up.kept or up.state is not State.FINISHED or now > up.expires_at:
        raise Moved(Code.NOT_FOUND, what="upload")
    if len(up.attaching) >= ATTACHING_MOST:
        raise Moved(Code.UNAVAILABLE)
    return changed(up, attaching=(*up.attaching, operation_id))


def detach(up: Upload, operation_id: str) -> Upload:
    """An operation has used them, or never will."""
    return changed(up, attaching=tuple(other for other in up.attaching if other != operation_id))


def let_go(up: Upload, to: State, now: float) -> Upload:
    """A kept upload ends, by its deadline or its client's wish. Raises Moved(LOCKED) while something is about to use the bytes."""
    if up.state is not State.FINISHED or up.attaching or up.blob is None:
        raise Moved(Code.LOCKED)
    return changed(up, state=to, blob=None, doomed_at=up.doomed_at or now)


def condemn(up: Upload, now: float) -> Upload:
    """The staged bytes are needed no more: they were promoted, or refused."""
    return changed(up, doomed_at=now)

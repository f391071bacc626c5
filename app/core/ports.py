"""The contracts that the other rooms keep. Prose and types; nothing is implemented here.

Sizes and offsets are bytes, times are seconds since the epoch by the records' clock, keys are those of `core.keys`.
Every call may raise the Fault of its room (RecordsDown, StoreDown, BrokerDown); what else it raises is said beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from app.core.asset import Asset, Blob, Pointer
from app.core.operation import Operation
from app.core.parts import Part, Parts, Slot
from app.core.refs import Index, Ref
from app.core.upload import Staged, Upload

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Entity = Upload | Parts | Operation | Asset | Blob | Pointer
Tick = Callable[[int], None]


class Body(Protocol):
    """What a client sends, read once, from front to back. Knows its length or not; knows no HTTP."""

    length: int | None

    def into(self, fd: int, offset: int, limit: int) -> int:
        """Move some bytes, at most `limit`, into the file at `offset` (the file's own position is not used).

        Returns how many (at least one), or 0 at the end of the body. Returns as soon as something came, so that the caller
        can look after its lock. Raises ClientGone when the sender closed early or sent nothing for too long.
        """

    def chunks(self, limit: int) -> Iterator[bytes]:
        """The same bytes as byte strings, `limit` in all at the most. Raises ClientGone."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a stream left in the store: kept up to `offset`; full parts that a multipart upload took; `gone`: the client left early."""

    offset: int
    staged: Staged
    parts: tuple[Part, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Landed:
    """A sealed upload as a local file, open for reading at 0, and its digest where it was made while the bytes came down."""

    file: BinaryIO
    size: int
    digest: str | None = None


class Store(Protocol):
    """Staged bytes, bytes at rest, manifests. Every call may be repeated; none is undone by another attempt's repetition.

    Staged bytes have no public name: only `fetch` serves, and only blobs. A store is used by many threads at once.
    """

    def stage(self, key: str, *, planned: bool, length: int | None) -> Staged:
        """A place for an upload's bytes. `planned` prepares for parts in any order (local: preallocates `length`; S3: begins a multipart)."""

    def write(self, staged: Staged, offset: int, part_size: int, body: Body, limit: int, tick: Tick) -> Written:
        """Append a stream at `offset`, which is where the last write ended, or 0 to begin again.

        Reads until the body ends or `limit` bytes came. Calls `tick(offset)` once it holds the range, before the first byte is
        read, and then at least once a second while bytes flow; what tick raises ends
        the write and passes through. A client that goes leaves Written(gone=True) with what is kept. Synced to disk on return (see SLIPWAY_FSYNC).
        Raises UploadError(LOCKED) while another write holds the same bytes.
        """

    def truncate(self, staged: Staged, offset: int) -> Staged:
        """Forget what a stream wrote beyond `offset`."""

    def extent(self, staged: Staged, offset: int) -> int:
        """How far the stream really reaches when the record says `offset`: more after a crash, on stores that can tell; else `offset`."""

    def put_part(self, staged: Staged, slot: Slot, body: Body, tick: Tick) -> Part:
        """Place one whole part; parts may come at once and in any order, and again. Reads at most slot.size + 1 bytes.

        Raises UploadError(PART_SIZE) for a body longer, or, when the client ended it properly, shorter than the slot unless the slot may be the last;
        ClientGone when it was cut: nothing is to be recorded then.
        """

    def part_url(self, staged: Staged, slot: Slot, *, exact: bool, expires: float) -> str:
        """A signed URL that takes PUT of one part until `expires`: absolute (S3), or a path below our own door (local).

        `exact`: the size of the slot is final and is signed where the store can.
        """

    def held(self, staged: Staged, recorded: Parts, part_size: int) -> Parts:
        """The parts that are there: the store's own list where it has one (the newest of duplicates), else what was recorded."""

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """Make the whole of what was finished, and freeze it: size and etag of the result. Repeating it gives the same.

        Raises Busy while a writer still holds the bytes; UploadError(CHANGED) when the bytes are not those that were finished,
        UploadError(GONE) when the store lost them.
        """

    def land(self, staged: Staged) -> AbstractContextManager[Landed]:
        """The sealed bytes as a local file: the staged file itself (local), or an unlinked temporary copy hashed while it fell (S3)."""

    def promote(self, staged: Staged, blob_key: str) -> None:
        """Give the sealed bytes their place at rest, as they were when sealed; the staged name stays.

        Raises UploadError(CHANGED) when the bytes changed after they were sealed.
        """

    def discard(self, staged: Staged) -> None:
        """Remove everything staged under this upload: whole, parts, pieces. Nothing there is no error."""

    def fetch(self, blob_key: str, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """Bytes at rest. Raises UploadError(GONE) when they are not there."""

    def delete(self, blob_key: str) -> None:
        """Remove bytes at rest. Nothing there is no error."""

    def save(self, key: str, content: bytes) -> None:
        """Write a small document, whole or not at all."""

    def load(self, key: str) -> bytes | None:
        """A small document, or None."""

    def remove(self, key: str) -> None:
        """Remove a small document. Nothing there is no error."""

    def staged_before(self, age: float) -> Iterator[Staged]:
        """Everything staged that was last touched more than `age` seconds ago by the store's clock, own prefix only; unfinished multiparts too."""

    def ping(self) -> None:
        """Raise StoreDown unless the store takes and gives bytes."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes at rest on their way out: an iterator, and the open file behind it (already at the offset) where the store has one."""

    chunks: Iterator[bytes]
    file: BinaryIO | None = None


class Gauge(Protocol):
    """Measures a file, stage by stage, cheap before dear. Judges nothing but that bytes cannot be measured.

    Every exception of a decoder becomes UploadError with NOT_AN_IMAGE, TRUNCATED, UNDECODABLE or TOO_COMPLEX; nothing else leaves.
    """

    def signature(self, file: BinaryIO) -> str:
        """The media type by magic bytes; `application/octet-stream` when nothing known matches."""

    def header(self, file: BinaryIO, media_type: str, max_frames: int) -> Header:
        """Width, height, frames, orientation, alpha without decoding pixels. Stops counting frames at `max_frames` + 1."""

    def decode(self, file: BinaryIO, media_type: str, heartbeat: Callable[[], None]) -> None:
        """Decode every pixel of every frame, and check that the file ends as its format says. Calls heartbeat between frames."""

    def digest(self, file: BinaryIO) -> str:
        """`sha256:{hex}` of the whole file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself, before a pixel is decoded.

    `area`: the pixels of all frames together, where frames differ in size; None where each has width x height.
    """

    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    area: int | None = None

    @property
    def pixels(self) -> int:
        """All pixels that decoding would make, counting frames."""
        return self.width * self.height * self.frames if self.area is None else self.area


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit writes, all or nothing.

    `put` writes records with their index members; `drop` removes records with their index members; `hold` and `release` add and remove
    (blob key, holder) of the tenant whose blobs the commit names; `bury` leaves tombstones; `manifest` queues assets for the manifest sweep.
    """

    put: tuple[Entity, ...] = ()
    drop: tuple[Ref, ...] = ()
    hold: tuple[tuple[Ref, str], ...] = ()
    release: tuple[tuple[Ref, str], ...] = ()
    bury: tuple[Ref, ...] = ()
    manifest: tuple[Ref, ...] = ()


NOTHING = Change()


class Records(Protocol):
    """The database of record in flight. Used by many threads at once; safe to build before a fork, connects after it."""

    def now(self) -> float:
        """The one clock."""

    def get(self, ref: Ref) -> Any:
        """The entity, or None."""

    def gone(self, ref: Ref) -> bool:
        """Whether a tombstone of this ref stands."""

    def commit(self, refs: Sequence[Ref], step: Callable[..., Change]) -> Change:
        """The one writer of records.

        Watches every named record, calls `step(*entities)` (None for one that is not there), writes its Change in one MULTI, and announces every operation written. When a record changed meanwhile, reads and steps again; gives up with RecordsDown after a bounded number.

        `step` must be pure: it may run several times. What it raises passes through and nothing is written. A blob's `holders` counts those before
        this change. RecordsDown when the outcome is unknown: the change may or may not stand.
        """

    def record_part(self, ref: Ref, part: Part, step: Callable[[Upload | None], None]) -> None:
        """Record a part while watching its upload: conflicts with finish, not with other parts. `step` raises to refuse."""

    def drop_part(self, ref: Ref, number: int, step: Callable[[Upload | None], None]) -> None:
        """Un-record a part, before its first byte is rewritten, while watching its upload. `step` raises to refuse."""

    def due(self, index: Index, until: float, limit: int) -> list[tuple[Ref, float]]:
        """The refs whose time is not after `until`, earliest first, with their time."""

    def count(self, index: Index) -> int:
        """How many refs an index holds."""

    def settle_index(self, index: Index, refs: Iterable[tuple[Ref, float]]) -> None:
        """Take refs off an index, each only if its time is still the one given. Works when Redis is full."""

    def ping(self) -> None:
        """Raise RecordsDown unless Redis answers."""


class Locks(Protocol):
    """One sequential writer an upload."""

    def acquire(self, ref: Ref) -> str | None:
        """A token, good for LOCK seconds, or None while somebody else has it."""

    def renew(self, ref: Ref, token: str) -> bool:
        """Whether the token still holds; if so for another LOCK seconds."""

    def release(self, ref: Ref, token: str) -> None:
        """Let go, if the token still holds."""


class Signals(Protocol):
    """Who waits for an operation hears of every change; who waited in vain hears nothing."""

    def listen(self, ref: Ref) -> AbstractContextManager[Waiter]:
        """Subscribed when it is entered: read the record after that, then wait."""


class Waiter(Protocol):
    """One subscription."""

    def wait(self, seconds: float) -> bool:
        """True as soon as something was announced since the last wait (or since listening began); False after `seconds`."""


class Pulse(Protocol):
    """Proof that a queue is consumed."""

    def mark(self, name: str) -> None:
        """Somebody of this name was alive just now."""

    def age(self, name: str) -> float | None:
        """Seconds since the last mark, or None without one."""

    def once(self, name: str, seconds: float) -> bool:
        """True for one caller in every `seconds`."""


class Jobs(Protocol):
    """Hands work to the workers. A message may be lost or doubled; the lease and the compare-and-set make up for both."""

    def process(self, ref: Ref) -> None:
        """Ask for the operation to be processed. Raises BrokerDown; never waits longer than a few seconds."""

    def canary(self) -> None:
        """Send one canary to every queue. Raises BrokerDown."""

    def backlog(self) -> int:
        """How many messages wait in the processing queue. Raises BrokerDown."""

"""Where bytes wait and rest. Sizes and offsets are bytes, keys are those of `core.keys`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from app.core.parts import Part, Parts, Slot
from app.core.upload import Staged

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

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
    """A sealed upload as a local file, open for reading at 0.

    `digest`: where it was made while the bytes came down, and they were found to be those that came in. Else `whole` reads them for it,
    and `check` reads them only to compare; both raise UploadError(CORRUPTED) when these are not the bytes that came in, as far as that
    is known.
    """

    file: BinaryIO
    size: int
    digest: str | None = None
    whole: Callable[[], str] | None = None
    check: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes at rest on their way out: an iterator, and the open file behind it (already at the offset) where the store has one.

    `path`: of that file below the store's folder, for a proxy that sends it itself; it has the blob's bytes and no others.
    """

    chunks: Iterator[bytes]
    file: BinaryIO | None = None
    path: str | None = None


class Store(Protocol):
    """Staged bytes, bytes at rest, manifests. Every call may be repeated; none is undone by another attempt's repetition.

    Staged bytes have no public name: only `fetch` serves, and only blobs. A store is used by many threads at once.
    """

    def stage(self, key: str, *, planned: bool, length: int | None) -> Staged:
        """A place for an upload's bytes. `planned` prepares for parts in any order (local: remembers `length`, whose space the first part takes; S3: begins a multipart)."""

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

        What comes in by `write` and `put_part` is summed: Staged.sum, Part.sum. A sum is None where the store did not see the bytes, never wrong.
        """

    def part_url(self, staged: Staged, slot: Slot, *, exact: bool, expires: float) -> str:
        """A signed URL that takes PUT of one part until `expires`: absolute (S3), or a path below our own door (local).

        `exact`: the size of the slot is final and is signed where the store can.
        """

    def held(self, staged: Staged, recorded: Parts, part_size: int, only: int | None = None) -> Parts:
        """The parts that are there: the store's own list where it has one (the newest of duplicates), else what was recorded.

        `only`: the number of the one part that is asked for.
        """

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """Make the whole of what was finished, and freeze it: size and etag of the result. Repeating it gives the same.

        Raises Busy while a writer still holds the bytes; UploadError(CHANGED) when the bytes are not those that were finished,
        UploadError(GONE) when the store lost them.
        """

    def land(self, staged: Staged) -> AbstractContextManager[Landed]:
        """The sealed bytes as a local file: the staged file itself (local), or an unlinked temporary copy hashed while it fell (S3).

        Raises UploadError(CORRUPTED) when it is known already that these are not the bytes that came in.
        """

    def promote(self, staged: Staged, blob_key: str) -> None:
        """Give the sealed bytes their place at rest, as they were when sealed; the staged name stays.

        Raises UploadError(CHANGED) when the bytes changed after they were sealed.
        """

    def place(self, blob_key: str, file: BinaryIO) -> None:
        """Bring the whole of an open local file to rest, whole or not at all. Placing it again leaves the last one."""

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

    def resting(self, folder: str) -> Iterator[tuple[str, int]]:
        """Key and size of everything at rest below `folder`, one of those of `core.keys` that end in a slash; what comes or goes meanwhile may be missing."""

    def staged_before(self, age: float) -> Iterator[Staged]:
        """Everything staged that was last touched more than `age` seconds ago by the store's clock, own prefix only; unfinished multiparts too."""

    def free(self) -> int | None:
        """Bytes that may still be written; None where nobody can tell."""

    def ping(self) -> None:
        """Raise StoreDown unless the store takes and gives bytes."""

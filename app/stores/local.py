"""Bytes on a local disk: one sparse staged file an upload, parts placed at their offset, a hard link into rest.

Nothing is ever copied: a part is written where it belongs, assembling is a check, promoting is a second name.
The fence under two writers, and under a writer and the sealing, is a kernel lock on the range that is written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from app.core import keys
from app.core.errors import Busy, Code, UploadError
from app.core.parts import Part, Parts, Slot
from app.core.ports import Body, Fetched, Landed, Tick, Written
from app.core.signing import Signer
from app.core.upload import Staged
from app.stores.assembly import covering
from app.stores.doors import own_door
from app.stores.files import Files, etag, faults
from app.stores.intake import Intake, Ticker, take_part
from app.stores.locks import TO_THE_END, lock
from app.stores.sums import Reading, Running, known_or_read, of_whole

PLAN = "plan:"  # the session of an upload that comes in parts, and its length; the file's size says nothing about how far it is
OUT = 1024 * 1024  # bytes read at once on their way out


class LocalStore:
    """A folder. Raises ValueError when it cannot be used: it needs hard links."""

    def __init__(self, root: Path, *, fsync: bool, signer: Signer, sums: bool = True) -> None:
        self._root, self._signer, self._sums = root, signer, sums
        self._files = Files(root, fsync=fsync)
        self._files.check_links()

    # ------------------------------------------------------------ bytes in

    def stage(self, key: str, *, planned: bool, length: int | None) -> Staged:
        """As the port says. An announcement takes no disk space: whoever only announces cannot fill the disk. A stream begins without a file."""
        if not planned:
            return Staged(key)
        with faults(self._root):
            self._files.create(key)
        return Staged(key, session=f"{PLAN}{length or ''}")

    def write(self, staged: Staged, offset: int, part_size: int, body: Body, limit: int, tick: Tick) -> Written:  # noqa: ARG002  # the port's
        """As the port says."""
        with faults(self._root), _missing_is_gone("upload"):
            if offset == 0:
                self._files.create(staged.key)
            with self._files.open(staged.key) as fd:
                _claim(fd, offset, limit if staged.session else TO_THE_END)
                ticker = Ticker(tick)
                ticker.now(offset)
                _begin(fd, staged, offset)
                intake = Intake(body, ticker, Running(known_or_read(staged, offset, fd) if self._sums else None))
                size = intake.fill(fd, offset, limit, offset)
                self._files.sync(fd)
        return Written(offset + size, replace(staged, sum=intake.running.sum), gone=intake.gone)

    def truncate(self, staged: Staged, offset: int) -> Staged:
        """As the port says; a file is never made longer. Raises UploadError(LOCKED) while somebody writes beyond `offset`."""
        with faults(self._root), contextlib.suppress(FileNotFoundError), self._files.open(staged.key) as fd:
            _claim(fd, offset, TO_THE_END)
            if staged.session is None and os.fstat(fd).st_size > offset:
                os.ftruncate(fd, offset)
                self._files.sync(fd)
        return staged

    def extent(self, staged: Staged, offset: int) -> int:
        """The size of a stream's file: more than the record after a crash, less when a crash or the disk took bytes back."""
        if staged.session is not None:
            return offset
        with faults(self._root):
            try:
                return self._files.path(staged.key).stat().st_size
            except FileNotFoundError:
                return 0

    def put_part(self, staged: Staged, slot: Slot, body: Body, tick: Tick) -> Part:
        """As the port says; a part that is being written refuses another one of its number with UploadError(LOCKED)."""
        with faults(self._root), _missing_is_gone("upload"), self._files.open(staged.key) as fd:
            _claim(fd, slot.offset, slot.size)
            _preallocate(fd, staged)
            ticker = Ticker(tick)
            ticker.now(slot.offset)
            size, summed = take_part(slot, body, fd, slot.offset, ticker, sums=self._sums)
            self._files.sync(fd)
        return Part(slot.number, slot.offset, size, secrets.token_hex(16), sum=summed)

    def part_url(self, staged: Staged, slot: Slot, *, exact: bool, expires: float) -> str:  # noqa: ARG002  # the port's
        """A path below our own door; it looks at the size itself."""
        return own_door(self._signer, staged.key, slot.number, expires)

    def held(self, staged: Staged, recorded: Parts, part_size: int, only: int | None = None) -> Parts:  # noqa: ARG002  # the port's
        """What was recorded: a file cannot tell which of its bytes were written."""
        return recorded

    # ------------------------------------------------------------ to rest

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """As the port says: a check, and what lies beyond the end is cut off."""
        chosen = covering(parts, length) if staged.session is not None else None
        with faults(self._root), _missing_is_gone("upload"), self._files.open(staged.key) as fd:
            if not lock(fd, 0, TO_THE_END):
                raise Busy(f"{staged.key} is being written")
            size = os.fstat(fd).st_size
            if size < length:
                raise UploadError(Code.CHANGED)
            if size > length:
                os.ftruncate(fd, length)
            self._files.sync(fd)
            if staged.etag not in {None, etag(fd)}:
                raise UploadError(Code.CHANGED)
            summed = known_or_read(staged, length, fd) if chosen is None else of_whole(staged, chosen, length)
            return replace(staged, etag=etag(fd), size=length, sum=summed)

    @contextlib.contextmanager
    def land(self, staged: Staged) -> Iterator[Landed]:
        """The staged file itself. What the disk does not give while it is summed is StoreDown, not damage."""
        with self._reading(staged.key, "upload") as file:
            if etag(file.fileno()) != staged.etag:
                raise UploadError(Code.CHANGED)
            reading, guarded = Reading(file.fileno(), staged.size or 0, staged.sum), faults(self._root)
            yield Landed(file, staged.size or 0, whole=guarded(reading.digest), check=guarded(reading.check))

    def promote(self, staged: Staged, blob_key: str) -> None:
        """A hard link. Another attempt may have made it already, and may have removed the staged name since."""
        with faults(self._root), _missing_is_gone("upload"):
            if not self._at_rest(blob_key):
                self._link(staged, blob_key)
            with self._files.open(blob_key, os.O_RDONLY) as fd:
                if etag(fd) != staged.etag:
                    raise UploadError(Code.CHANGED)

    def place(self, blob_key: str, file: BinaryIO) -> None:
        """A copy, since the file may lie on another disk."""
        with faults(self._root):
            file.flush()
            self._files.copy(file.fileno(), blob_key)

    def _at_rest(self, blob_key: str) -> bool:
        return self._files.path(blob_key).exists()

    def _link(self, staged: Staged, blob_key: str) -> None:
        with self._files.open(staged.key, os.O_RDONLY) as fd:
            if etag(fd) != staged.etag:
                raise UploadError(Code.CHANGED)
        with contextlib.suppress(FileExistsError):
            self._files.link(staged.key, blob_key)

    def discard(self, staged: Staged) -> None:
        """Remove the staged name; bytes that have come to rest keep theirs."""
        with faults(self._root):
            self._files.unlink(staged.key)

    # ------------------------------------------------------------ at rest

    def fetch(self, blob_key: str, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """As the port says, with the open file."""
        return self._fetch(blob_key, offset, length)

    @contextlib.contextmanager
    def _fetch(self, blob_key: str, offset: int, length: int) -> Iterator[Fetched]:
        with self._reading(blob_key, "asset") as file:
            file.seek(offset)
            yield Fetched(self._run(file.fileno(), offset, length), file, blob_key)

    def _run(self, fd: int, offset: int, length: int) -> Iterator[bytes]:
        end = offset + length
        while offset < end:
            with faults(self._root):
                chunk = os.pread(fd, min(OUT, end - offset), offset)
            if not chunk:
                return
            offset += len(chunk)
            yield chunk

    def delete(self, blob_key: str) -> None:
        """As the port says."""
        self.remove(blob_key)

    def save(self, key: str, content: bytes) -> None:
        """As the port says."""
        with faults(self._root):
            self._files.replace(key, content)

    def load(self, key: str) -> bytes | None:
        """As the port says."""
        with faults(self._root):
            try:
                return self._files.path(key).read_bytes()
            except FileNotFoundError:
                return None

    def remove(self, key: str) -> None:
        """As the port says."""
        with faults(self._root):
            self._files.unlink(key)

    # ------------------------------------------------------------ housekeeping

    def resting(self, folder: str) -> Iterator[tuple[str, int]]:
        """As the port says."""
        with faults(self._root):
            yield from self._files.below(folder)

    def staged_before(self, age: float) -> Iterator[Staged]:
        """As the port says; drafts of documents that a crash left are among them."""
        with faults(self._root):
            yield from (Staged(key) for key in self._files.older(keys.STAGING, age))

    def free(self) -> int | None:
        """What the file system leaves to others than root."""
        with faults(self._root):
            found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def ping(self) -> None:
        """As the port says."""
        key = f"{keys.STAGING}_ping/{secrets.token_hex(8)}"
        self.save(key, b"?")
        self.load(key)
        self.remove(key)

    @contextlib.contextmanager
    def _reading(self, key: str, what: str) -> Iterator[BinaryIO]:
        """The file, unbuffered. What goes wrong while it is used is the user's own."""
        with faults(self._root), _missing_is_gone(what):
            file = self._files.reading(key)
        with file:
            yield file


def _claim(fd: int, offset: int, length: int) -> None:
    if not lock(fd, offset, length):
        raise UploadError(Code.LOCKED)


def _preallocate(fd: int, staged: Staged) -> None:
    """The space of the whole plan, with its first part: a full disk is told before a byte is read. Not for a stream, whose size is its offset."""
    length = int((staged.session or "").removeprefix(PLAN) or 0)
    if os.fstat(fd).st_size < length:
        os.posix_fallocate(fd, 0, length)


def _begin(fd: int, staged: Staged, offset: int) -> None:
    """A stream's file ends where the stream goes on; a plan's file keeps the parts that lie beyond."""
    size = os.fstat(fd).st_size
    if size < offset:
        raise UploadError(Code.GONE, what="upload")
    if staged.session is None and size > offset:
        os.ftruncate(fd, offset)


@contextlib.contextmanager
def _missing_is_gone(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        raise UploadError(Code.GONE, what=what) from missing

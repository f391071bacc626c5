"""Bytes in this process, for tests and demonstrations: the whole contract, nothing outlives the process."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from app.core.errors import Busy, ClientGone, Code, UploadError
from app.core.parts import Part, Parts, Slot
from app.core.ports import Body, Fetched, Landed, Tick, Written
from app.core.signing import Signer
from app.core.sums import NOTHING
from app.core.upload import Staged
from app.stores.assembly import covering
from app.stores.doors import own_door
from app.stores.intake import Ticker, check_size
from app.stores.sums import Reading, Running, added, known, of_whole

PLAN = "plan"
CHUNK = 1024 * 1024
ENDLESS = 1 << 62


@dataclass(slots=True)
class _File:
    """Staged bytes; `touched` in seconds since the epoch, `version` counts changes, `ranges` are being written."""

    data: bytearray = field(default_factory=bytearray)
    touched: float = field(default_factory=time.time)
    version: str = ""
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def put(self, offset: int, chunk: bytes) -> None:
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset : offset + len(chunk)] = chunk
        self.touch()

    def cut(self, offset: int) -> None:
        if len(self.data) > offset:
            del self.data[offset:]
            self.touch()

    def touch(self) -> None:
        self.touched, self.version = time.time(), secrets.token_hex(8)


class MemoryStore:
    """Dictionaries under one lock, which is never held while a body is read."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._lock = threading.RLock()
        self._staged: dict[str, _File] = {}
        self._kept: dict[str, bytes] = {}

    # ------------------------------------------------------------ bytes in

    def stage(self, key: str, *, planned: bool, length: int | None) -> Staged:  # noqa: ARG002  # the port's
        """As the port says."""
        if planned:
            with self._lock:
                self._staged.setdefault(key, _File())
        return Staged(key, session=PLAN if planned else None)

    def write(self, staged: Staged, offset: int, part_size: int, body: Body, limit: int, tick: Tick) -> Written:  # noqa: ARG002  # the port's
        """As the port says."""
        end = offset + limit if staged.session else ENDLESS
        with self._lock:
            file = self._staged.setdefault(staged.key, _File()) if offset == 0 else self._find(staged)
        with self._writing(file, offset, end):
            ticker = Ticker(tick)
            ticker.now(offset)
            if staged.session is None:
                _begin(file, offset)
            running = Running(known(staged, offset))
            position, gone = self._pour(file, offset, body, limit, ticker, running)
        return Written(position, replace(staged, sum=running.sum), gone=gone)

    def _pour(self, file: _File, position: int, body: Body, limit: int, ticker: Ticker, running: Running) -> tuple[int, bool]:
        """Where the stream ends, and whether that was the sender's leaving."""
        try:
            for chunk in body.chunks(limit):
                with self._lock:
                    file.put(position, chunk)
                running.seen(chunk)
                position += len(chunk)
                ticker(position)
        except ClientGone:
            return position, True
        return position, False

    def truncate(self, staged: Staged, offset: int) -> Staged:
        """As the port says."""
        with self._lock:
            file = self._staged.get(staged.key)
        if file is not None and staged.session is None:
            with self._writing(file, offset, ENDLESS):
                file.cut(offset)
        return staged

    def extent(self, staged: Staged, offset: int) -> int:
        """As the port says."""
        if staged.session is not None:
            return offset
        with self._lock:
            file = self._staged.get(staged.key)
            return len(file.data) if file else 0

    def put_part(self, staged: Staged, slot: Slot, body: Body, tick: Tick) -> Part:
        """As the port says."""
        file = self._find(staged)
        with self._writing(file, slot.offset, slot.offset + slot.size):
            ticker = Ticker(tick)
            ticker.now(slot.offset)
            check_size(slot, body.length)
            content = bytearray()
            for chunk in body.chunks(slot.size + 1):
                content += chunk
                ticker(slot.offset + len(content))
            check_size(slot, len(content))
            with self._lock:
                file.put(slot.offset, bytes(content))
        return Part(slot.number, slot.offset, len(content), secrets.token_hex(16), sum=added(NOTHING, bytes(content)))

    def part_url(self, staged: Staged, slot: Slot, *, exact: bool, expires: float) -> str:  # noqa: ARG002  # the port's
        """As the port says."""
        return own_door(self._signer, staged.key, slot.number, expires)

    def held(self, staged: Staged, recorded: Parts, part_size: int, only: int | None = None) -> Parts:  # noqa: ARG002  # the port's
        """As the port says."""
        return recorded

    # ------------------------------------------------------------ to rest

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """As the port says."""
        chosen = covering(parts, length) if staged.session is not None else None
        with self._lock:
            file = self._find(staged)
            if file.ranges:
                raise Busy(f"{staged.key} is being written")
            if len(file.data) < length:
                raise UploadError(Code.CHANGED)
            file.cut(length)
            if staged.etag not in {None, file.version}:
                raise UploadError(Code.CHANGED)
            return replace(staged, etag=file.version, size=length, sum=of_whole(staged, chosen, length))

    @contextlib.contextmanager
    def land(self, staged: Staged) -> Iterator[Landed]:
        """As the port says."""
        content = self._sealed(staged)
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            reading = Reading(file.fileno(), len(content), staged.sum)
            yield Landed(file, len(content), whole=reading.digest, check=reading.check)

    def promote(self, staged: Staged, blob_key: str) -> None:
        """As the port says."""
        with self._lock:
            if staged.key in self._staged or blob_key not in self._kept:
                self._kept[blob_key] = self._sealed(staged)

    def place(self, blob_key: str, file: BinaryIO) -> None:
        """As the port says."""
        file.seek(0)
        self.save(blob_key, file.read())

    def _sealed(self, staged: Staged) -> bytes:
        with self._lock:
            file = self._find(staged)
            if file.version != staged.etag:
                raise UploadError(Code.CHANGED)
            return bytes(file.data)

    def discard(self, staged: Staged) -> None:
        """As the port says."""
        with self._lock:
            self._staged.pop(staged.key, None)

    # ------------------------------------------------------------ at rest

    def fetch(self, blob_key: str, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """As the port says."""
        content = self.load(blob_key)
        if content is None:
            raise UploadError(Code.GONE, what="asset")
        part = content[offset : offset + length]
        return contextlib.nullcontext(Fetched(part[at : at + CHUNK] for at in range(0, len(part), CHUNK)))

    def delete(self, blob_key: str) -> None:
        """As the port says."""
        self.remove(blob_key)

    def save(self, key: str, content: bytes) -> None:
        """As the port says."""
        with self._lock:
            self._kept[key] = content

    def load(self, key: str) -> bytes | None:
        """As the port says."""
        with self._lock:
            return self._kept.get(key)

    def remove(self, key: str) -> None:
        """As the port says."""
        with self._lock:
            self._kept.pop(key, None)

    # ------------------------------------------------------------ housekeeping

    def resting(self, folder: str) -> Iterator[tuple[str, int]]:
        """As the port says."""
        with self._lock:
            found = [(key, len(content)) for key, content in self._kept.items() if key.startswith(folder)]
        yield from found

    def staged_before(self, age: float) -> Iterator[Staged]:
        """As the port says."""
        before = time.time() - age
        with self._lock:
            found = [key for key, file in self._staged.items() if file.touched < before]
        yield from (Staged(key) for key in found)

    def free(self) -> int | None:
        """Nobody counts."""
        return None

    def ping(self) -> None:
        """Memory is always there."""

    def _find(self, staged: Staged) -> _File:
        with self._lock:
            file = self._staged.get(staged.key)
        if file is None:
            raise UploadError(Code.GONE, what="upload")
        return file

    @contextlib.contextmanager
    def _writing(self, file: _File, start: int, end: int) -> Iterator[None]:
        """Holds a range against every other writer, and against the sealing. Raises UploadError(LOCKED)."""
        with self._lock:
            if any(start < other_end and other_start < end for other_start, other_end in file.ranges):
                raise UploadError(Code.LOCKED)
            file.ranges.append((start, end))
        try:
            yield
        finally:
            with self._lock:
                file.ranges.remove((start, end))


def _begin(file: _File, offset: int) -> None:
    if len(file.data) < offset:
        raise UploadError(Code.GONE, what="upload")
    file.cut(offset)

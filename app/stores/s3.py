"""Bytes in an S3 bucket. Presigned parts go straight there; streams and our own part door spool one part at a time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from app.core import keys
from app.core.errors import Code, UploadError
from app.core.parts import Part, Parts, Slot
from app.core.ports import Body, Fetched, Landed, Tick, Written
from app.core.upload import Staged
from app.stores import multipart, objects
from app.stores.address import S3Address
from app.stores.assembly import trimmed
from app.stores.intake import Ticker, take_part
from app.stores.link import Link
from app.stores.presign import Presigner
from app.stores.sealing import Sealing
from app.stores.spool import Spool
from app.stores.streams import Streams


class S3Store:
    """One bucket, one prefix. Speaks to nobody before its first call."""

    def __init__(self, at: S3Address, spool: Path | None = None, *, sums: bool = True) -> None:
        self._link, self._spool, self._sums = Link(at), Spool(spool), sums
        self._streams = Streams(self._link, self._spool, sums)
        self._sealing = Sealing(self._link, self._spool)
        self._presigner = Presigner(self._link)

    # ------------------------------------------------------------ bytes in

    def stage(self, key: str, *, planned: bool, length: int | None) -> Staged:  # noqa: ARG002  # the port's
        """A plan begins a multipart upload; a stream begins nothing before its first full part."""
        return Staged(key, session=multipart.begin(self._link, key) if planned else None)

    def write(self, staged: Staged, offset: int, part_size: int, body: Body, limit: int, tick: Tick) -> Written:
        """As the port says. Two writers disturb neither's bytes, so none is refused: what the record takes in is what counts."""
        return self._streams.write(staged, offset, part_size, body, limit, tick)

    def truncate(self, staged: Staged, offset: int) -> Staged:
        """As the port says. A part below `offset` must be whole or in pieces: `offset` is where a write ended, or 0."""
        objects.remove(self._link, [piece.key for piece in staged.pieces if piece.offset >= offset])
        return replace(staged, pieces=trimmed(staged.pieces, offset))

    def extent(self, staged: Staged, offset: int) -> int:  # noqa: ARG002  # the port's
        """What the record says: pieces and parts that it does not know do not count."""
        return offset

    def put_part(self, staged: Staged, slot: Slot, body: Body, tick: Tick) -> Part:
        """As the port says."""
        if staged.session is None:
            raise UploadError(Code.GONE, what="upload")
        ticker = Ticker(tick)
        ticker.now(slot.offset)
        with self._spool.faults(), self._spool.open() as spool:
            size, summed = take_part(slot, body, spool.fileno(), 0, ticker, sums=self._sums)
            part = multipart.upload_part(self._link, staged.key, staged.session, replace(slot, size=size), spool.fileno())
        return replace(part, sum=summed)

    def part_url(self, staged: Staged, slot: Slot, *, exact: bool, expires: float) -> str:
        """A URL of S3 itself."""
        if staged.session is None:
            raise UploadError(Code.GONE, what="upload")
        return self._presigner.part_url(staged.key, staged.session, slot.number, slot.size if exact else None, expires)

    def held(self, staged: Staged, recorded: Parts, part_size: int, only: int | None = None) -> Parts:
        """What S3 lists."""
        if staged.session is None:
            return recorded
        where = self._link, staged.key, staged.session
        listed = multipart.listed(*where) if only is None else multipart.listed_alone(*where, only)
        return multipart.held(listed, recorded, part_size)

    # ------------------------------------------------------------ to rest

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """As the port says."""
        return self._sealing.seal(staged, parts, length)

    def land(self, staged: Staged) -> AbstractContextManager[Landed]:
        """As the port says."""
        return self._sealing.land(staged)

    def promote(self, staged: Staged, blob_key: str) -> None:
        """As the port says."""
        self._sealing.promote(staged, blob_key)

    def place(self, blob_key: str, file: BinaryIO) -> None:
        """As the port says."""
        objects.place(self._link, blob_key, file)

    def discard(self, staged: Staged) -> None:
        """As the port says, whatever the record knew of. Of a copy into rest that was never completed only that copy goes."""
        if not staged.key.startswith(keys.STAGING):
            multipart.abort(self._link, staged.key, staged.session or "")
            return
        for session in multipart.sessions(self._link, staged.key):
            if session.key == staged.key:
                multipart.abort(self._link, session.key, session.name)
        objects.remove(self._link, objects.names_of(self._link, staged.key))

    # ------------------------------------------------------------ at rest

    def fetch(self, blob_key: str, offset: int, length: int) -> AbstractContextManager[Fetched]:
        """As the port says."""
        return objects.fetch(self._link, blob_key, offset, length)

    def delete(self, blob_key: str) -> None:
        """As the port says."""
        objects.remove(self._link, [blob_key])

    def save(self, key: str, content: bytes) -> None:
        """As the port says."""
        objects.put(self._link, key, content)

    def load(self, key: str) -> bytes | None:
        """As the port says."""
        return objects.get(self._link, key)

    def remove(self, key: str) -> None:
        """As the port says."""
        objects.remove(self._link, [key])

    # ------------------------------------------------------------ housekeeping

    def resting(self, folder: str) -> Iterator[tuple[str, int]]:
        """As the port says."""
        return objects.resting(self._link, folder)

    def staged_before(self, age: float) -> Iterator[Staged]:
        """As the port says; copies into rest that a crash left are among them, under the key they were for."""
        return objects.staged_before(self._link, age)

    def free(self) -> int | None:
        """A bucket has no end."""
        return None

    def ping(self) -> None:
        """As the port says."""
        key = f"{keys.STAGING}_ping/{secrets.token_hex(8)}"
        self.save(key, b"?")
        self.load(key)
        self.remove(key)

"""The whole of an upload in S3: made, frozen by its etag, brought down, copied into rest.

Three forms, told by what was staged::

    a multipart upload (and pieces)   the pieces become its last part, then CompleteMultipartUpload with the frozen list
    one piece                         it is the whole
    several pieces                    all below one part together: joined into one object at the staging key
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from app.core.errors import Code, StoreDown, UploadError
from app.core.parts import Part, Parts, Slot
from app.core.ports import Landed
from app.core.sums import NOTHING, Sum
from app.core.upload import Piece, Staged
from app.stores.assembly import check_run, covering
from app.stores.link import CHANGED, GONE, Found, Link, quoted
from app.stores.multipart import abort, begin, complete, upload_part
from app.stores.pieces import fetch_pieces
from app.stores.spool import Spool, window
from app.stores.sums import added, of_whole, require

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

COPY_MOST = 5 * 1024**3  # bytes that one CopyObject takes …
COPY_RUN = 1024**3  # … and what is asked of one UploadPartCopy
IN = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sealing:
    """Makes wholes in one bucket. `copy_most`: the largest object that is copied in one call."""

    link: Link
    spool: Spool
    copy_most: int = COPY_MOST
    copy_run: int = COPY_RUN

    # ------------------------------------------------------------ seal

    def seal(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """As the port says."""
        whole = self._completed(staged, parts, length) if staged.session else self._gathered(staged, length)
        found = self.link.head(_key(whole))
        if found is None:
            raise UploadError(Code.GONE, what="upload")
        if found.size != length or whole.etag not in {None, found.etag}:
            raise UploadError(Code.CHANGED)
        return Staged(whole.key, pieces=whole.pieces, etag=found.etag, size=found.size, sum=_sum(staged, parts, length))

    def _completed(self, staged: Staged, parts: Parts, length: int) -> Staged:
        """The object of a multipart upload. Where that is no more it was completed before, or it is lost: the caller looks."""
        start = staged.pieces[0].offset if staged.pieces else length
        chosen = covering(parts, start)
        check_run(staged.pieces, start, length)
        session = staged.session or ""
        with contextlib.suppress(_NoSession):
            if staged.pieces:
                chosen.append(self._last_part(staged, session, Slot(len(chosen) + 1, start, length - start)))
            self._complete(staged.key, session, chosen)
        return Staged(staged.key)

    def _last_part(self, staged: Staged, session: str, slot: Slot) -> Part:
        with self._joined(staged.pieces, slot.offset) as file:
            try:
                return upload_part(self.link, staged.key, session, slot, file.fileno())
            except UploadError as gone:
                raise _NoSession from gone

    def _complete(self, key: str, session: str, chosen: list[Part]) -> None:
        try:
            complete(self.link, key, session, chosen)
        except UploadError as refusal:
            if refusal.code is not Code.GONE:
                raise
            raise _NoSession from refusal

    def _gathered(self, staged: Staged, length: int) -> Staged:
        """The object of pieces alone."""
        if not staged.pieces:
            return staged  # sealed before
        check_run(staged.pieces, 0, length)
        if len(staged.pieces) == 1 and self._is_whole(staged.pieces[0]):
            return staged
        with self._joined(staged.pieces, 0) as file, self.link.speaking() as s3:
            s3.put_object(Bucket=self.link.bucket, Key=self.link.full(staged.key), Body=window(file.fileno(), 0, length))
        return Staged(staged.key)

    def _is_whole(self, piece: Piece) -> bool:
        """Whether its object ends where the piece does: a stream that was cut back keeps only the front of an object."""
        found = self.link.head(piece.key)
        return found is not None and found.size == piece.size

    @contextlib.contextmanager
    def _joined(self, pieces: tuple[Piece, ...], origin: int) -> Iterator[BinaryIO]:
        with self.spool.open() as file:
            fetch_pieces(self.link, pieces, file.fileno(), origin)
            yield file

    # ------------------------------------------------------------ land

    @contextlib.contextmanager
    def land(self, staged: Staged) -> Iterator[Landed]:
        """The sealed object as an unlinked temporary file, hashed while it falls."""
        with self.spool.faults():
            file = self.spool.open()
        with file:
            digest = self._fall(staged, file)
            file.seek(0)
            yield Landed(file, staged.size or 0, f"sha256:{digest}")

    def _fall(self, staged: Staged, file: BinaryIO) -> str:
        digest, summed = hashlib.sha256(), NOTHING
        with self.link.speaking({**GONE, **CHANGED}) as s3:
            answer = s3.get_object(Bucket=self.link.bucket, Key=self.link.full(_key(staged)), IfMatch=quoted(staged.etag or ""))
            with contextlib.closing(answer["Body"]) as body:
                while chunk := body.read(IN):
                    digest.update(chunk)
                    summed = added(summed, chunk)
                    _write_all(file, chunk)
        if summed.size != staged.size:
            raise StoreDown(f"{self.link.at}: {summed.size} of {staged.size} bytes came")
        require(staged.sum, summed)
        return digest.hexdigest()

    # ------------------------------------------------------------ promote

    def promote(self, staged: Staged, blob_key: str) -> None:
        """As the port says: a copy on the server's side, of exactly what was sealed."""
        try:
            self._copy(staged, blob_key)
        except UploadError as refusal:
            if refusal.code is not Code.GONE or not self._rests(blob_key, staged):
                raise

    def _rests(self, blob_key: str, staged: Staged) -> bool:
        """Whether another attempt brought the bytes to rest already, and freed the staged ones."""
        found: Found | None = self.link.head(blob_key)
        return found is not None and found.size == staged.size

    def _copy(self, staged: Staged, blob_key: str) -> None:
        if (staged.size or 0) > self.copy_most:
            return self._copy_in_runs(staged, blob_key)
        with self.link.speaking({**GONE, **CHANGED}) as s3:
            s3.copy_object(
                Bucket=self.link.bucket,
                Key=self.link.full(blob_key),
                CopySource=self._source(staged),
                CopySourceIfMatch=quoted(staged.etag or ""),
            )
        return None

    def _copy_in_runs(self, staged: Staged, blob_key: str) -> None:
        session = begin(self.link, blob_key)
        try:
            size = staged.size or 0
            copied = [self._copy_run(staged, blob_key, session, at) for at in range(0, size, self.copy_run)]
            complete(self.link, blob_key, session, copied)
        except (UploadError, StoreDown):
            with contextlib.suppress(StoreDown):
                abort(self.link, blob_key, session)
            raise

    def _copy_run(self, staged: Staged, blob_key: str, session: str, at: int) -> Part:
        size = min(self.copy_run, (staged.size or 0) - at)
        number = at // self.copy_run + 1
        with self.link.speaking({**GONE, **CHANGED}) as s3:
            answer = s3.upload_part_copy(
                Bucket=self.link.bucket,
                Key=self.link.full(blob_key),
                UploadId=session,
                PartNumber=number,
                CopySource=self._source(staged),
                CopySourceIfMatch=quoted(staged.etag or ""),
                CopySourceRange=f"bytes={at}-{at + size - 1}",
            )
        return Part(number, at, size, answer["CopyPartResult"]["ETag"].strip('"'))

    def _source(self, staged: Staged) -> CopySourceTypeDef:
        return {"Bucket": self.link.bucket, "Key": self.link.full(_key(staged))}


class _NoSession(Exception):
    """The multipart upload is not there: completed before, or lost."""


def _sum(staged: Staged, parts: Parts, length: int) -> Sum | None:
    """A stream's stands beside its parts and pieces; the parts of a plan have one each."""
    plan = staged.session is not None and staged.sum is None and not staged.pieces
    return of_whole(staged, covering(parts, length) if plan else None, length)


def _key(staged: Staged) -> str:
    """Where the whole is: at the staging key, unless one piece is all of it."""
    return staged.pieces[0].key if staged.pieces else staged.key


def _write_all(file: BinaryIO, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[file.write(left) :]

"""Takes what a stream spooled to S3, one spool at a time, while the next one fills."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, BinaryIO, Self

from app.core import keys
from app.core.errors import StoreDown
from app.core.parts import Part, Slot
from app.core.upload import Piece, Staged
from app.stores.intake import EVERY, Ticker
from app.stores.link import Link
from app.stores.multipart import abort, begin, upload_part
from app.stores.pieces import fetch_pieces
from app.stores.spool import window

if TYPE_CHECKING:
    from types import TracebackType


class Carrier:
    """A pair of hands for one write. While they are full the ticker goes on; what they held is in `parts` and `pieces` after `rest`.

    A multipart upload that was begun here is aborted when the write fails: nobody will ever know its name.
    """

    def __init__(self, link: Link, staged: Staged, ticker: Ticker) -> None:
        self._link, self._key, self._ticker = link, staged.key, ticker
        self.session = staged.session
        self.parts: list[Part] = []
        self.pieces = staged.pieces
        self._begun = False
        self._hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="carrier")
        self._load: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hands.shutdown(wait=True)
        if error is not None and self._begun and self.session:
            with contextlib.suppress(StoreDown):
                abort(self._link, self._key, self.session)

    def part(self, spool: BinaryIO, slot: Slot) -> None:
        """Take a full part. Pieces that an earlier write left in it are fetched into the head of the spool first."""
        self.rest(slot.offset + slot.size)
        session, head, self.pieces = self._session(), self.pieces, ()
        self._load = self._hands.submit(self._carry, spool, lambda: self._upload(spool, slot, session, head))

    def tail(self, spool: BinaryIO, at: int, offset: int, size: int) -> None:
        """Take what is left below a part, at `at` in the spool, as an immutable piece."""
        self.rest(offset + size)
        piece = Piece(keys.tail(self._key, offset), offset, size)
        self._load = self._hands.submit(self._carry, spool, lambda: self._keep(spool, at, piece))

    def rest(self, offset: int) -> None:
        """Wait until the hands are empty. Raises what went wrong, and what the tick raises."""
        if self._load is not None:
            while wait([self._load], timeout=EVERY).not_done:
                self._ticker.now(offset)
            self._load.result()
        self._load = None
        self._ticker(offset)

    def _session(self) -> str:
        if self.session is None:
            self.session = begin(self._link, self._key)
            self._begun = True
        return self.session

    def _carry(self, spool: BinaryIO, work: Callable[[], None]) -> None:
        with spool:
            work()

    def _upload(self, spool: BinaryIO, slot: Slot, session: str, head: tuple[Piece, ...]) -> None:
        fetch_pieces(self._link, head, spool.fileno(), slot.offset)
        self.parts.append(upload_part(self._link, self._key, session, slot, spool.fileno()))

    def _keep(self, spool: BinaryIO, at: int, piece: Piece) -> None:
        with self._link.speaking() as s3:
            s3.put_object(Bucket=self._link.bucket, Key=self._link.full(piece.key), Body=window(spool.fileno(), at, piece.size))
        self.pieces = (*self.pieces, piece)

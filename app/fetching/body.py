"""What came back, as the core's port `Body`: counted while it is read, and whole or an error."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpcore

from app.core.errors import Code, UploadError
from app.fetching.refusals import BROKEN, failed

BUFFER = 256 * 1024


class FetchedBody:
    """The bytes of one answer, at most `limit` of them. `length` is None where only the end tells it."""

    def __init__(self, pieces: Iterator[bytes], length: int | None, limit: int) -> None:
        self.length = length
        self._pieces = pieces
        self._limit = self._left = limit
        self._rest = memoryview(b"")

    def into(self, fd: int, offset: int, limit: int) -> int:
        """See the port."""
        view = self._receive(limit)
        written = 0
        while written < len(view):
            written += os.pwrite(fd, view[written:], offset + written)
        return written

    def chunks(self, limit: int) -> Iterator[bytes]:
        """See the port."""
        while limit > 0 and (piece := bytes(self._receive(min(limit, BUFFER)))):
            limit -= len(piece)
            yield piece

    def _receive(self, limit: int) -> memoryview:
        if not self._rest:
            self._rest = memoryview(self._next())
        piece, self._rest = self._rest[:limit], self._rest[limit:]
        return piece

    def _next(self) -> bytes:
        """The next piece. Behind the last byte that is allowed it looks for one more, as the caller may not."""
        piece = self._some()
        self._left -= len(piece)
        if self._left < 0 or (piece and self._left == 0 and self._some()):
            raise UploadError(Code.TOO_LARGE, limit=self._limit)
        return piece

    def _some(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except httpcore.ProtocolError as error:
            raise failed(BROKEN) from error

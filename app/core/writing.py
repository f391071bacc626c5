"""One writer at a time: the lock of an upload while its bytes flow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from app.core import timing
from app.core.errors import Code, Moved, UploadError
from app.core.upload import require_open

if TYPE_CHECKING:
    from types import TracebackType

    from app.core.ports import Locks, Records
    from app.core.upload import Upload


class Writing:
    """Holds the lock of an upload; `tick` keeps it, and ends the write when the upload was closed meanwhile.

    Raises UploadError(LOCKED) on entering while another request writes.
    """

    def __init__(self, records: Records, locks: Locks, up: Upload) -> None:
        self._records, self._locks, self._up = records, locks, up
        self._token = ""
        self._renew_at = 0.0

    def __enter__(self) -> Self:
        token = self._locks.acquire(self._up.ref)
        if token is None:
            raise UploadError(Code.LOCKED)
        self._token, self._renew_at = token, time.monotonic() + timing.HEARTBEAT
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._locks.release(self._up.ref, self._token)

    def tick(self, _offset: int) -> None:
        """Raise Moved when the upload takes no more bytes, UploadError(LOCKED) when the lock was lost."""
        current = self._records.get(self._up.ref)
        if current is None:
            raise Moved(Code.GONE, what="upload")
        require_open(current, self._records.now())
        if time.monotonic() >= self._renew_at:
            self._renew()

    def _renew(self) -> None:
        if not self._locks.renew(self._up.ref, self._token):
            raise UploadError(Code.LOCKED)
        self._renew_at = time.monotonic() + timing.HEARTBEAT

"""One writer at a time: the lock of an upload while its bytes flow."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from app.core import timing
from app.core.errors import Code, Fault, Moved, UploadError
from app.core.upload import require_open

if TYPE_CHECKING:
    from types import TracebackType

    from app.core.ports import Locks, Records
    from app.core.upload import Upload

log = logging.getLogger(__name__)


class Writing:
    """Holds the lock of an upload, or of one of its parts; `tick` keeps it, and ends the write when the upload was closed meanwhile.

    `up` is the upload as it stands once the lock is held: what was read before may be a predecessor's.
    Raises UploadError(LOCKED) on entering while another request writes, Moved when the upload takes no more bytes.
    """

    def __init__(self, records: Records, locks: Locks, up: Upload, part: int | None = None) -> None:
        self._records, self._locks, self.up = records, locks, up
        self._ref = up.ref if part is None else replace(up.parts_ref, id=f"{up.id}:{part}")
        self._token = ""
        self._renew_at = 0.0

    def __enter__(self) -> Self:
        token = self._locks.acquire(self._ref)
        if token is None:
            raise UploadError(Code.LOCKED)
        self._token, self._renew_at = token, time.monotonic() + timing.HEARTBEAT
        try:
            self.up = self._look()
        except BaseException:
            self._locks.release(self._ref, token)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._locks.release(self._ref, self._token)
        except Fault:
            log.warning("lock not released, it will run out", extra={"upload": self.up.id})

    def tick(self, _offset: int) -> None:
        """Raise Moved when the upload takes no more bytes, UploadError(LOCKED) when the lock was lost."""
        self._look()
        if time.monotonic() >= self._renew_at:
            self.renew()

    def renew(self) -> None:
        """Keep the lock. Raises UploadError(LOCKED) when it was lost."""
        if not self._locks.renew(self._ref, self._token):
            raise UploadError(Code.LOCKED)
        self._renew_at = time.monotonic() + timing.HEARTBEAT

    def _look(self) -> Upload:
        current: Upload | None = self._records.get(self.up.ref)
        if current is None:
            raise Moved(Code.GONE, what="upload")
        require_open(current, self._records.now())
        return current

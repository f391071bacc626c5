"""A body that comes as one stream, whole or in runs: received up to the limit, verified, kept as far as it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.core import upload
from app.core.errors import ClientGone, Code, Moved, UploadError
from app.core.parts import Parts
from app.core.ports import Body, Change, Locks, Records, Store, Written
from app.core.upload import State, Upload
from app.core.writing import Writing

Verify = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Streams:
    """Moves a body into staging. Holds no state of its own."""

    records: Records
    store: Store
    locks: Locks

    def receive(self, up: Upload, body: Body, offset: int, verify: Verify | None) -> Written:
        """Read the body to its end. `verify` raises when the message has not the digest that it should.

        Raises UploadError (TOO_LARGE, EMPTY, DIGEST_MISMATCH, LOCKED: nothing of this body is kept), Moved when the upload was closed,
        ClientGone when the sender left; what came is then kept, unless it was to be verified.
        """
        limit = up.policy.max_bytes if up.length is None else up.length
        if body.length is not None and offset + body.length > limit:
            raise UploadError(Code.TOO_LARGE, limit=limit, size=offset + body.length)
        with Writing(self.records, self.locks, up) as writing:
            try:
                return self._write(self._mark(up) if verify else up, body, offset, verify, limit, writing)
            except Moved:
                raise
            except UploadError:
                self._forget(up, offset)
                raise

    def _write(self, up: Upload, body: Body, offset: int, verify: Verify | None, limit: int, writing: Writing) -> Written:
        written = self.store.write(up.staged, offset, up.part_size, body, limit - offset + 1, writing.tick)
        if written.offset > limit:
            raise UploadError(Code.TOO_LARGE, limit=limit)
        if written.gone:
            self._cut(up, written, offset, verified=verify is None)
        if written.offset == 0:
            raise UploadError(Code.EMPTY)
        if verify:
            verify()
        return written

    def _cut(self, up: Upload, written: Written, offset: int, *, verified: bool) -> None:
        if verified:
            self.keep(up, written)
        else:
            self._forget(up, offset)
        raise ClientGone

    def keep(self, up: Upload, written: Written) -> Upload:
        """Record what a stream left: the offset, and the parts that the store made of it."""

        def step(current: Upload | None, held: Parts | None) -> Change:
            now = self.records.now()
            new = upload.append(still_open(current, now), written.offset, written.staged, now)
            return Change(put=(new, *with_parts(up, held, written)))

        return _upload(self.records.commit([up.ref, up.parts_ref], step))

    def reach(self, up: Upload) -> int:
        """The offset up to which a stream is kept, also when the process that wrote it died."""
        if up.verifying or up.planned or up.state is not State.OPEN:
            return up.offset
        return self.store.extent(up.staged, up.offset)

    def _mark(self, up: Upload) -> Upload:
        """Bytes that await their digest do not count, should this process die."""

        def step(current: Upload | None) -> Change:
            return Change(put=(upload.changed(still_open(current, self.records.now()), verifying=True),))

        return _upload(self.records.commit([up.ref], step))

    def _forget(self, up: Upload, offset: int) -> None:
        reach = min(offset, up.offset)
        staged = self.store.truncate(up.staged, reach)

        def step(current: Upload | None) -> Change:
            if current is None or current.state is not State.OPEN:
                return Change()
            return Change(put=(upload.changed(current, staged=staged, offset=reach, verifying=False),))

        self.records.commit([up.ref], step)


def still_open(current: Upload | None, now: float) -> Upload:
    """The upload, if it is there and takes bytes. Raises Moved."""
    if current is None:
        raise Moved(Code.GONE, what="upload")
    upload.require_open(current, now)
    return current


def with_parts(up: Upload, held: Parts | None, written: Written) -> tuple[Parts, ...]:
    """The part table with what a stream added; nothing when it added none."""
    if not written.parts:
        return ()
    table = held or Parts(up.tenant, up.id)
    return (replace(table, held={**table.held, **{p.number: p for p in written.parts}}, version=table.version + 1),)


def _upload(change: Change) -> Upload:
    return next(entity for entity in change.put if isinstance(entity, Upload))

"""A body that comes as one stream, whole or in runs: received up to the limit, verified, kept as far as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from app.core import upload
from app.core.errors import ClientGone, Code, Fault, Moved, UploadError
from app.core.metering import metered
from app.core.parts import Parts
from app.core.ports import Body, Change, Locks, Records, Store, Written
from app.core.upload import Staged, State, Upload, still_open
from app.core.writing import Writing

Verify = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Streams:
    """Moves a body into staging. Holds no state of its own.

    Everything happens under the upload's lock: reading where it stands, writing, and the commit of what was kept. The commit compares the
    version that was read under the lock, so that a writer who lost the lock without noticing changes nothing any more.
    """

    records: Records
    store: Store
    locks: Locks

    @contextmanager
    def receiving(self, up: Upload, body: Body, offset: int, verify: Verify | None) -> Iterator[tuple[Upload, Written]]:
        """Read the body to its end; inside, the lock is still held, for the commit: the upload to be committed over, and what was written.

        `offset`: where the last bytes ended, or 0 to begin again. `verify` raises when the message has not the digest that it should.
        Raises UploadError (TOO_LARGE, QUOTA_EXCEEDED, EMPTY, DIGEST_MISMATCH, OFFSET_MISMATCH, LOCKED: nothing of this body is kept), Moved when the upload
        was closed, ClientGone when the sender left; what came is then kept, unless it was to be verified.
        """
        with Writing(self.records, self.locks, up) as writing, self._nothing_late(up):
            current = self._begin(writing.up, body, offset, verify)
            try:
                written = self._write(current, body, offset, verify, writing)
            except Moved:
                raise
            except UploadError as refusal:
                if refusal.code is not Code.LOCKED:
                    self._forget(current, offset)
                raise
            writing.renew()
            try:
                yield current, written
            except UploadError as refusal:
                if refusal.code is Code.QUOTA_EXCEEDED:
                    self._forget(current, offset)
                raise

    @contextmanager
    def _nothing_late(self, up: Upload) -> Iterator[None]:
        """Who ended the upload while this body came has freed what he found; what was written after that goes here, not with the orphans."""
        try:
            yield
        except Moved:
            with suppress(Fault):
                ended: Upload | None = self.records.get(up.ref)
                if ended is not None and ended.doomed_at is not None:
                    self.store.discard(ended.staged)
            raise

    def _begin(self, up: Upload, body: Body, offset: int, verify: Verify | None) -> Upload:
        """The upload as it stands before the first byte, recorded wherever bytes that come would be taken for kept ones."""
        reach = self.reach(up)
        if offset not in {0, reach}:
            raise UploadError(Code.OFFSET_MISMATCH, offset=reach)
        if body.length is not None and offset + body.length > limit_of(up):
            raise UploadError(Code.TOO_LARGE, limit=limit_of(up), size=offset + body.length)
        if verify is None and offset == up.offset:
            return up
        if offset == reach:
            return self._replace(up, offset=offset, verifying=verify is not None)
        again = self._replace(up, offset=0, verifying=verify is not None, staged=Staged(up.staged.key) if not up.planned else up.staged)
        self.store.truncate(up.staged, 0)
        return again

    def _write(self, up: Upload, body: Body, offset: int, verify: Verify | None, writing: Writing) -> Written:
        limit = limit_of(up)
        tick = metered(self.records, up, writing.tick)
        written = self.store.write(up.staged, offset, up.part_size, body, limit - offset + 1, tick)
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
        """Record what a stream left, under the lock: the offset, and the parts that the store made of it. Raises Moved, UploadError(LOCKED)."""

        def step(current: Upload | None, held: Parts | None) -> Change:
            now = self.records.now()
            new = upload.append(unchanged(current, up, now), written.offset, written.staged, now)
            return Change(put=(new, *with_parts(up, held, written)), charge=True)

        return _upload(self.records.commit([up.ref, up.parts_ref], step))

    def declare(self, up: Upload, length: int | None, digest: str | None = None) -> Upload:
        """The length of a stream becomes known, or the digest of the whole, `sha256:{hex}`, which a worker compares; None: not yet.

        Raises UploadError(TOO_LARGE), BAD_REQUEST when another length was declared, DIGEST_MISMATCH when another digest was, Moved.
        """
        if length in {None, up.length} and digest in {None, up.digest}:
            return up
        if length is not None and length > up.policy.max_bytes:
            raise UploadError(Code.TOO_LARGE, limit=up.policy.max_bytes, size=length)

        def step(current: Upload | None) -> Change:
            found = still_open(current, self.records.now())
            if length is not None and found.length not in {None, length}:
                raise UploadError(Code.BAD_REQUEST, reason=f"the upload has {found.length} bytes, not {length}")
            if digest is not None and found.digest not in {None, digest}:
                raise UploadError(Code.DIGEST_MISMATCH)
            known = upload.changed(found, length=length or found.length, digest=digest or found.digest)
            return Change(put=(known,), charge=True)

        return _upload(self.records.commit([up.ref], step))

    def reach(self, up: Upload) -> int:
        """The offset up to which a stream is kept, also when the process that wrote it died."""
        if up.verifying or up.planned or up.state is not State.OPEN:
            return up.offset
        return self.store.extent(up.staged, up.offset)

    def _replace(self, up: Upload, **changes: Any) -> Upload:
        def step(current: Upload | None) -> Change:
            return Change(put=(upload.changed(unchanged(current, up, self.records.now()), **changes),))

        return _upload(self.records.commit([up.ref], step))

    def _forget(self, up: Upload, offset: int) -> None:
        """What a refused body left goes, if nobody else took over: first the record, then the bytes."""
        with suppress(UploadError):
            kept = self._replace(up, offset=offset, verifying=False)
            self.store.truncate(kept.staged, offset)


def limit_of(up: Upload) -> int:
    """How many bytes the upload may have: as many as were announced, or as its policy takes."""
    return up.policy.max_bytes if up.length is None else up.length


def unchanged(current: Upload | None, up: Upload, now: float) -> Upload:
    """The upload, if it takes bytes and stands as it was read under the lock. Raises Moved, UploadError(LOCKED)."""
    if still_open(current, now).version != up.version:
        raise UploadError(Code.LOCKED)
    return up


def with_parts(up: Upload, held: Parts | None, written: Written) -> tuple[Parts, ...]:
    """The part table with what a stream added; nothing when it added none."""
    if not written.parts:
        return ()
    table = held or Parts(up.tenant, up.id)
    return (replace(table, held={**table.held, **{p.number: p for p in written.parts}}, version=table.version + 1),)


def _upload(change: Change) -> Upload:
    return next(entity for entity in change.put if isinstance(entity, Upload))

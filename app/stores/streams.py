"""A stream into S3: full parts into a multipart upload, what is left below a part into an immutable piece.

::

    body ──► spool (an unlinked file, one part) ──► full: UploadPart(number), joined with the pieces that lie in it
                                                └─► not full when the body ends: PutObject of a new piece, `…tail-{offset}-{token}`

Nothing that a record refers to is ever overwritten: a piece has a name of its own, a part is known by its etag. So any process can
continue a stream, and one that lost its lock disturbs nobody. A body below one part is one PutObject and never opens a multipart upload.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass

from app.core.errors import Code, Fault, UploadError
from app.core.parts import Slot
from app.core.ports import Body, Tick, Written
from app.core.upload import Staged
from app.stores.assembly import check_run
from app.stores.carrier import Carrier
from app.stores.intake import Intake, Ticker
from app.stores.link import Link
from app.stores.multipart import abort
from app.stores.objects import remove
from app.stores.spool import Spool
from app.stores.sums import Running, known

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Streams:
    """Writes streams into one bucket."""

    link: Link
    spool: Spool
    sums: bool

    def write(self, staged: Staged, offset: int, part_size: int, body: Body, limit: int, tick: Tick) -> Written:
        """As the port says. What an earlier beginning left goes only when the new one is kept."""
        ticker = Ticker(tick)
        ticker.now(offset)
        before = staged if offset else Staged(staged.key)
        _check(before, offset, part_size)
        intake = Intake(body, ticker, Running(known(before, offset) if self.sums else None))
        with Carrier(self.link, before, ticker) as carrier:
            end = self._run(carrier, intake, offset, part_size, offset + limit)
            carrier.rest(end)
            kept = Staged(staged.key, session=carrier.session, pieces=carrier.pieces, sum=intake.running.sum)
        if offset == 0:
            self._replace(staged)
        return Written(end, kept, tuple(carrier.parts), gone=intake.gone)

    def _run(self, carrier: Carrier, intake: Intake, position: int, part_size: int, end: int) -> int:
        while position < end and not intake.ended:
            start = position - position % part_size
            slot = Slot(start // part_size + 1, start, part_size)
            position += self._fill(carrier, intake, position, slot, min(start + part_size, end) - position)
        return position

    def _fill(self, carrier: Carrier, intake: Intake, position: int, slot: Slot, limit: int) -> int:
        """Spool at most `limit` bytes, to the end of the part that `position` lies in, and hand them on. Returns how many came."""
        at = position - slot.offset
        with ExitStack() as mine, self.spool.faults():
            spool = mine.enter_context(self.spool.open())
            size = intake.fill(spool.fileno(), at, limit, position)
            if at + size == slot.size:
                carrier.part(spool, slot)
                mine.pop_all()
            elif size:
                carrier.tail(spool, at, position, size)
                mine.pop_all()
        return size

    def _replace(self, staged: Staged) -> None:
        """Free what began again. What cannot be freed now goes when the upload is discarded."""
        try:
            if staged.session:
                abort(self.link, staged.key, staged.session)
            remove(self.link, [piece.key for piece in staged.pieces])
        except Fault as down:
            log.warning("an earlier beginning was not freed", extra={"key": staged.key, "reason": str(down)})


def _check(staged: Staged, offset: int, part_size: int) -> None:
    """Raise UploadError(GONE) unless what lies before `offset` is there to be continued."""
    if offset >= part_size and staged.session is None:
        raise UploadError(Code.GONE, what="upload")
    check_run(staged.pieces, offset - offset % part_size, offset)

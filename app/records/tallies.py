"""What tenants take up: a counter moved in the MULTI that writes the records, by what those weighed before and weigh now.

So it is as exact as the records are, and nobody watches it: two uploads of one tenant do not stand in each other's way. Who is to be
charged brings his whole change to Redis in a script that looks at the counter first (`scripts.CHARGE`).
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from app.core.errors import Code, Unreadable, UploadError
from app.core.refs import Kind
from app.core.tally import NONE, Limits, Standing, Tally, weight
from app.records import codec, keys, scripts
from app.records.link import faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.core.ports import Change, Entity
    from app.core.refs import Ref
    from app.records.link import Command, Link

log = logging.getLogger(__name__)

WEIGHED = (Kind.UPLOAD, Kind.BLOB)
WALK = 500  # keys at a time
TRIES = 5
WORDS = 2000  # of one command in a script; even, so that a field stays with its value


class RedisTallies:
    """The port Tallies. `limits`: of every tenant that has none of its own."""

    def __init__(self, link: Link, limits: Limits) -> None:
        self._link, self.limits = link, limits

    def standing(self, tenant: str) -> Standing:
        """What it takes up and may; never less than nothing, should counters have been lost."""
        tally, own = self._link.ask(("HMGET", keys.tally(tenant), "rest", "flight", "uploads"), asked(tenant))
        return Standing(Tally(*(max(0, int(count or 0)) for count in tally)), told(own, self.limits))

    def allow(self, tenant: str, limit: str, most: int | None) -> None:
        """Set or forget one of its own limits."""
        key = keys.allowed(tenant)
        self._link.one(*(("HDEL", key, limit) if most is None else ("HSET", key, limit, most)))

    def recount(self) -> list[str]:
        """A walk over all records; what moved meanwhile is walked over again."""
        with faults():
            busy = self._walk(None)
            for _ in range(TRIES - 1):
                busy = busy and self._walk(busy)
        return sorted(busy)

    def _walk(self, only: set[str] | None) -> set[str]:
        """The tenants, of those asked for, whose tally moved during the walk."""
        turns = self._turns()
        counted = self._count()
        tenants = turns.keys() | counted.keys()
        return {t for t in (tenants if only is None else tenants & only) if not self._settle(t, turns.get(t, "0"), counted[t])}

    def _turns(self) -> dict[str, str]:
        found = list(self._link.client.scan_iter("tally:*", count=WALK))
        turns = self._link.ask(*(("HGET", key, "turn") for key in found)) if found else []
        return {keys.tallied(key): turn or "0" for key, turn in zip(found, turns, strict=True)}

    def _count(self) -> dict[str, Tally]:
        """A name that comes twice counts once."""
        counted: dict[str, Tally] = defaultdict(Tally)
        for ref, found in {ref: weight(entity) for ref, entity in self._records()}.items():
            counted[ref.tenant] += found
        return counted

    def _records(self) -> Iterator[tuple[Ref, Entity | None]]:
        for kind in WEIGHED:
            batch: list[Ref] = []
            for key in self._link.client.scan_iter(f"{kind.value}:*", count=WALK):
                batch.append(keys.ref_of(key))
                if len(batch) == WALK:
                    yield from self._read(batch)
                    batch = []
            yield from self._read(batch)

    def _read(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Entity | None]]:
        answers = self._link.ask(*(("HGETALL", keys.record(ref)) for ref in refs)) if refs else []
        for ref, answer in zip(refs, answers, strict=True):
            try:
                yield ref, codec.decode(ref, codec.pairs(answer))
            except Unreadable as unread:
                log.warning("not counted", extra={"ref": ref.id, "reason": str(unread)})

    def _settle(self, tenant: str, turn: str, counted: Tally) -> bool:
        numbers = (counted.rest, counted.flight, counted.uploads)
        return bool(self._link.one("EVAL", scripts.RECOUNTED, 1, keys.tally(tenant), turn, *numbers))


# ---------------------------------------------------------------- in a commit


def asked(tenant: str) -> Command:
    """What reads a tenant's own limits; `told` takes the answer."""
    return ("HMGET", keys.allowed(tenant), "bytes", "uploads")


def told(answer: Sequence[Any], of_all: Limits) -> Limits:
    """Its own limits, each in the place of everybody's."""
    bytes_, uploads = answer
    return Limits(of_all.bytes if bytes_ is None else int(bytes_), of_all.uploads if uploads is None else int(uploads))


def moved(change: Change, found: Mapping[Ref, Entity | None]) -> dict[str, Tally]:
    """How much each tenant takes up more once the change is written."""
    after: dict[Ref, Entity | None] = {**{entity.ref: entity for entity in change.put}, **dict.fromkeys(change.drop)}
    more: dict[str, Tally] = defaultdict(Tally)
    for ref, entity in after.items():
        more[ref.tenant] += weight(entity) - weight(found.get(ref))
    return {tenant: by for tenant, by in more.items() if by != NONE}


def commands(more: Mapping[str, Tally]) -> list[Command]:
    """What moves the counters."""
    return [
        ("HINCRBY", keys.tally(tenant), name, by)
        for tenant, tally in more.items()
        for name, by in (("rest", tally.rest), ("flight", tally.flight), ("uploads", tally.uploads), ("turn", 1))
        if by
    ]


def charge(tenant: str, limits: Limits, more: Tally, written: Sequence[Command]) -> Command:
    """The commands of a change as one, which `require_charged` judges by its answer."""
    texts = [[word if isinstance(word, str) else repr(word) for word in command] for long in written for command in _short(long)]
    return ("EVAL", scripts.CHARGE, 1, keys.tally(tenant), limits.bytes, limits.uploads, more.bytes, more.uploads, json.dumps(texts))


def _short(command: Command) -> Iterator[Command]:
    """A long HSET as several: Lua hands a function no more than some thousand words."""
    if command[0] != "HSET" or len(command) <= WORDS:
        yield command
        return
    for start in range(2, len(command), WORDS):
        yield (*command[:2], *command[start : start + WORDS])


def require_charged(answer: Sequence[Any], limits: Limits) -> None:
    """Raise UploadError(QUOTA_EXCEEDED) when nothing was written, because it would have been too much."""
    if answer:
        name, used = answer
        raise UploadError(Code.QUOTA_EXCEEDED, quota=name, used=int(used), limit=getattr(limits, name))

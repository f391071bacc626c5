"""The port Records: WATCH, a pure step, one MULTI.

A commit is two round trips on one connection: WATCH with every read, then MULTI to EXEC. A lost race begins again, a bounded number of times.
When the answer to EXEC does not come, the outcome is unknown: RecordsDown, and nothing is repeated.
"""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from redis.exceptions import OutOfMemoryError

from app.core.errors import RecordsDown, Unreadable
from app.core.ports import NOTHING, Change
from app.core.refs import Kind, Place, Ref
from app.core.upload import Upload
from app.records import changes, clock, codec, keys, scripts, tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.core.parts import Part, Parts
    from app.core.refs import Index, Shelf
    from app.core.tally import Standing
    from app.records.changes import Loaded
    from app.records.link import Command, Link, Wire
    from app.records.tallies import RedisTallies

log = logging.getLogger(__name__)

ATTEMPTS = 40  # a race is lost only to somebody who won it, so the house moves on; this bounds the unlucky
PAUSE = 0.002  # seconds, at most, after the first lost race, doubling …
PAUSE_MOST = 0.05  # … up to this

Won = TypeVar("Won")


class RedisRecords:
    """The database of record in flight."""

    def __init__(self, link: Link, one_clock: clock.Clock, tallied: RedisTallies) -> None:
        self._link, self._clock, self._tallies = link, one_clock, tallied

    def now(self) -> float:
        """The one clock."""
        return self._clock.now()

    def ping(self) -> None:
        """Raise RecordsDown unless Redis answers."""
        self._link.one("PING")

    def memory(self) -> float | None:
        """Of maxmemory; without one nothing is known of a bound."""
        told = dict(line.split(":", 1) for line in str(self._link.one("INFO", "memory")).splitlines() if ":" in line)
        most = int(told.get("maxmemory", 0))
        return int(told["used_memory"]) / most if most else None

    # ------------------------------------------------------------ reading

    def get(self, ref: Ref) -> Any:
        """The entity, or None; a part table is always there, perhaps empty."""
        answers = self._link.ask(*changes.questions([ref]))
        return changes.loaded([ref], answers, 0.0).found[ref]

    def part(self, ref: Ref, number: int) -> Parts:
        """A part table with this one part in it, or none."""
        text = self._link.one("HGET", keys.record(ref), number)
        return cast("Parts", codec.decode(ref, {} if text is None else {str(number): text}))

    def many(self, refs: Sequence[Ref]) -> list[Any]:
        """The entities in the order of their refs, None for one that is not there or cannot be read."""
        if not refs:
            return []
        found: list[Any] = []
        answers = iter(self._link.ask(*changes.questions(refs)))
        for ref in refs:
            own = [next(answers) for _ in changes.questions([ref])]
            try:
                found.append(changes.loaded([ref], own, 0.0).found[ref])
            except Unreadable as unread:
                log.warning("left out of a list", extra={"ref": ref.id, "reason": str(unread)})
                found.append(None)
        return found

    def shelf(self, shelf: Shelf, start: int, limit: int, *, newest: bool) -> list[Ref]:
        """Members of a list, from the `start`-th on."""
        command = "ZREVRANGE" if newest else "ZRANGE"
        return [keys.ref_of(name) for name in self._link.one(command, keys.shelf(shelf), start, start + limit - 1)] if limit > 0 else []

    def shelves_after(self, shelves: Sequence[Shelf], after: Place | None, limit: int) -> list[Place]:
        """Members of some lists together, newest first."""
        if not shelves or limit <= 0:
            return []
        made, name = keys.place(after) if after else (float("inf"), "")
        lists = [keys.shelf(shelf) for shelf in shelves]
        answers = self._link.one("EVAL", scripts.AFTER, len(lists), *lists, repr(made), name, limit)
        found = {(float(score), name) for answer in answers for name, score in codec.pairs(answer).items()}
        return [Place(score, keys.ref_of(name)) for score, name in sorted(found, reverse=True)[:limit]]

    def shelved(self, shelf: Shelf) -> int:
        """How many members a list has."""
        return int(self._link.one("ZCARD", keys.shelf(shelf)))

    def gone(self, ref: Ref) -> bool:
        """Whether a tombstone of this ref stands."""
        return bool(self._link.one("EXISTS", keys.tombstone(ref)))

    def standing(self, tenant: str) -> Standing:
        """What it takes up, and what it may."""
        return self._tallies.standing(tenant)

    # ------------------------------------------------------------ writing

    def commit(self, refs: Sequence[Ref], step: Callable[..., Change]) -> Change:
        """Write what `step` makes of the records, if nobody wrote them meanwhile; else read and step again."""

        def once(wire: Wire) -> Change | None:
            seen = self._load(wire, refs)
            change = step(*(seen.found[ref] for ref in refs))
            return change if change == NOTHING or _write(wire, change, seen) else None

        return self._until_won(once)

    def record_part(self, ref: Ref, part: Part, step: Callable[[Upload | None], None]) -> None:
        """HSET while the upload is watched; two parts write different fields, so they do not conflict."""
        table = keys.record(Ref(Kind.PARTS, ref.tenant, ref.id))
        self._while_watched(ref, step, ("HSET", table, part.number, codec.dumps(part)))

    def drop_part(self, ref: Ref, number: int, step: Callable[[Upload | None], None]) -> None:
        """HDEL while the upload is watched."""
        table = keys.record(Ref(Kind.PARTS, ref.tenant, ref.id))
        self._while_watched(ref, step, ("HDEL", table, number))

    def _while_watched(self, ref: Ref, step: Callable[[Upload | None], None], command: Command) -> None:
        upload = Ref(Kind.UPLOAD, ref.tenant, ref.id)

        def once(wire: Wire) -> bool | None:
            found = self._load(wire, [upload]).found[upload]
            step(found if isinstance(found, Upload) else None)
            return wire.execute([command]) or None

        self._until_won(once)

    def _load(self, wire: Wire, refs: Sequence[Ref]) -> Loaded:
        time_commands = self._clock.commands
        asked = [tallies.asked(refs[0].tenant)] if any(ref.kind in tallies.WEIGHED for ref in refs) else []
        answers = wire.ask([*time_commands, *asked, *changes.questions(refs)], watch=changes.watched(refs))
        now, rest = clock.read(answers[: len(time_commands)]), answers[len(time_commands) :]
        limits = tallies.told(rest[0], self._tallies.limits) if asked else self._tallies.limits
        return replace(changes.loaded(refs, rest[len(asked) :], now), limits=limits)

    def _until_won(self, once: Callable[[Wire], Won | None]) -> Won:
        for attempt in range(ATTEMPTS):
            with self._link.wire() as wire:
                won = once(wire)
            if won is not None:
                return won
            time.sleep(random.uniform(0, min(PAUSE * 2**attempt, PAUSE_MOST)))
        raise RecordsDown("contention")

    # ------------------------------------------------------------ indexes

    def due(self, index: Index, until: float, limit: int) -> list[tuple[Ref, float]]:
        """The refs whose time is not after `until`, earliest first."""
        answer = self._link.one("ZRANGEBYSCORE", index.value, "-inf", until, "WITHSCORES", "LIMIT", 0, limit)
        return [(keys.ref_of(name), float(score)) for name, score in zip(answer[::2], answer[1::2], strict=True)]

    def count(self, index: Index) -> int:
        """How many refs an index holds."""
        return int(self._link.one("ZCARD", index.value))

    def settle_index(self, index: Index, refs: Iterable[tuple[Ref, float]]) -> None:
        """Take refs off, each only if its time is still the one given."""
        given = [text for ref, due in refs for text in (keys.member(ref), repr(float(due)))]
        if given:
            self._link.one("EVAL", scripts.SETTLE, 1, index.value, *given)


def _write(wire: Wire, change: Change, seen: Loaded) -> bool:
    """Whether the change stands; False when a race was lost."""
    changes.require_sound(change, seen)
    commands = changes.commands(change, seen)
    try:
        return _charged(wire, change, seen, commands) if change.charge else wire.execute(commands)
    except OutOfMemoryError:
        if not changes.only_frees(change):
            raise
        checks = [[question, _as_lua_says(answer)] for question, answer in seen.checks]
        return bool(wire.ask([("EVAL", scripts.FREE, 0, json.dumps(checks), json.dumps(commands))])[0])


def _charged(wire: Wire, change: Change, seen: Loaded, commands: list[Command]) -> bool:
    """As far as the tenant's limits go. Raises UploadError(QUOTA_EXCEEDED)."""
    for tenant, more in tallies.moved(change, seen.found).items():  # of one tenant: a commit is over one tenant's records
        if (seen.limits.bytes and more.bytes > 0) or (seen.limits.uploads and more.uploads > 0):
            outcome = wire.outcome([tallies.charge(tenant, seen.limits, more, commands)])
            if outcome is not None:
                tallies.require_charged(outcome[0], seen.limits)
            return outcome is not None
    return wire.execute(commands)


def _as_lua_says(answer: str | int | None) -> str:
    return "false" if answer is None else str(answer)

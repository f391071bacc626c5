"""A change as Redis commands, and what it may do: pure, so that it reads as a table.

What was loaded guards what is written: nothing is put, dropped, held or released that the commit did not name, and a record that is put
must be newer than the one that was loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core import timing
from app.core.operation import Operation
from app.core.parts import Parts
from app.core.ports import Entity
from app.core.refs import Index, Kind, Ref
from app.core.tally import UNLIMITED, Limits
from app.records import codec, keys, tallies
from app.records.indexes import OF_KIND, memberships
from app.records.link import Command
from app.records.shelves import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.ports import Change


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a commit found: the entities by their refs, the time, the questions whose answers say that nothing changed since, and its tenant's limits."""

    found: Mapping[Ref, Entity | None]
    now: float
    checks: tuple[tuple[Command, Any], ...]
    limits: Limits = UNLIMITED


# ---------------------------------------------------------------- reading


def watched(refs: Sequence[Ref]) -> list[str]:
    """The keys that a commit over `refs` watches: of a blob also who holds it."""
    return [key for ref in refs for key in _keys(ref)]


def questions(refs: Sequence[Ref]) -> list[Command]:
    """What reads the records; `loaded` takes the answers."""
    return [command for ref in refs for command in _questions(ref)]


def loaded(refs: Sequence[Ref], answers: Sequence[Any], now: float) -> Loaded:
    """The records out of the answers to `questions`."""
    found: dict[Ref, Entity | None] = {}
    checks: list[tuple[Command, Any]] = []
    rest = iter(answers)
    for ref in refs:
        fields = codec.pairs(next(rest))
        holders = next(rest) if ref.kind is Kind.BLOB else 0
        found[ref] = codec.decode(ref, fields, holders)
        checks += _checks(ref, fields, holders)
    return Loaded(found, now, tuple(checks))


def _keys(ref: Ref) -> tuple[str, ...]:
    return (keys.record(ref), keys.holders(ref)) if ref.kind is Kind.BLOB else (keys.record(ref),)


def _questions(ref: Ref) -> tuple[Command, ...]:
    record: Command = ("HGETALL", keys.record(ref))
    return (record, ("SCARD", keys.holders(ref))) if ref.kind is Kind.BLOB else (record,)


def _checks(ref: Ref, fields: Mapping[str, str], holders: int) -> list[tuple[Command, Any]]:
    """Every record counts its versions; a part table has none, so its parts are counted."""
    if ref.kind is Kind.PARTS:
        return [(("HLEN", keys.record(ref)), len(fields))]
    version: tuple[Command, Any] = (("HGET", keys.record(ref), "version"), fields.get("version"))
    return [version, (("SCARD", keys.holders(ref)), holders)] if ref.kind is Kind.BLOB else [version]


# ---------------------------------------------------------------- judging


def require_sound(change: Change, seen: Loaded) -> None:
    """Raise ValueError for a change that a step must never make: it is a fault of the code, whatever the records hold."""
    touched = [*(entity.ref for entity in change.put), *change.drop, *(ref for ref, _ in (*change.hold, *change.release))]
    if strange := [ref for ref in touched if ref not in seen.found]:
        raise ValueError(f"written, but not named in the commit: {strange}")
    for entity in change.put:
        before = seen.found[entity.ref]
        if before is not None and not isinstance(entity, Parts) and entity.version <= before.version:
            raise ValueError(f"put with version {entity.version}, while {entity.ref} stands at {before.version}")


def only_frees(change: Change) -> bool:
    """Whether the change needs no memory, so that a full Redis can still make it."""
    return not (change.put or change.hold or change.manifest)


# ---------------------------------------------------------------- writing


def commands(change: Change, seen: Loaded) -> list[Command]:
    """What writes the change over what was seen, for one MULTI."""
    now = seen.now
    return [
        *(command for entity in change.put for command in _put(entity, seen.found.get(entity.ref))),
        *(command for ref in change.drop for command in _drop(ref, seen.found.get(ref))),
        *(("SADD", keys.holders(blob), holder) for blob, holder in change.hold),
        *(("SREM", keys.holders(blob), holder) for blob, holder in change.release),
        *(("SET", keys.tombstone(ref), 1, "EX", timing.TOMBSTONE) for ref in change.bury),
        *(("ZADD", Index.MANIFEST.value, now, keys.member(ref)) for ref in (*change.manifest, *_described(change))),
        *tallies.commands(tallies.moved(change, seen.found)),  # last: a full Redis takes them once something was freed
        *(("PUBLISH", keys.CHANGED, keys.member(entity.ref)) for entity in change.put if isinstance(entity, Operation)),
    ]


def _described(change: Change) -> list[Ref]:
    """What is described in the store whenever it is written; an asset's change says itself whether it matters there."""
    return [entity.ref for entity in change.put if entity.ref.kind in {Kind.FOLDER, Kind.DOCUMENT}]


def _put(entity: Entity, before: Entity | None) -> list[Command]:
    key, name = keys.record(entity.ref), keys.member(entity.ref)
    fields = codec.flat(codec.encode(entity))
    due = memberships(entity)
    stale = sorted(OF_KIND[entity.ref.kind] - due.keys())
    return [
        ("DEL", key),
        *([("HSET", key, *fields)] if fields else []),
        *(("ZREM", index.value, name) for index in stale),
        *(("ZADD", index.value, time, name) for index, time in due.items()),
        *_moved(name, before, entity),
    ]


def _drop(ref: Ref, before: Entity | None) -> list[Command]:
    name = keys.member(ref)
    due = [("ZREM", index.value, name) for index in sorted(OF_KIND[ref.kind])]
    return [("DEL", *_keys(ref)), *due, *_moved(name, before, None)]


def _moved(name: str, before: Entity | None, after: Entity | None) -> list[Command]:
    """From the lists in which it stood to those in which it stands."""
    old, new = standing(before), standing(after)
    left: list[Command] = [("ZREM", keys.shelf(shelf), name) for shelf in old if shelf not in new]
    return [*left, *(("ZADD", keys.shelf(shelf), made, name) for shelf, made in new.items() if old.get(shelf) != made)]

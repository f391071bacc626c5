"""Everything that is Redis: records, locks, signals, the pulse of the queues, the keyring, counted visits, what tenants take up.

It may know: app.core (its entities and ports) and the libraries redis and limits, which nobody else imports.
Every write to a record is one WATCH, one pure step, one MULTI; every fault of Redis leaves this room as RecordsDown.
It must never: repeat a command whose outcome is unknown, decide what a state means, or know a store, a queue or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.credentials import Keyring
from app.core.ports import Locks, Pulse, Quota, Records, Replies, Signals, Tallies
from app.core.tally import UNLIMITED, Limits
from app.records.clock import Clock
from app.records.keyring import RedisKeyring
from app.records.link import Link, connect
from app.records.locks import RedisLocks
from app.records.pulse import RedisPulse
from app.records.quota import RedisQuota
from app.records.redis_records import RedisRecords
from app.records.replies import RedisReplies
from app.records.signals import RedisSignals
from app.records.tallies import RedisTallies

if TYPE_CHECKING:
    from redis import Redis


__all__ = ["RecordsRoom", "open_records", "records_over"]


@dataclass(frozen=True, slots=True)
class RecordsRoom:
    """What the house gets from Redis, all over one pool of connections. `close` gives the connections of this process back."""

    records: Records
    locks: Locks
    signals: Signals
    pulse: Pulse
    keyring: Keyring
    quota: Quota
    tallies: Tallies
    replies: Replies
    close: Callable[[], None]


def open_records(url: str, clock_key: str | None = None, limits: Limits = UNLIMITED) -> RecordsRoom:
    """The room over `redis://`, `rediss://` or `unix://`; nothing connects before the first call, and every process has its own connections.

    `clock_key`: a Redis key whose value, in seconds, moves the records' clock; only tests name one.
    `limits`: of every tenant that has none of its own.
    """
    return records_over(lambda: connect(url), clock_key, limits)


def records_over(client: Callable[[], Redis], clock_key: str | None = None, limits: Limits = UNLIMITED) -> RecordsRoom:
    """The room over whatever `client` makes, once a process: a real Redis or a fake one that decodes its responses."""
    link = Link(client)
    clock = Clock(link, clock_key)
    signals, tallies = RedisSignals(link), RedisTallies(link, limits)

    def close() -> None:
        signals.close()
        link.close()

    return RecordsRoom(
        records=RedisRecords(link, clock, tallies),
        locks=RedisLocks(link),
        signals=signals,
        pulse=RedisPulse(link),
        keyring=RedisKeyring(link, clock),
        quota=RedisQuota(link),
        tallies=tallies,
        replies=RedisReplies(link),
        close=close,
    )

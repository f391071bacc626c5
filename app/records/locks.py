"""One who does something at a time: a token under a key that expires by itself.

A token begins with the process that has it. A process of this machine that was killed does not keep its locks until they run out: whoever
comes next takes them over, so that an upload goes on as soon as web is back.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from app.core import timing
from app.records import keys, processes, scripts

if TYPE_CHECKING:
    from app.core.refs import Ref
    from app.records.link import Link


class Holds:
    """Keys that one at a time holds, for `life` seconds after each renewal. They run by Redis' own clock, which no test moves."""

    def __init__(self, link: Link, life: float) -> None:
        self._link, self._life = link, int(life * 1000)

    def acquire(self, key: str) -> str | None:
        """A token, or None while somebody else holds the key."""
        token = f"{processes.own() or ''}/{secrets.token_hex(16)}"
        if self._link.one("SET", key, token, "NX", "PX", self._life):
            return token
        return token if self._took_over(key, token) else None

    def _took_over(self, key: str, token: str) -> bool:
        """Whether the holder is no more, and nobody else was quicker."""
        holder: str | None = self._link.one("GET", key)
        if holder is None or not processes.ended(holder.rpartition("/")[0]):
            return False
        return bool(self._link.one("EVAL", scripts.TAKE_OVER, 1, key, holder, token, self._life))

    def renew(self, key: str, token: str) -> bool:
        """Whether the token still held, and now holds on."""
        return bool(self._link.one("EVAL", scripts.RENEW, 1, key, token, self._life))

    def release(self, key: str, token: str) -> None:
        """Let go of what is still ours."""
        self._link.one("EVAL", scripts.RELEASE, 1, key, token)


class RedisLocks:
    """The port Locks: one sequential writer an upload."""

    def __init__(self, link: Link) -> None:
        self._holds = Holds(link, timing.LOCK)

    def acquire(self, ref: Ref) -> str | None:
        """A token, or None while somebody else has the lock."""
        return self._holds.acquire(keys.lock(ref))

    def renew(self, ref: Ref, token: str) -> bool:
        """Whether the token still held, and now holds on."""
        return self._holds.renew(keys.lock(ref), token)

    def release(self, ref: Ref, token: str) -> None:
        """Let go of what is still ours."""
        self._holds.release(keys.lock(ref), token)

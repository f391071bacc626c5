"""One sequential writer an upload: a token under a key that expires by itself.

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

LIFE = int(timing.LOCK * 1000)  # milliseconds


class RedisLocks:
    """The port Locks. Locks run by Redis' own clock, which no test moves."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def acquire(self, ref: Ref) -> str | None:
        """A token, or None while somebody else has the lock."""
        token = f"{processes.own() or ''}/{secrets.token_hex(16)}"
        if self._link.one("SET", keys.lock(ref), token, "NX", "PX", LIFE):
            return token
        return token if self._took_over(ref, token) else None

    def _took_over(self, ref: Ref, token: str) -> bool:
        """Whether the holder is no more, and nobody else was quicker."""
        holder: str | None = self._link.one("GET", keys.lock(ref))
        if holder is None or not processes.ended(holder.rpartition("/")[0]):
            return False
        return bool(self._link.one("EVAL", scripts.TAKE_OVER, 1, keys.lock(ref), holder, token, LIFE))

    def renew(self, ref: Ref, token: str) -> bool:
        """Whether the token still held, and now holds on."""
        return bool(self._link.one("EVAL", scripts.RENEW, 1, keys.lock(ref), token, LIFE))

    def release(self, ref: Ref, token: str) -> None:
        """Let go of what is still ours."""
        self._link.one("EVAL", scripts.RELEASE, 1, keys.lock(ref), token)

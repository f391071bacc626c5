"""One sequential writer an upload: a token under a key that expires by itself."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from app.core import timing
from app.records import keys, scripts

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
        token = secrets.token_hex(16)
        return token if self._link.one("SET", keys.lock(ref), token, "NX", "PX", LIFE) else None

    def renew(self, ref: Ref, token: str) -> bool:
        """Whether the token still held, and now holds on."""
        return bool(self._link.one("EVAL", scripts.RENEW, 1, keys.lock(ref), token, LIFE))

    def release(self, ref: Ref, token: str) -> None:
        """Let go of what is still ours."""
        self._link.one("EVAL", scripts.RELEASE, 1, keys.lock(ref), token)

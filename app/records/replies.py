"""Requests that carry a key: a mark while one runs, which goes by itself, and a day's memory of what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import timing
from app.core.ports import Kept, Turn
from app.records import codec, keys, scripts
from app.records.locks import Holds

if TYPE_CHECKING:
    from app.records.link import Link


class RedisReplies:
    """The port Replies."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._holds = Holds(link, timing.RUNNING)

    def begin(self, name: tuple[str, str, str]) -> Turn | Kept | None:
        """The mark first, then what is known: whoever had the mark before has written all that he will."""
        token = self._holds.acquire(keys.running(*name))
        text = self._link.one("GET", keys.reply(*name))
        kept = None if text is None else codec.loads(Kept, text)
        if token is None:
            return kept
        turn = Turn(name, token, kept)
        if kept is None or kept.reply is None:
            return turn
        self._holds.release(keys.running(*name), token)
        return kept

    def renew(self, turn: Turn) -> bool:
        """Whether the mark is still ours, and now stays on."""
        return self._holds.renew(keys.running(*turn.name), turn.token)

    def note(self, turn: Turn, kept: Kept) -> bool:
        """Whether it is kept."""
        return bool(self._link.one("EVAL", scripts.NOTE, 2, *_keys(turn), turn.token, codec.dumps(kept), timing.REPLIES))

    def end(self, turn: Turn, kept: Kept | None) -> None:
        """Keep or forget, and take the mark away."""
        text = "" if kept is None else codec.dumps(kept)
        self._link.one("EVAL", scripts.END, 2, *_keys(turn), turn.token, text, timing.REPLIES)


def _keys(turn: Turn) -> tuple[str, str]:
    return keys.running(*turn.name), keys.reply(*turn.name)

"""Requests that carry a key, so that sending one again does not do it again: who runs one now, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers in their order, and its text."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a request with a key.

    `head`: what identifies it but for its body. `id`: of what it makes, chosen before it is made. `payload`: the digest of its body, and
    `size`, in bytes: as soon as the body has come, and before anything is made of it. `reply`: as soon as it was answered; None stays
    for an answer that is too long to be kept, and is made anew.
    """

    head: str
    id: str
    payload: str | None = None
    size: int | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to run a request; `kept`: what an earlier run left that did not come to its end. Good for RUNNING seconds after each renewal."""

    name: tuple[str, str, str]
    token: str
    kept: Kept | None


class Replies(Protocol):
    """Remembers requests by name: tenant, owner, and the key that the client chose. What is kept goes after REPLIES seconds by itself."""

    def begin(self, name: tuple[str, str, str]) -> Turn | Kept | None:
        """The turn; or what is known of a request that was answered, or is running (`reply` is None then); None while nothing is known yet."""

    def renew(self, turn: Turn) -> bool:
        """Whether the turn still holds; if so for another RUNNING seconds."""

    def note(self, turn: Turn, kept: Kept) -> bool:
        """Keep this, unless the turn was lost: whether it was not."""

    def end(self, turn: Turn, kept: Kept | None) -> None:
        """Give the turn back and keep this; None forgets the request. Changes nothing when the turn was lost."""

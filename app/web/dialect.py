"""What a dialect is, and what it gets to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from flask import Blueprint, Request, Response, current_app

from app.core.credentials import Session
from app.core.documents import Documents
from app.core.errors import Problem
from app.core.folders import Folders
from app.core.library import Library
from app.core.operation import Operation
from app.core.policy import Policy, Principal, Scope
from app.core.ports import Replies
from app.core.reception import Reception
from app.core.rendering import Rendering
from app.core.signing import Signer
from app.core.tally import Standing
from app.core.waiting import Waiting

EXTENSION = "slipway"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One published upload API, in one file or package.

    `mounts`: the path prefixes that are its own, each like `/wdesk`; its blueprint is registered under every one.
    `authenticate`: who speaks; raises UploadError(UNAUTHENTICATED). `render`: a refusal in the vendor's own form.
    `monitor`: the path, below the public base, at which an operation is polled by this vendor's clients.
    `document`: its OpenAPI document for a public base, where it has one.
    """

    name: str
    mounts: tuple[str, ...]
    blueprint: Blueprint
    policy: Policy
    authenticate: Callable[[Request], Principal]
    render: Callable[[Problem], Response]
    monitor: Callable[[Operation], str]
    document: Callable[[str], dict[str, Any]] | None = None


class Guard(Protocol):
    """What the room access offers to every dialect."""

    def bearer(self, header: str | None) -> Principal:
        """Who sent this Authorization header. Raises UploadError(UNAUTHENTICATED)."""

    def by_key(self, secret: str) -> Principal:
        """Who has this API key. Raises UploadError(UNAUTHENTICATED)."""

    def by_password(self, username: str, password: str) -> Principal:
        """Who has this name and password. Raises UploadError(UNAUTHENTICATED)."""

    def require(self, who: Principal, scope: Scope) -> None:
        """Raise UploadError(FORBIDDEN), naming the scope, unless the principal holds it."""


class Tokens(Protocol):
    """The token and revocation endpoints, which the room access offers to every dialect that has them."""

    def issue(
        self,
        method: str,
        form: Mapping[str, Any],
        headers: Mapping[str, str],
        *,
        lifetime: int,
        scopes: Mapping[str, frozenset[Scope]],
        default_scope: str,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, JSON body and headers of the answer (RFC 6749, section 5); nothing is raised for bad input."""

    def revoke(self, form: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """The same for a revocation (RFC 7009, section 2)."""

    def claimed(self, form: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Which client such a request says it is, proved or not; empty when it names none."""


class Sessions(Protocol):
    """Logins of users, which the room access offers to every dialect that has them; see `access.sessions`."""

    def begin(self, who: Principal, lifetime: float, longest: float) -> Session:
        """A new session of `longest` seconds, with a first token of `lifetime` seconds, for who has just proved to be this user."""

    def renew(self, refresh_token: str, lifetime: float) -> Session:
        """Another token of a session. Raises UploadError(UNAUTHENTICATED)."""

    def end(self, token: str) -> None:
        """End the session of a token, and all its tokens with it."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What every view may use: the use cases, the signer, the policies by dialect, the clock, and what a tenant takes up.

    `waiting` is for `Prefer: wait`, `patience` for synchronous vendors: neither takes the other's threads.
    """

    reception: Reception
    library: Library
    folders: Folders
    documents: Documents
    rendering: Rendering
    waiting: Waiting
    patience: Waiting
    access: Guard
    tokens: Tokens
    sessions: Sessions
    replies: Replies
    signer: Signer
    now: Callable[[], float]
    standing: Callable[[str], Standing]
    public_url: str | None = None
    language: str = "en"
    accel: str | None = None  # the proxy's internal location over the store's folder
    policies: dict[str, Policy] = field(default_factory=dict)
    dialects: dict[str, Dialect] = field(default_factory=dict)


def doors() -> Doors:
    """The doors of the current app."""
    return cast("Doors", current_app.extensions[EXTENSION])

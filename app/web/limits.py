"""A limit of requests for everybody who is known, and of wrong passwords and client secrets for those who guess.

Charged once a request, as soon as it is known who speaks and before the body is read: a client that sent its file is not turned away
after it. Nobody is charged for what takes no credentials: tokens given for a right secret, signed URLs, health.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, request

from app.core.errors import Code, Fact, UploadError
from app.core.policy import Policy, Principal, Scope
from app.core.ports import Allowance, Quota, Window
from app.web.dialect import Guard, Tokens, doors
from app.web.mount import dialect_at

SECOND, HOUR = "second", "hour"
GUESSES = Window("guesses", 10, 60)  # wrong passwords for one name from one address: 10 a minute are no way to find one
KEPT = "slipway.allowance"

Answer = tuple[int, dict[str, Any], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Metered:
    """The Guard at the doors: the same answers as `guard`, and RATE_LIMITED for who comes too often."""

    guard: Guard
    quota: Quota

    def bearer(self, header: str | None) -> Principal:
        """Who sent this Authorization header. Raises UploadError: UNAUTHENTICATED, RATE_LIMITED."""
        return self._charged(self.guard.bearer(header))

    def by_key(self, secret: str) -> Principal:
        """Who has this API key. Raises UploadError: UNAUTHENTICATED, RATE_LIMITED."""
        return self._charged(self.guard.by_key(secret))

    def by_password(self, username: str, password: str) -> Principal:
        """Who has this name and password. Raises UploadError: UNAUTHENTICATED, RATE_LIMITED also after too many wrong ones.

        Only wrong ones count, after they were tried: as many as come at once may be tried beyond the limit, but somebody who is right
        is never kept waiting by his own programs.
        """
        guesser = _guesser("guess", username)
        _require_room(self.quota.look(guesser, [GUESSES]))
        try:
            who = self.guard.by_password(username, password)
        except UploadError:
            self.quota.spend(guesser, [GUESSES])
            raise
        return self._charged(who)

    def require(self, who: Principal, scope: Scope) -> None:
        """Raise UploadError(FORBIDDEN), naming the scope, unless the principal holds it."""
        self.guard.require(who, scope)

    def _charged(self, who: Principal) -> Principal:
        """Dialects have windows of their own: each has its own policy."""
        dialect = dialect_at(request.path)
        if dialect and allowance() is None:
            windows = _windows(doors().policies[dialect.name])
            request.environ[KEPT] = self.quota.spend(f"{dialect.name}/{who.tenant}/{who.owner}", windows)
        _require_room(allowance())
        return who


@dataclass(frozen=True, slots=True)
class MeteredTokens:
    """The token endpoints at the doors: the same answers, and RATE_LIMITED after too many wrong secrets for one client from one address."""

    tokens: Tokens
    quota: Quota

    def issue(
        self,
        method: str,
        form: Mapping[str, Any],
        headers: Mapping[str, str],
        *,
        lifetime: int,
        scopes: Mapping[str, frozenset[Scope]],
        default_scope: str,
    ) -> Answer:
        """As `Tokens.issue`. Raises UploadError(RATE_LIMITED)."""
        give = partial(self.tokens.issue, method, lifetime=lifetime, scopes=scopes, default_scope=default_scope)
        return self._tried(give, form, headers)

    def revoke(self, form: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """As `Tokens.revoke`. Raises UploadError(RATE_LIMITED)."""
        return self._tried(self.tokens.revoke, form, headers)

    def claimed(self, form: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """As `Tokens.claimed`."""
        return self.tokens.claimed(form, headers)

    def _tried(
        self, ask: Callable[[Mapping[str, Any], Mapping[str, str]], Answer], form: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Answer:
        guesser = _guesser("client", self.claimed(form, headers))
        _require_room(self.quota.look(guesser, [GUESSES]))
        answer = ask(form, headers)
        if answer[0] == HTTPStatus.UNAUTHORIZED:
            self.quota.spend(guesser, [GUESSES])
        return answer


def allowance() -> Allowance | None:
    """How the windows of the request's principal stand; None before somebody was recognised."""
    kept: Allowance | None = request.environ.get(KEPT)
    return kept


def announce(response: Response) -> Response:
    """RateLimit-Policy and RateLimit, lists of structured fields (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4)."""
    spent = (allowance() or Allowance()).windows
    if spent:
        response.headers["RateLimit-Policy"] = ", ".join(f'"{of.window.name}";q={of.window.limit};w={of.window.seconds}' for of in spent)
        response.headers["RateLimit"] = ", ".join(f'"{of.window.name}";r={of.remaining};t={math.ceil(of.reset_after)}' for of in spent)
    return response


def _windows(policy: Policy) -> list[Window]:
    """The limits that are set."""
    both = (Window(SECOND, policy.requests_per_second, 1), Window(HOUR, policy.requests_per_hour, 3600))
    return [window for window in both if window.limit]


def _require_room(found: Allowance | None) -> None:
    if found and not found.allowed:
        narrowest = max(found.exceeded, key=lambda spent: spent.reset_after)
        violated: dict[str, Fact] = {"violated-policies": [spent.window.name for spent in found.exceeded]}
        raise UploadError(Code.RATE_LIMITED, retry_after=found.retry_after, limit=narrowest.window.limit, **violated)


def _guesser(kind: str, username: str) -> str:
    """A name of a kind at an address. The name is hashed: it may be anything, of any length, and some people type their password there."""
    name = hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}/{name}/{request.remote_addr or ''}"

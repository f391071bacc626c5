"""Who speaks, as it is kept: tenants, credentials, tokens; and the port that keeps them.

Only hashes of secrets are kept, never a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from app.core.policy import Principal


@dataclass(frozen=True, slots=True)
class Credential:
    """What is kept of an API key, a client or a user: the hash of its secret, never the secret.

    `kind` is key, client or user; `id` is public (a key's id, a client id, a user name); `role` names a set of scopes.
    """

    id: str
    kind: str
    tenant: str
    role: str
    secret_hash: str
    name: str = ""
    created_at: float = 0.0
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a bearer token, under its hash, until it expires."""

    principal: Principal
    issued_at: float
    expires_at: float
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """What a login gives: both secrets are shown once. `expires_at` is the end of the token, the session itself goes on after it."""

    who: Principal
    id: str
    token: str
    refresh_token: str
    expires_at: float


class Keyring(Protocol):
    """Tenants, credentials, tokens."""

    def now(self) -> float:
        """The one clock."""

    def add_tenant(self, tenant: str) -> bool:
        """Whether the tenant is new."""

    def tenants(self) -> list[str]:
        """All, sorted."""

    def put(self, credential: Credential) -> None:
        """Add or replace a credential."""

    def credential(self, kind: str, id: str) -> Credential | None:
        """By its public id."""

    def by_secret_hash(self, secret_hash: str) -> Credential | None:
        """An API key by the hash of the whole key."""

    def credentials(self, tenant: str) -> list[Credential]:
        """All of a tenant, revoked ones too, oldest first."""

    def put_token(self, token_hash: str, token: Token) -> None:
        """Remember a token until it expires."""

    def token(self, token_hash: str) -> Token | None:
        """A token that has not expired."""

    def drop_token(self, token_hash: str) -> None:
        """Forget a token."""

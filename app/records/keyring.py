"""Tenants, credentials and tokens. Only hashes of secrets come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.credentials import Credential, Token
from app.records import clock, codec, keys

if TYPE_CHECKING:
    from typing import Any

    from app.records.link import Command, Link

API_KEY = "key"


class RedisKeyring:
    """The port Keyring."""

    def __init__(self, link: Link, time: clock.Clock) -> None:
        self._link, self._clock = link, time

    def now(self) -> float:
        """The one clock."""
        return self._clock.now()

    def add_tenant(self, tenant: str) -> bool:
        """Whether the tenant is new."""
        return bool(self._link.one("SADD", keys.TENANTS, tenant))

    def tenants(self) -> list[str]:
        """All, sorted."""
        return sorted(self._link.one("SMEMBERS", keys.TENANTS))

    def put(self, credential: Credential) -> None:
        """Add or replace. What an earlier secret or tenant left behind is passed over when it is read."""
        key = keys.credential(credential.kind, credential.id)
        commands: list[Command] = [
            ("DEL", key),
            ("HSET", key, *codec.flat(codec.to_hash(credential))),
            ("SADD", keys.credentials(credential.tenant), f"{credential.kind}:{credential.id}"),
        ]
        if credential.kind == API_KEY:
            commands.append(("SET", keys.secret(credential.secret_hash), credential.id))
        self._link.transact(*commands)

    def credential(self, kind: str, id: str) -> Credential | None:
        """By its public id."""
        return _credential(self._link.one("HGETALL", keys.credential(kind, id)))

    def by_secret_hash(self, secret_hash: str) -> Credential | None:
        """An API key; one whose secret was replaced is no longer found by the old."""
        key_id = self._link.one("GET", keys.secret(secret_hash))
        found = None if key_id is None else self.credential(API_KEY, key_id)
        return found if found is not None and found.secret_hash == secret_hash else None

    def credentials(self, tenant: str) -> list[Credential]:
        """All of a tenant, oldest first."""
        names = [name.split(":", 1) for name in self._link.one("SMEMBERS", keys.credentials(tenant))]
        answers = self._link.ask(*(("HGETALL", keys.credential(*name)) for name in names)) if names else []
        found = [credential for answer in answers if (credential := _credential(answer)) is not None]
        mine = [credential for credential in found if credential.tenant == tenant]
        return sorted(mine, key=lambda credential: (credential.created_at, credential.kind, credential.id))

    def put_token(self, token_hash: str, token: Token) -> None:
        """Remember it until it expires; one that has expired is not worth it."""
        life = int((token.expires_at - self.now()) * 1000)
        if life > 0:
            self._link.one("SET", keys.token(token_hash), codec.dumps(token), "PX", life)

    def token(self, token_hash: str) -> Token | None:
        """A token that has not expired by the house's clock."""
        text, *time = self._link.ask(("GET", keys.token(token_hash)), *self._clock.commands)
        found = None if text is None else codec.loads(Token, text)
        return found if found is not None and clock.read(time) < found.expires_at else None

    def drop_token(self, token_hash: str) -> None:
        """Forget a token."""
        self._link.one("DEL", keys.token(token_hash))


def _credential(answer: list[Any]) -> Credential | None:
    fields = codec.pairs(answer)
    return codec.from_hash(Credential, fields) if fields else None

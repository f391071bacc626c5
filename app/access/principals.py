"""Tenants and their credentials, and the principal behind what a request shows.

A key speaks as itself (owner = key id), a token as the client that got it (owner = client id), a user as the user. Everything that
fails to prove who speaks fails in the same way: UNAUTHENTICATED, without a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from app.access import sessions
from app.access.hashing import fingerprint, hash_password, matches, new_secret, password_matches
from app.access.sessions import SESSION, TOKEN_PREFIX
from app.core.credentials import Credential, Keyring
from app.core.errors import Code, UploadError
from app.core.policy import ROLES, Principal, Scope

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
BEARER = re.compile(r"bearer +([\x21-\x7e]{1,512})", re.IGNORECASE)  # RFC 6750 2.1; `b64token` read generously


@dataclass(frozen=True, slots=True)
class Access:
    """Makes credentials and recognises them. Holds no state of its own."""

    keyring: Keyring

    # ------------------------------------------------------------ who exists

    def add_tenant(self, name: str) -> bool:
        """Whether the tenant is new. Raises ValueError for a name that is not `[a-z0-9][a-z0-9-]{0,62}`."""
        if not TENANT.fullmatch(name):
            raise ValueError(f"not a tenant name: {name!r} (small letters, digits and hyphens, 63 at most)")
        return self.keyring.add_tenant(name)

    def tenants(self) -> list[str]:
        """All names, sorted."""
        return self.keyring.tenants()

    def add_key(self, tenant: str, role: str, name: str = "") -> tuple[str, Credential]:
        """A new API key: the secret, which is shown once, and what is kept of it. Raises ValueError (unknown tenant or role)."""
        secret = f"sk_{tenant}_{new_secret()}"
        return secret, self.put_key(tenant, role, secret, name)

    def put_key(self, tenant: str, role: str, secret: str, name: str = "") -> Credential:
        """Keep a key whose secret is known already. The same secret again has the same id; a key that was revoked stays revoked.

        Raises ValueError: unknown tenant or role, or the secret is another tenant's.
        """
        self._require(tenant, role)
        hashed = fingerprint(secret)
        held = self.keyring.by_secret_hash(hashed)
        if held and held.tenant != tenant:
            raise ValueError("the key belongs to another tenant")
        if held:
            return self._kept(replace(held, role=role, name=name or held.name), held)
        return self._kept(self._credential(f"key_{hashed[:20]}", "key", tenant, role, hashed, name))

    def credentials(self, tenant: str, kind: str) -> list[Credential]:
        """The credentials of a tenant that are of this kind (key, client, user), revoked ones too, oldest first."""
        return [held for held in self.keyring.credentials(tenant) if held.kind == kind]

    def revoke_key(self, key_id: str) -> bool:
        """Whether there was such a key in force. Nothing that it made goes."""
        return self._revoke("key", key_id)

    def add_client(self, tenant: str, client_id: str, role: str, secret: str | None = None) -> str:
        """An OAuth2 client, or a new secret or role for it; its secret. Raises ValueError (unknown, or another tenant's id).

        With a new secret alone it goes on with the tokens that it has; those of another role, or of before it was revoked, end.
        """
        held = self._claim("client", client_id, tenant, role)
        chosen = secret or new_secret()
        fresh = self._credential(client_id, "client", tenant, role, fingerprint(chosen))
        goes_on = held and held.role == role and held.revoked_at is None
        self._kept(replace(fresh, created_at=held.created_at) if held and goes_on else fresh)
        return chosen

    def revoke_client(self, client_id: str) -> bool:
        """Whether there was such a client in force. Its tokens end with it."""
        return self._revoke("client", client_id)

    def add_user(self, tenant: str, username: str, role: str, password: str | None = None) -> str:
        """A user, or a new password or role for one; the password. Raises ValueError as `add_client`."""
        self._claim("user", username, tenant, role)
        chosen = password or new_secret()
        self._kept(self._credential(username, "user", tenant, role, hash_password(chosen)))
        return chosen

    def revoke_user(self, username: str) -> bool:
        """Whether there was such a user in force. The tokens of his sessions end with him."""
        return self._revoke("user", username)

    # ------------------------------------------------------------ who speaks

    def bearer(self, header: str | None) -> Principal:
        """The principal behind an Authorization header `Bearer {key or token}`. Raises UNAUTHENTICATED."""
        found = BEARER.fullmatch(header or "")
        if not found:
            raise UploadError(Code.UNAUTHENTICATED)
        shown = found[1]
        return self.by_token(shown) if shown.startswith(TOKEN_PREFIX) else self.by_key(shown)

    def by_key(self, secret: str) -> Principal:
        """The principal behind an API key. Raises UNAUTHENTICATED."""
        held = self.keyring.by_secret_hash(fingerprint(secret))
        if held is None or held.revoked_at is not None or not matches(secret, held.secret_hash):
            raise UploadError(Code.UNAUTHENTICATED)
        return principal(held)

    def by_token(self, token: str) -> Principal:
        """The principal behind a bearer token, while its client, or its user and his session, are in force. Raises UNAUTHENTICATED.

        A client that got another role, or was revoked in between, is a new one: what it was given before ends.
        """
        kept = self.keyring.token(fingerprint(token))
        if kept is None or self.keyring.now() >= kept.expires_at:
            raise UploadError(Code.UNAUTHENTICATED)
        if SESSION in kept.metadata:
            return principal(sessions.speaker(self.keyring, kept))
        client = self.keyring.credential("client", kept.principal.owner)
        if client is None or client.revoked_at is not None or kept.issued_at < client.created_at:
            raise UploadError(Code.UNAUTHENTICATED)
        return kept.principal

    def by_password(self, username: str, password: str) -> Principal:
        """The principal behind a user's name and password. Raises UNAUTHENTICATED, after the same time whether the name is known or not.

        Who knows the password of a revoked user is told so, by the fact `revoked_at`.
        """
        held = self.keyring.credential("user", username)
        proved = password_matches(password, held.secret_hash if held else _nobodys_hash())
        if held is None or not proved:
            raise UploadError(Code.UNAUTHENTICATED)
        if held.revoked_at is not None:
            raise UploadError(Code.UNAUTHENTICATED, revoked_at=int(held.revoked_at))
        return principal(held)

    @staticmethod
    def require(who: Principal, scope: Scope) -> None:
        """Raise FORBIDDEN, naming the scope, unless the principal holds it."""
        if not who.may(scope):
            raise UploadError(Code.FORBIDDEN, scope=scope.value)

    def revoke_token(self, token: str) -> None:
        """Forget a token. An unknown one is no error (RFC 7009 2.2)."""
        self.keyring.drop_token(fingerprint(token))

    # ------------------------------------------------------------ inside

    def _require(self, tenant: str, role: str) -> None:
        if tenant not in self.keyring.tenants():
            raise ValueError(f"no such tenant: {tenant!r}")
        if role not in ROLES:
            raise ValueError(f"no such role: {role!r} (one of {', '.join(ROLES)})")

    def _claim(self, kind: str, id: str, tenant: str, role: str) -> Credential | None:
        """What has this id in the tenant so far. Raises ValueError."""
        self._require(tenant, role)
        held = self.keyring.credential(kind, id)
        if held and held.tenant != tenant:
            raise ValueError(f"the {kind} {id!r} belongs to another tenant")
        return held

    def _credential(self, id: str, kind: str, tenant: str, role: str, secret_hash: str, name: str = "") -> Credential:
        return Credential(id, kind, tenant, role, secret_hash, name, created_at=self.keyring.now())

    def _kept(self, credential: Credential, held: Credential | None = None) -> Credential:
        if credential != held:
            self.keyring.put(credential)
        return credential

    def _revoke(self, kind: str, id: str) -> bool:
        held = self.keyring.credential(kind, id)
        if held is None or held.revoked_at is not None:
            return False
        self.keyring.put(replace(held, revoked_at=self.keyring.now()))
        return True


@cache
def _nobodys_hash() -> str:
    """What a password is compared with when the name is unknown."""
    return hash_password(new_secret())


def principal(held: Credential) -> Principal:
    """Who speaks with a credential: all that its role may do."""
    return Principal(held.tenant, held.id, ROLES[held.role])

"""The revocation endpoint (RFC 7009) on Authlib's framework-free core: a client ends a token that it was given."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc7009 import RevocationEndpoint

from app.access.clients import METHODS, Client
from app.access.hashing import fingerprint
from app.access.sessions import SESSION, TOKEN_PREFIX
from app.core.credentials import Keyring, Token

KEY_SAID = "An API key is no token: its tenant revokes it"


class OtherType(OAuth2Error):  # type: ignore[misc] # Authlib has no types
    """400 as RFC 7009, section 2.2.1, has it: Authlib's own error of this name is a 401."""

    error = "unsupported_token_type"


class Held:
    """What is kept of a token, as Authlib asks after it."""

    def __init__(self, kept: Token) -> None:
        self.kept = kept

    def check_client(self, client: Client) -> bool:
        """Whether the token was given to this client. A user's session may have a client's name, and is none of its business."""
        return self.kept.principal.owner == client.credential.id and SESSION not in self.kept.metadata


class Revocation(RevocationEndpoint):  # type: ignore[misc] # as above
    """200 for a token that ended now, or that was none; `invalid_grant` for another client's (RFC 7009, sections 2.1 and 2.2)."""

    CLIENT_AUTH_METHODS = METHODS
    server: Any

    def check_params(self, request: Any, _client: Client) -> None:
        """Raise OtherType for a hint that RFC 7009 does not know."""
        if request.form.get("token_type_hint", "") not in {"", *self.SUPPORTED_TOKEN_TYPES}:
            raise OtherType

    def query_token(self, token: str, _hint: str | None) -> Held | None:
        """By its hash; the hint helps nobody here. Raises OtherType for an API key, which 200 would call revoked."""
        keyring: Keyring = self.server.keyring
        name = fingerprint(token)
        if keyring.by_secret_hash(name) is not None:
            raise OtherType(KEY_SAID)
        kept = keyring.token(name) if token.startswith(TOKEN_PREFIX) else None
        return None if kept is None else Held(kept)

    def revoke_token(self, _held: Held, request: Any) -> None:
        """Forget it. A token is never made again, so there is nothing to remember."""
        self.server.keyring.drop_token(fingerprint(request.form["token"]))

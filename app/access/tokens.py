"""The OAuth2 endpoints: client credentials (RFC 6749 4.4) and revocation (RFC 7009) on Authlib's framework-free core.

Authlib wants one server object with a framework behind it; here a server lives for one request and answers with plain values, so
every vendor brings its own lifetime and scope names. Tokens are opaque and random; their sha-256 is kept until they expire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from app.access import clients
from app.access.clients import METHODS, Client, Request
from app.access.hashing import fingerprint, new_secret
from app.access.revocation import Revocation
from app.access.sessions import TOKEN_PREFIX
from app.core.credentials import Keyring, Token
from app.core.policy import ROLES, Principal, Scope

Answer = tuple[int, dict[str, Any], dict[str, str]]
PLAIN = re.compile(r"[\x20-\x7e]{0,2048}")  # RFC 6749 appendix A: every parameter that we read is made of these
READ = ("grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a vendor grants: the life of a token in seconds, its scope names and ours behind each, the names given when none is asked."""

    lifetime: int
    scopes: Mapping[str, frozenset[Scope]]
    default_scope: str

    def allowed(self, asked: str | None, role: str) -> str:
        """The names granted: those asked for (or the default) that the role covers. Raises InvalidScopeError (unknown name, or none left)."""
        names = list(dict.fromkeys((asked or self.default_scope).split()))
        if any(name not in self.scopes for name in names):
            raise InvalidScopeError
        granted = [name for name in names if self.scopes[name] <= ROLES[role]]
        if not granted:
            raise InvalidScopeError
        return " ".join(granted)

    def meaning(self, granted: str) -> frozenset[Scope]:
        """Our scopes behind the granted names."""
        return frozenset().union(*(self.scopes[name] for name in granted.split()))


NO_TERMS = Terms(0, {}, "")  # of a revocation, which grants nothing


@dataclass(frozen=True, slots=True)
class TokenServer:
    """Gives bearer tokens to clients, and takes them back."""

    keyring: Keyring

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
        """Status, JSON body and headers of the answer to a token request; errors as RFC 6749 5.2 has them, nothing is raised for bad input.

        `form` is the parsed body, from a form or from JSON; `headers` needs only Authorization, by that name.
        """
        server = _Server(self.keyring, Terms(lifetime, scopes, default_scope))
        answer: Answer = server.create_token_response((method, form, headers))
        return answer

    def revoke(self, form: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """The answer to a revocation request, of the same form (RFC 7009, section 2)."""
        return _Server(self.keyring, NO_TERMS).create_revocation_response(Request("POST", form, headers))

    @staticmethod
    def claimed(form: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Which client such a request says it is, proved or not; empty when it names none."""
        return clients.claimed(form, headers)


class _Grant(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class _Server(AuthorizationServer):  # type: ignore[misc] # as above
    """One token request, from parsed form to plain answer."""

    def __init__(self, keyring: Keyring, terms: Terms) -> None:
        super().__init__()
        self.keyring = keyring
        self.terms = terms
        self.register_grant(_Grant)
        self.register_client_auth_method("client_secret_basic", clients.by_basic)
        self.register_client_auth_method("client_secret_post", clients.by_form)
        self.register_endpoint(Revocation)
        self.register_token_generator("default", self.make_token)

    def create_token_response(self, request: Any = None) -> Answer:
        asked = Request(*request)
        return self._plainly(asked, "grant_type") or super().create_token_response(asked)

    def create_revocation_response(self, asked: Request) -> Answer:
        return self._plainly(asked, "token") or self.create_endpoint_response(Revocation.ENDPOINT_NAME, asked)

    def _plainly(self, asked: Request, needed: str) -> Answer | None:
        """The refusal of a request whose parameters are malformed, or that lacks the one that it needs."""
        try:
            _require_plain(asked.form, needed)
        except OAuth2Error as error:
            return self.handle_error_response(asked, error)  # type: ignore[no-any-return] # as above
        return None

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def query_client(self, client_id: str) -> Client:
        return clients.known(self.keyring, client_id)

    def make_token(self, client: Client, scope: str | None, **_: Any) -> dict[str, Any]:
        granted = self.terms.allowed(scope, client.credential.role)
        token = TOKEN_PREFIX + new_secret()
        return {"access_token": token, "expires_in": self.terms.lifetime, "scope": granted, "token_type": "Bearer"}

    def save_token(self, token: Mapping[str, Any], request: Request) -> None:
        held, now = request.client.credential, self.keyring.now()
        who = Principal(held.tenant, held.id, self.terms.meaning(token["scope"]))
        kept = Token(who, issued_at=now, expires_at=now + self.terms.lifetime, metadata={"scope": token["scope"]})
        self.keyring.put_token(fingerprint(token["access_token"]), kept)

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Answer:
        return status, body, dict(headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


def _require_plain(form: Mapping[str, Any], needed: str) -> None:
    for name in READ:
        value = form.get(name, "")
        if not isinstance(value, str) or not PLAIN.fullmatch(value):
            raise InvalidRequestError(f"The parameter {name} is malformed")
    if not form.get(needed):
        raise InvalidRequestError(f"The parameter {needed} is missing")

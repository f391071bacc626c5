"""The OAuth2 token endpoint: client credentials (RFC 6749 4.4) on Authlib's framework-free core.

Authlib wants one server object with a framework behind it; here a server lives for one request and answers with plain values, so
every vendor brings its own lifetime and scope names. Tokens are opaque and random; their sha-256 is kept until they expire.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from app.access.hashing import fingerprint, matches, new_secret
from app.access.sessions import TOKEN_PREFIX
from app.core.credentials import Credential, Keyring, Token
from app.core.policy import ROLES, Principal, Scope

Answer = tuple[int, dict[str, Any], dict[str, str]]
Query = Callable[[str], "_Client"]
NO_CLIENT = Credential("", "client", "", "viewer", fingerprint(new_secret()))  # stands for an unknown id; nobody has its secret
PLAIN = re.compile(r"[\x20-\x7e]{0,2048}")  # RFC 6749 appendix A: every parameter that we read is made of these
READ = ("grant_type", "client_id", "client_secret", "scope")
METHODS = ("client_secret_basic", "client_secret_post")
OWN_URI = "https://token.invalid/"  # Authlib refuses plain http; whether TLS is before us is the operator's business
WHO = "Client authentication failed"


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


@dataclass(frozen=True, slots=True)
class TokenServer:
    """Gives bearer tokens to clients."""

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


class _Client(ClientMixin):  # type: ignore[misc] # Authlib has no types
    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    def check_client_secret(self, secret: str) -> bool:
        return matches(secret, self.credential.secret_hash)

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in METHODS and endpoint == "token"


class _Grant(ClientCredentialsGrant):  # type: ignore[misc] # as above
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class _Request(OAuth2Request):  # type: ignore[misc] # as above
    def __init__(self, method: str, form: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(method, OWN_URI, headers=headers)
        self.payload = BasicOAuth2Payload(dict(form))

    @property
    def form(self) -> dict[str, Any]:
        data: dict[str, Any] = self.payload.data
        return data


class _Server(AuthorizationServer):  # type: ignore[misc] # as above
    """One token request, from parsed form to plain answer."""

    def __init__(self, keyring: Keyring, terms: Terms) -> None:
        super().__init__()
        self.keyring = keyring
        self.terms = terms
        self.register_grant(_Grant)
        self.register_client_auth_method("client_secret_basic", _by_basic)
        self.register_client_auth_method("client_secret_post", _by_form)
        self.register_token_generator("default", self.make_token)

    def create_token_response(self, request: Any = None) -> Answer:
        asked = _Request(*request)
        try:
            _require_plain(asked.form)
        except OAuth2Error as error:
            refused: Answer = self.handle_error_response(asked, error)
            return refused
        given: Answer = super().create_token_response(asked)
        return given

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def query_client(self, client_id: str) -> _Client:
        held = self.keyring.credential("client", client_id)
        return _Client(held if held and held.revoked_at is None else NO_CLIENT)

    def make_token(self, client: _Client, scope: str | None, **_: Any) -> dict[str, Any]:
        granted = self.terms.allowed(scope, client.credential.role)
        token = TOKEN_PREFIX + new_secret()
        return {"access_token": token, "expires_in": self.terms.lifetime, "scope": granted, "token_type": "Bearer"}

    def save_token(self, token: Mapping[str, Any], request: _Request) -> None:
        held, now = request.client.credential, self.keyring.now()
        who = Principal(held.tenant, held.id, self.terms.meaning(token["scope"]))
        kept = Token(who, issued_at=now, expires_at=now + self.terms.lifetime, metadata={"scope": token["scope"]})
        self.keyring.put_token(fingerprint(token["access_token"]), kept)

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Answer:
        return status, body, dict(headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


def _require_plain(form: Mapping[str, Any]) -> None:
    for name in READ:
        value = form.get(name, "")
        if not isinstance(value, str) or not PLAIN.fullmatch(value):
            raise InvalidRequestError(f"The parameter {name} is malformed")
    if not form.get("grant_type"):
        raise InvalidRequestError("The parameter grant_type is missing")


def _by_form(query: Query, request: _Request) -> _Client:
    return _proved(query, iter([(request.form.get("client_id", ""), request.form.get("client_secret", ""))]))


def _by_basic(query: Query, request: _Request) -> _Client | None:
    """Nothing without a Basic header; one that proves nothing is not saved by a good body (RFC 6749 2.3: one way at a time).

    A bearer token proves no client: whoever asks for the next one while his session still sends the last is judged by what he asks with.
    """
    scheme, _, encoded = (request.headers.get("Authorization") or "").partition(" ")
    return _proved(query, _readings(encoded)) if scheme.lower() == "basic" else None


def _readings(encoded: str) -> Iterator[tuple[str, str]]:
    """What a Basic header may mean. RFC 6749 2.3.1 has both halves form-encoded, which few clients do, and our client ids have a colon."""
    try:
        plain = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return
    for name, _, secret in (plain.partition(":"), plain.rpartition(":")):
        yield name, secret
        yield unquote_plus(name), unquote_plus(secret)


def _proved(query: Query, readings: Iterator[tuple[str, str]]) -> _Client:
    for name, secret in readings:
        if name and secret and (client := query(name)).check_client_secret(secret):
            return client
    raise _turned_away()


def _turned_away() -> InvalidClientError:
    """Always the same, whether the client is unknown, revoked or has another secret; always with WWW-Authenticate."""
    return InvalidClientError(description=WHO, status_code=401)

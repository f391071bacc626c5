"""OAuth2 clients at our endpoints: what a request shows of one, and whether it is proved (RFC 6749, section 2.3)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from app.access.hashing import fingerprint, matches, new_secret
from app.core.credentials import Credential, Keyring

NO_CLIENT = Credential("", "client", "", "viewer", fingerprint(new_secret()))  # stands for an unknown id; nobody has its secret
METHODS = ("client_secret_basic", "client_secret_post")
ENDPOINTS = ("token", "revocation")
OWN_URI = "https://token.invalid/"  # Authlib refuses plain http; whether TLS is before us is the operator's business
WHO = "Client authentication failed"


class Client(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """A client as Authlib asks after it."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    def check_client_secret(self, secret: str) -> bool:
        """Whether the secret is its own."""
        return matches(secret, self.credential.secret_hash)

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may ask in this way."""
        return grant_type == "client_credentials"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it may prove itself in this way there."""
        return method in METHODS and endpoint in ENDPOINTS


class Request(OAuth2Request):  # type: ignore[misc] # as above
    """A request from its parsed parts."""

    def __init__(self, method: str, form: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(method, OWN_URI, headers=headers)
        self.payload = BasicOAuth2Payload(dict(form))

    @property
    def form(self) -> dict[str, Any]:
        """The parameters of the body."""
        data: dict[str, Any] = self.payload.data
        return data


Query = Callable[[str], Client]


def known(keyring: Keyring, client_id: str) -> Client:
    """The client of this id; for an unknown or revoked one a client whose secret nobody has."""
    held = keyring.credential("client", client_id)
    return Client(held if held and held.revoked_at is None else NO_CLIENT)


def by_form(query: Query, request: Request) -> Client:
    """The client that the body proves. Raises InvalidClientError."""
    return _proved(query, iter([(request.form.get("client_id", ""), request.form.get("client_secret", ""))]))


def by_basic(query: Query, request: Request) -> Client | None:
    """Nothing without a Basic header; one that proves nothing is not saved by a good body (RFC 6749 2.3: one way at a time).

    A bearer token proves no client: whoever asks for the next one while his session still sends the last is judged by what he asks with.
    """
    shown = _basic(request.headers)
    return None if shown is None else _proved(query, _readings(shown))


def claimed(form: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Which client the request says it is, proved or not; empty when it names none."""
    shown = _basic(headers)
    if shown is None:
        return str(form.get("client_id", ""))
    names = [name for name, _ in _readings(shown)]
    return names[-1] if names else ""


def _basic(headers: Mapping[str, str]) -> str | None:
    scheme, _, encoded = (headers.get("Authorization") or "").partition(" ")
    return encoded if scheme.lower() == "basic" else None


def _readings(encoded: str) -> Iterator[tuple[str, str]]:
    """What a Basic header may mean. RFC 6749 2.3.1 has both halves form-encoded, which few clients do, and our client ids have a colon."""
    try:
        plain = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return
    for name, _, secret in (plain.partition(":"), plain.rpartition(":")):
        yield name, secret
        yield unquote_plus(name), unquote_plus(secret)


def _proved(query: Query, readings: Iterator[tuple[str, str]]) -> Client:
    for name, secret in readings:
        if name and secret and (client := query(name)).check_client_secret(secret):
            return client
    raise _turned_away()


def _turned_away() -> InvalidClientError:
    """Always the same, whether the client is unknown, revoked or has another secret; always with WWW-Authenticate."""
    return InvalidClientError(description=WHO, status_code=401)

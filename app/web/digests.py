"""Digest fields (RFC 9530): what a request declares, and a body that keeps count of what flowed.

`Content-Digest` covers the content of one message, `Repr-Digest` the whole representation; in a request without Content-Range the two
are the same bytes. Algorithms other than sha-256 and sha-512 are not ours to judge and are ignored (RFC 9530 2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import cast

import http_sf
from werkzeug.datastructures import Headers

from app.core.errors import Code, UploadError
from app.web.bodies import Flow
from app.web.sockets import Piece

SIZES: Mapping[str, int] = {"sha-256": 32, "sha-512": 64}  # the algorithms that we verify, by their names in the registry; bytes
OURS = "sha256:"

Expected = Mapping[str, bytes]


def declared(headers: Headers, name: str) -> dict[str, bytes]:
    """The digests in the field `name`, by algorithm. Raises UploadError(BAD_REQUEST) for a malformed field."""
    value = headers.get(name)
    if value is None:
        return {}
    try:
        members = cast("dict[str, object]", http_sf.parse(value.encode("ascii"), tltype="dictionary"))
    except (http_sf.StructuredFieldError, UnicodeEncodeError) as error:
        raise UploadError(Code.BAD_REQUEST, reason=f"{name} is no dictionary of byte sequences") from error
    return {key: _digest(name, key, members[key]) for key in SIZES if key in members}


def _digest(name: str, algorithm: str, member: object) -> bytes:
    value = member[0] if isinstance(member, tuple) else member
    if not isinstance(value, bytes) or len(value) != SIZES[algorithm]:
        raise UploadError(Code.BAD_REQUEST, reason=f"{name}: {algorithm} is no byte sequence of {SIZES[algorithm]} bytes")
    return value


def verified(body: Flow, headers: Headers) -> tuple[Flow, Callable[[], None] | None]:
    """The body, hashed as it flows where the request declares digests of it, and then what verifies it, to be called at its end."""
    names = ["Content-Digest"] if "Content-Range" in headers else ["Content-Digest", "Repr-Digest"]
    expected = [found for name in names if (found := declared(headers, name))]
    if not expected:
        return body, None
    hashing = HashingBody(body, *expected)
    return hashing, hashing.verify


class HashingBody(Flow):
    """The same body; hashes what flows through it."""

    def __init__(self, body: Flow, *expected: Expected) -> None:
        self.length = body.length
        self._body = body
        self._expected = expected
        self._hashes = {algorithm: hashlib.new(algorithm.replace("-", "")) for digests in expected for algorithm in digests}

    def receive(self, limit: int) -> Piece:
        """See `Flow`."""
        piece = self._body.receive(limit)
        for each in self._hashes.values():
            each.update(piece)
        return piece

    def verify(self) -> None:
        """Raise UploadError(DIGEST_MISMATCH) unless the bytes that flowed have every digest that was declared."""
        flowed = {algorithm: each.digest() for algorithm, each in self._hashes.items()}
        for digests in self._expected:
            if not all(hmac.compare_digest(flowed[algorithm], digest) for algorithm, digest in digests.items()):
                raise UploadError(Code.DIGEST_MISMATCH)


class FingerprintedBody(Flow):
    """The same body; `digest` says what flowed through it."""

    def __init__(self, body: Flow) -> None:
        self.length = body.length
        self._body = body
        self._hash = hashlib.sha256()

    def receive(self, limit: int) -> Piece:
        """See `Flow`."""
        piece = self._body.receive(limit)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """`sha256:{hex}`."""
        return OURS + self._hash.hexdigest()


def whole_file(headers: Headers) -> str | None:
    """The sha-256 of `Repr-Digest` in our words: `sha256:{hex}`, or None."""
    digest = declared(headers, "Repr-Digest").get("sha-256")
    return OURS + digest.hex() if digest else None


def repr_digest(digest: str) -> str:
    """The value of `Repr-Digest` for `sha256:{hex}`."""
    raw = bytes.fromhex(digest.removeprefix(OURS))
    return f"sha-256=:{base64.b64encode(raw).decode()}:"

"""URLs that take a part straight to S3, made by botocore's signer alone: no client, no round trip.

Signature Version 4 in the query, AWS S3 API reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from app.stores.link import Link

LONGEST = 7 * 86400  # seconds; S3 signs for no longer
DEFAULT_PORTS = {"http": 80, "https": 443}
KEPT = 16  # sheets; a session has two sizes of parts, and is signed within a second or two

_NUMBER = "partNumber="
_NOBODY = f"{_NUMBER}0&"  # no upload has a part 0


class _Asked(NamedTuple):
    """What the URLs of one sheet have in common. `size`: None signs no length; `moment`: the second in which they are signed."""

    credentials: ReadOnlyCredentials
    key: str
    session: str
    size: int | None
    seconds: int
    moment: int


class Presigner:
    """Signs for the public endpoint, where it differs from the one that we speak to."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sheet = lru_cache(maxsize=KEPT)(self._new_sheet)

    def part_url(self, key: str, session: str, number: int, size: int | None, expires: float) -> str:
        """A URL that takes PUT of one part until `expires`; with `size`, of exactly so many bytes (Content-Length is signed)."""
        now = time.time()
        seconds = min(max(1, math.ceil(expires - now)), LONGEST)
        credentials = self._link.credentials().get_frozen_credentials()
        return self._sheet(_Asked(credentials, key, session, size, seconds, int(now))).url(number)

    def _new_sheet(self, asked: _Asked) -> _Sheet:
        query = urlencode({"uploadId": asked.session, "partNumber": 0})
        headers = {"Host": self._host} if asked.size is None else {"Host": self._host, "Content-Length": str(asked.size)}
        request = AWSRequest(method="PUT", url=f"{self.place(asked.key)}?{query}", headers=headers)
        return _Sheet(asked.credentials, self._link.region, asked.seconds, request)

    def place(self, key: str) -> str:
        """Where clients find an object, unsigned."""
        return f"{self._base}/{quote(self._link.full(key), safe='/~')}"

    @cached_property
    def _base(self) -> str:
        """The bucket as clients reach it: by path where an endpoint is given, by host name at AWS."""
        at = self._link.at
        base = at.public or at.endpoint
        return f"{base}/{at.bucket}" if base else f"https://{at.bucket}.s3.{self._link.region}.amazonaws.com"

    @cached_property
    def _host(self) -> str:
        """As clients send it; said here because the signer would work it out twice for each URL."""
        split = urlsplit(self._base)
        return split.netloc if split.port != DEFAULT_PORTS[split.scheme] else split.netloc.rpartition(":")[0]


class _Sheet(S3SigV4QueryAuth):
    """The parts of one size of one multipart upload, signed at one moment: their URLs differ in the number alone.

    botocore's signer signs a part that nobody has; what is left for each other one is a hash, and an HMAC with a key that is derived once.
    """

    def __init__(self, credentials: ReadOnlyCredentials, region: str, seconds: int, request: AWSRequest) -> None:
        super().__init__(credentials, "s3", region, expires=seconds)
        self._canonical, self._told = "", ""
        self.add_auth(request)
        head, self._rest = self._canonical.split(_NOBODY)
        self._hash = hashlib.sha256(f"{head}{_NUMBER}".encode())
        self._to_sign = self._told.rpartition("\n")[0]
        self._hmac = hmac.new(_signing_key(str(credentials.secret_key), region, request.context["timestamp"][:8]), digestmod=hashlib.sha256)
        self._url, self._url_rest = str(request.url).rpartition("=")[0].split(_NOBODY)

    def url(self, number: int) -> str:
        """The URL of one part."""
        canonical, signature = self._hash.copy(), self._hmac.copy()
        canonical.update(f"{number}&{self._rest}".encode())
        signature.update(f"{self._to_sign}\n{canonical.hexdigest()}".encode())
        return f"{self._url}{_NUMBER}{number}&{self._url_rest}={signature.hexdigest()}"

    def canonical_request(self, request: AWSRequest) -> str:
        """As the signer makes it; kept."""
        self._canonical = super().canonical_request(request)
        return self._canonical

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        """As the signer makes it; what is signed is kept."""
        self._told = string_to_sign
        return super().signature(string_to_sign, request)


def _signing_key(secret: str, region: str, day: str) -> bytes:
    """AWS General Reference, "Create a signed request", step 4."""
    key = f"AWS4{secret}".encode()
    for word in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key

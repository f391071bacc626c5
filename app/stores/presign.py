"""URLs that take a part straight to S3, made by botocore's signer alone: no client, no round trip.

Signature Version 4 in the query, AWS S3 API reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import math
import time
from functools import cached_property
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from app.stores.link import Link

LONGEST = 7 * 86400  # seconds; S3 signs for no longer
DEFAULT_PORTS = {"http": 80, "https": 443}


class Presigner:
    """Signs for the public endpoint, where it differs from the one that we speak to."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def part_url(self, key: str, session: str, number: int, size: int | None, expires: float) -> str:
        """A URL that takes PUT of one part until `expires`; with `size`, of exactly so many bytes (Content-Length is signed)."""
        query = urlencode({"partNumber": number, "uploadId": session})
        headers = {"Host": self._host} if size is None else {"Host": self._host, "Content-Length": str(size)}
        request = AWSRequest(method="PUT", url=f"{self.place(key)}?{query}", headers=headers)
        seconds = min(max(1, math.ceil(expires - time.time())), LONGEST)
        S3SigV4QueryAuth(self._link.credentials(), "s3", self._link.region, expires=seconds).add_auth(request)
        return str(request.url)

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
        """As clients send it; said here because the signer would work it out twice for each URL, a quarter of its time."""
        split = urlsplit(self._base)
        return split.netloc if split.port != DEFAULT_PORTS[split.scheme] else split.netloc.rpartition(":")[0]

"""URLs that take a part straight to S3, made by botocore's signer alone: no client, no round trip.

Signature Version 4 in the query, AWS S3 API reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import math
import time
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from app.stores.link import Link

LONGEST = 7 * 86400  # seconds; S3 signs for no longer


def part_url(link: Link, key: str, session: str, number: int, size: int | None, expires: float) -> str:
    """A URL that takes PUT of one part until `expires`; with `size`, of exactly so many bytes (Content-Length is signed)."""
    query = urlencode({"partNumber": number, "uploadId": session})
    headers = {} if size is None else {"Content-Length": str(size)}
    request = AWSRequest(method="PUT", url=f"{_base(link)}/{quote(link.full(key), safe='/~')}?{query}", headers=headers)
    seconds = min(max(1, math.ceil(expires - time.time())), LONGEST)
    S3SigV4QueryAuth(link.credentials(), "s3", link.region, expires=seconds).add_auth(request)
    return str(request.url)


def _base(link: Link) -> str:
    """The bucket as clients reach it: by path where an endpoint is given, by host name at AWS."""
    base = link.at.public or link.at.endpoint
    return f"{base}/{link.bucket}" if base else f"https://{link.bucket}.s3.{link.region}.amazonaws.com"

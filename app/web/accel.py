"""Files that the proxy in front sends itself: nginx's X-Accel-Redirect.

The answer then is headers and a place, and nginx serves the file from its internal location (deploy/nginx.conf), whatever the speed of the
client: no thread of ours waits for it. What only we can judge right stays with us: 304 and 416 were answered before, and preconditions
or forms of Range that nginx reads differently are streamed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from flask import Request

from app.core.ports import Fetched
from app.web.conditions import Span
from app.web.dialect import doors

# One range that everybody reads alike. nginx answers 416 to numbers beyond 63 bits and to what it cannot parse, where RFC 9110 14.2 wants the whole.
PLAIN_RANGE = re.compile(r"bytes=([0-9]{1,18}-[0-9]{0,18}|-[1-9][0-9]{0,17})")
JUDGED_BY_NGINX = ("If-Match", "If-Unmodified-Since")  # against its own idea of the file: 412


def place(request: Request, fetched: Fetched, span: Span) -> str | None:
    """Where nginx finds the bytes, to be told by `headers`; None when this answer is ours to send."""
    prefix = doors().accel
    if prefix is None or fetched.path is None or any(name in request.headers for name in JUDGED_BY_NGINX):
        return None
    asked = request.headers.get("Range")
    if asked is not None and not (span.partial and PLAIN_RANGE.fullmatch(asked)):
        return None
    return f"{prefix}/{quote(fetched.path)}"


def headers(head: Mapping[str, str], place: str) -> dict[str, str]:
    """The headers of an answer that nginx completes. Those of the length and the range are its own, and would come twice."""
    return {name: value for name, value in head.items() if name != "Accept-Ranges"} | {"X-Accel-Redirect": place}

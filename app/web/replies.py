"""What every dialect's answers share: absolute URLs, the headers of an accepted operation, JSON with an ETag."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, json, request

from app.core.errors import Code, UploadError
from app.core.operation import Operation
from app.web.dialect import doors

UNDERSCORED = re.compile(r"[A-Za-z0-9._-]+(?::([0-9]{1,5}))?")
HIGHEST_PORT = 65535
POLL = "1"  # seconds between polls that we ask for


def base_url() -> str:
    """The public base that the client can reach, without a slash at the end: configured, or as the request came in."""
    return doors().public_url or f"{request.scheme}://{_host()}{request.root_path}".rstrip("/")


def _host() -> str:
    """The request's host. An underscore is no part of a host name, yet names in container networks have it."""
    told = request.headers.get("Host", "")
    odd = UNDERSCORED.fullmatch(told)
    return request.host or (told if odd and int(odd[1] or 0) <= HIGHEST_PORT else "")


def require_host() -> None:
    """Raise UploadError(BAD_REQUEST) when no place of ours could be told: before anything is made (RFC 9112, section 3.2)."""
    if doors().public_url is None and not _host():
        raise UploadError(Code.BAD_REQUEST, reason="the Host header is malformed")


def absolute(path: str) -> str:
    """An absolute URL for a path of ours; one that is absolute already stays."""
    return path if urlsplit(path).scheme else f"{base_url()}{path}"


def monitor_url(op: Operation, dialect: str) -> str:
    """Where the clients of `dialect` poll an operation."""
    return absolute(doors().dialects[dialect].monitor(op))


def accepted(body: object, location: str, poll: str = POLL) -> Response:
    """202 with the status monitor in Location and Operation-Location (RFC 9110, section 15.3.3), and when to look."""
    response = Response(json.dumps(body), 202, content_type="application/json")
    response.headers["Location"] = response.headers["Operation-Location"] = location
    response.headers["Retry-After"] = poll
    response.headers["Cache-Control"] = "no-store"
    return response


def answer(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")

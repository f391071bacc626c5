"""Conditional and partial requests (RFC 9110 13 and 14), preferences (RFC 7240), and the name that a download gets (RFC 6266)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from flask import Request, Response
from werkzeug.http import (
    parse_content_range_header,
    parse_etags,
    parse_if_range_header,
    parse_list_header,
    parse_options_header,
    parse_range_header,
    unquote_etag,
)

from app.core.errors import Code, UploadError

NOT_PLAIN = re.compile(r'[^\x20-\x7e]|["\\%]')  # RFC 6266 appendix D: what clients disagree about in a quoted filename
LONGEST_WAIT = 9  # digits


# ---------------------------------------------------------------- entity tags


def tag(response: Response) -> None:
    """Give the response a strong ETag of its bytes."""
    response.add_etag(overwrite=True)


def unless_same(request: Request, response: Response) -> Response:
    """The response, or 304 when the client has the same already (If-None-Match). Raises PRECONDITION when it insists on another (If-Match)."""
    mine = response.get_etag()[0]
    response.make_conditional(request.environ)
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        raise UploadError(Code.PRECONDITION, version=mine)
    return response


def not_modified(request: Request, etag: str) -> bool:
    """Whether a GET or HEAD names `etag` (quoted) in If-None-Match: a list or `*`, compared weakly (RFC 9110 13.1.2)."""
    known = parse_etags(request.headers.get("If-None-Match"))
    return request.method in {"GET", "HEAD"} and known.contains_weak(unquote_etag(etag)[0])


def still(request: Request, etag: str) -> bool:
    """Whether If-Match lets the request pass for `etag` (quoted): no such field, `*`, or the tag in its list, compared strongly (13.1.1)."""
    wanted = parse_etags(request.headers.get("If-Match"))
    return not wanted or wanted.contains(unquote_etag(etag)[0])


def require_still(request: Request, etag: str, version: int | str) -> None:
    """Raise UploadError(PRECONDITION) when If-Match names another tag than `etag` (quoted); `version` is what the client is told (13.1.1)."""
    told = request.headers.get("If-Match")
    if told is not None and not parse_etags(told).contains(unquote_etag(etag)[0]):
        raise UploadError(Code.PRECONDITION, version=version)


# ---------------------------------------------------------------- ranges


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes to send: from `first`, `length` of them; `partial` when that is an answer to Range (206)."""

    first: int
    length: int
    partial: bool = False


def span(request: Request, size: int, etag: str) -> Span:
    """What to send of `size` bytes tagged `etag` (quoted): all, or the one range asked for (RFC 9110 14.2).

    All also for HEAD, several ranges, another unit, a malformed field, or when If-Range names another tag or a date. Raises UploadError(RANGE).
    """
    wanted = parse_range_header(request.headers.get("Range"))
    if request.method != "GET" or wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1 or not _in_force(request, etag):
        return Span(0, size)
    first, stop = wanted.ranges[0]
    first = max(0, size + first) if first < 0 else first
    if first >= size:
        raise UploadError(Code.RANGE, size=size)
    return Span(first, min(size, stop or size) - first, partial=True)


def _in_force(request: Request, etag: str) -> bool:
    """Whether If-Range allows a part. Compared strongly, so a weak tag never does (13.1.5); we give no dates, so neither does a date."""
    value = request.headers.get("If-Range")
    return value is None or (not value.startswith("W/") and parse_if_range_header(value).etag == unquote_etag(etag)[0])


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes of the whole a PUT brings: `first` to `last`, both included; `total` is None when the client does not know it yet."""

    first: int
    last: int
    total: int | None

    @property
    def length(self) -> int:
        """How many bytes the body must have."""
        return self.last - self.first + 1


def content_range(header: str | None) -> ContentRange | None:
    """`bytes {first}-{last}/{total or *}` of a PUT (RFC 9110 14.5), None without the field. Raises UploadError(BAD_REQUEST)."""
    if header is None:
        return None
    found = parse_content_range_header(header)
    if found is None or found.units != "bytes" or found.start is None or found.stop is None:
        raise UploadError(Code.BAD_REQUEST, reason="Content-Range is not `bytes first-last/total`")
    if found.length is not None and found.stop > found.length:
        raise UploadError(Code.BAD_REQUEST, reason="Content-Range reaches beyond its total")
    return ContentRange(found.start, found.stop - 1, found.length)


# ---------------------------------------------------------------- preferences


@dataclass(frozen=True, slots=True)
class Preferences:
    """What of `Prefer` we know: `wait` in seconds, and whether an asynchronous answer is wanted."""

    wait: int | None = None
    respond_async: bool = False


def prefer(request: Request) -> Preferences:
    """The preferences of a request. What is malformed or unknown is ignored (RFC 7240 2); of two of a kind the first counts."""
    told: dict[str, str] = {}
    for item in parse_list_header(",".join(request.headers.getlist("Prefer"))):
        name, _, value = item.partition(";")[0].partition("=")
        told.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = told.get("wait", "")
    seconds = int(wait) if wait.isascii() and wait.isdecimal() and len(wait) <= LONGEST_WAIT else None
    return Preferences(seconds, "respond-async" in told)


# ---------------------------------------------------------------- names


def content_disposition(filename: str, disposition: str = "attachment") -> str:
    """`attachment` or `inline` with the filename: plain where ASCII says it all, else a stand-in and `filename*` (RFC 8187)."""
    plain = NOT_PLAIN.sub("_", filename)
    value = f'{disposition}; filename="{plain}"'
    return value if plain == filename else f"{value}; filename*=UTF-8''{quote(filename.encode('utf-8', 'replace'), safe='')}"


def filename(header: str | None) -> str | None:
    """The filename in a request's Content-Disposition, `filename*` before `filename`.

    Bytes beyond ASCII come as Latin-1 through WSGI (PEP 3333) and are UTF-8 from every client that sends them (RFC 7578, section 5.1).
    """
    told = parse_options_header(header)[1].get("filename") or None
    try:
        return told.encode("latin-1").decode() if told else None
    except UnicodeError:
        return told

"""The port Fetcher over httpcore: one GET a hop, nothing kept between two fetches."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property

import httpcore

from app.core.errors import Code, UploadError
from app.fetching.addresses import Guard
from app.fetching.body import FetchedBody
from app.fetching.places import Place, parse
from app.fetching.refusals import ENCODED, NO_HTTP, REDIRECTS, failed, refused
from app.fetching.wire import Clock, Pace, Resolve, Wire, resolve

logging.getLogger("httpcore").setLevel(logging.WARNING)  # it would write whole URLs, with what signs them, into our log

MOST_REDIRECTS = 5
OK = 200
MOVED = frozenset((301, 302, 303, 307, 308))  # RFC 9110 15.4
PACE = Pace()


class HttpFetcher:
    """Safe to build before a fork, and for many threads; opens nothing until it fetches.

    `allow`: networks in CIDR form that may be fetched from although they are not public; ValueError for one that is none.
    `trust`: whose certificates count; this machine's and Mozilla's without it. `resolver` and `pace` are for tests.
    """

    def __init__(
        self, allow: Iterable[str] = (), *, trust: ssl.SSLContext | None = None, resolver: Resolve = resolve, pace: Pace = PACE
    ) -> None:
        self._guard = Guard(allow)
        self._given = trust
        self._resolver = resolver
        self._pace = pace

    @contextmanager
    def fetch(self, url: str, limit: int) -> Iterator[FetchedBody]:
        """As the port says."""
        wire = Wire(self._guard, self._resolver, Clock(self._pace))
        with ExitStack() as hop:
            yield _body(self._follow(parse(url), wire, hop), limit)

    def _follow(self, place: Place, wire: Wire, hop: ExitStack) -> httpcore.Response:
        """The last answer of the chain. Each place is parsed, resolved and judged as the first one was; `hop` ends the connection to it."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(place, wire, hop)
            if answer.status not in MOVED:
                return answer
            place = place.moved(_only(answer, b"location"))
            hop.close()
        raise refused(REDIRECTS)

    def _ask(self, place: Place, wire: Wire, hop: ExitStack) -> httpcore.Response:
        url = httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target)
        trust = self._trust if place.scheme == "https" else None
        connection = hop.enter_context(closing(httpcore.HTTPConnection(url.origin, trust, network_backend=wire)))
        try:
            return connection.handle_request(httpcore.Request(b"GET", url, headers=_fields(place)))
        except httpcore.ProtocolError as error:
            raise failed(NO_HTTP) from error

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Made at the first use: reading all those certificates takes a while."""
        return self._given or httpcore.default_ssl_context()


def _fields(place: Place) -> list[tuple[bytes, bytes]]:
    """All that the other side learns of us."""
    return [
        (b"Host", place.authority.encode()),
        (b"User-Agent", b"Slipway"),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]


def _body(answer: httpcore.Response, limit: int) -> FetchedBody:
    """Raises FETCH_FAILED unless the answer is a plain 200, TOO_LARGE when it says itself that it is longer than `limit`."""
    if answer.status != OK:
        raise failed(f"the answer has status {answer.status}")
    if any(coding.strip().lower() != b"identity" for line in _all(answer, b"content-encoding") for coding in line.split(b",")):
        raise failed(ENCODED)
    length = _length(answer)
    if length is not None and length > limit:
        raise UploadError(Code.TOO_LARGE, limit=limit, size=length)
    return FetchedBody(iter(answer.iter_stream()), length, limit)


def _length(answer: httpcore.Response) -> int | None:
    """What h11 goes by (RFC 9112 6.3): it has refused lengths that differ or are no numbers, and lets Transfer-Encoding overrule one."""
    if _all(answer, b"transfer-encoding"):
        return None
    lengths = _all(answer, b"content-length")
    return int(lengths[0]) if lengths else None


def _all(answer: httpcore.Response, name: bytes) -> list[bytes]:
    return [text for field, text in answer.headers if field.lower() == name]


def _only(answer: httpcore.Response, name: bytes) -> bytes:
    found = _all(answer, name)
    if len(found) != 1:
        raise failed(f"the answer has status {answer.status} and does not say where to")
    return found[0]

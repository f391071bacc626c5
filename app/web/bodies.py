"""The body of a request, as the core's port `Body`: read once, from front to back, at the speed of the sender and never past its end.

How it is read is chosen for each request: spliced from gunicorn's socket into the file where nobody needs to see the bytes, received from the
socket where somebody does (a digest, a form), else with `read` from the server's stream (`sockets`). A sender that closes early, stalls or
crawls is ClientGone; what it sent before was handed over already.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import IO, Any

from flask import Request, Response
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from app.core.errors import ClientGone, Code, UploadError
from app.web import sockets
from app.web.pace import Pace
from app.web.sockets import BUFFER, Piece, written

KEPT = "slipway.body"  # the body in the environ: a request has one
TIER = "slipway.tier"  # how it was read, for the access log
SMALLEST_READ = 4 * 1024
SWIFT, SLOW = 0.05, 0.5  # seconds: reads grow while they take less than the one, and shrink when they take more than the other
LONGEST_NUMBER = 19  # digits of a Content-Length; 2^63 has as many


class Flow(ABC):
    """A `Body` made from one method: `receive`."""

    length: int | None = None

    @abstractmethod
    def receive(self, limit: int) -> Piece:
        """Some bytes, at most `limit`, good until the next call; none at the end. Raises ClientGone, UploadError(BAD_REQUEST)."""

    def into(self, fd: int, offset: int, limit: int) -> int:
        """See the port."""
        return written(fd, self.receive(limit), offset)

    def chunks(self, limit: int) -> Iterator[bytes]:
        """See the port."""
        while limit > 0 and (piece := bytes(self.receive(min(limit, BUFFER)))):
            limit -= len(piece)
            yield piece


class RequestBody(Flow):
    """What one request carries. `length` is None for a chunked body.

    `tier`: how it is read; `ended`: whether it was, to its end; `received`: how many bytes came so far.
    """

    def __init__(self, environ: dict[str, Any], pace: Pace | None = None) -> None:
        self.length = _length(environ)
        self.ended = self.length == 0
        self.received = 0
        self.wire = sockets.wire(environ)
        self._pace = pace or Pace()
        self._left = self.length
        self._environ = environ
        self._receive = partial(self.wire.receive, pace=self._pace) if self.wire else _Reads(get_input_stream(environ), self._pace).receive

    @property
    def tier(self) -> str | None:
        """`splice`, `socket`, `chunks` or `stream`; None without a body, and where none of it was asked for."""
        tier: str | None = self._environ.get(TIER)
        return tier

    def into(self, fd: int, offset: int, limit: int) -> int:
        """See the port."""
        if self.ended or self.wire is None:
            return super().into(fd, offset, limit)
        try:
            count = self.wire.into(fd, offset, limit if self._left is None else min(limit, self._left), self._pace)
        finally:
            self._environ[TIER] = self.wire.name
        self._count(count)
        return count

    def receive(self, limit: int) -> Piece:
        """See `Flow`."""
        if self.ended:
            return b""
        self._environ[TIER] = self.wire.name if self.wire else "stream"
        piece = memoryview(self._receive(limit if self._left is None else min(limit, self._left)))
        self._count(len(piece))
        return piece

    def _count(self, count: int) -> None:
        self.received += count
        if self._left is None:
            self.ended = count == 0
            return
        if count == 0:
            raise ClientGone
        self._left -= count
        self.ended = self._left == 0


class _Reads:
    """Through the server's stream. A read returns only when it is full, so its size follows the sender's speed."""

    def __init__(self, stream: IO[bytes], pace: Pace) -> None:
        self._stream = stream
        self._pace = pace
        self._size = SMALLEST_READ

    def receive(self, limit: int) -> bytes:
        before = self._pace.spent
        try:
            with self._pace.waiting():
                piece = self._stream.read(min(self._size, limit))
        except (OSError, ClientDisconnected):
            raise ClientGone from None
        except ParseException as error:
            raise UploadError(Code.BAD_REQUEST, reason="the body is malformed") from error
        self._pace.received(len(piece))
        self._resize(self._pace.spent - before)
        return piece

    def _resize(self, seconds: float) -> None:
        if seconds < SWIFT:
            self._size = min(self._size * 4, BUFFER)
        elif seconds > SLOW:
            self._size = max(self._size // 4, SMALLEST_READ)


def raw_body(request: Request) -> RequestBody:
    """The body of the request: the same one, however often it is asked for. Raises UploadError(BAD_REQUEST) for a bad Content-Length."""
    body: RequestBody | None = request.environ.get(KEPT)
    if body is None:
        body = request.environ[KEPT] = RequestBody(request.environ)
    return body


def _length(environ: Mapping[str, Any]) -> int | None:
    """The length of the body in bytes, 0 without one, None when only its end tells (RFC 9112 6.3)."""
    declared = environ.get("CONTENT_LENGTH", "")
    if declared:
        if not (declared.isascii() and declared.isdecimal() and len(declared) <= LONGEST_NUMBER):
            raise UploadError(Code.BAD_REQUEST, reason="Content-Length is no number")
        return int(declared)
    endless = environ.get("HTTP_TRANSFER_ENCODING") or _http2(environ)
    return None if endless and environ.get("wsgi.input_terminated") else 0


def _http2(environ: Mapping[str, Any]) -> bool:
    return str(environ.get("SERVER_PROTOCOL", "")).startswith("HTTP/2")


# ---------------------------------------------------------------- refusals


def refuse_rest(request: Request, response: Response) -> Response:
    """The response to give when the body may not have been read to its end.

    It closes the connection, and takes a little of what is still coming after it was sent, so that the client can read it. A body that
    was read, or whose rest is small, leaves response and connection as they are.
    """
    environ = request.environ
    unread = _unread(request)
    if unread == 0 or _http2(environ):
        return response
    closing = _Closing(response)
    closing.call_on_close(partial(sockets.drain, environ, unread))
    return closing


def _unread(request: Request) -> int | None:
    """How many bytes of the body are still to come: 0 when they do no harm, None when nobody knows."""
    try:
        body = raw_body(request)
    except UploadError:
        return None
    if body.ended:
        return 0
    if body.wire is None or body.wire.failed:
        return None
    unread = body.wire.still_to_come()
    return 0 if unread is not None and unread <= sockets.LEFT_TO_GUNICORN else unread


class _Closing(Response):
    """The same response, after which the connection is closed."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.response, response.status, response.headers, direct_passthrough=response.direct_passthrough)
        self.headers["Connection"] = "close"
        self.call_on_close(response.close)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        sockets.force_close(start_response)
        return super().__call__(environ, start_response)

"""gunicorn's inside, all of it that we touch: the socket behind a request, and what its parser read ahead.

Splicing the socket into a file takes a quarter of the time and of the processor of reading through gunicorn's parser, reading it into one
reused buffer a third (docs/performance.md). Seen in gunicorn 27.0.1, to which the project is pinned: `http/body.py`, `http/unreader.py`, `http/wsgi.py`. Where any
of these names is missing, or the connection is another one (TLS, HTTP/2, another server), `wire` says None and the body is read by `read`.
"""

from __future__ import annotations

import io
import os
import select
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ChunkMissingTerminator, ParseException

from app.core.errors import ClientGone, Code, UploadError
from app.web import splicing
from app.web.pace import Pace

BUFFER = 256 * 1024
DRAIN_BYTES = 8 * 1024 * 1024
DRAIN_SECONDS = 2.0
LEFT_TO_GUNICORN = 64 * 1024  # so much of an unread body gunicorn discards itself, and keeps the connection

Piece = bytes | memoryview

_local = threading.local()


def buffer() -> memoryview:
    """The thread's own buffer. What is in it holds until the thread receives again."""
    held: memoryview | None = getattr(_local, "buffer", None)
    if held is None:
        held = _local.buffer = memoryview(bytearray(BUFFER))
    return held


class Wire(ABC):
    """The body of one request on a connection of gunicorn's. `name` says how it is read."""

    name: str

    def __init__(self, sock: socket.socket, body: Any) -> None:
        self.sock = sock
        self._body = body
        self._reader = body.reader
        self._held: bytes | None = None
        self._last = 0

    def still_to_come(self) -> int | None:
        """How many bytes of the body have not come in yet; None when that cannot be known. What has come stays with the wire."""
        self._from_held(0)
        return self._expected()

    @abstractmethod
    def _expected(self) -> int | None:
        """How many bytes gunicorn still wants from the socket."""

    @property
    def failed(self) -> bool:
        """Whether nobody knows any more where the next request would begin."""
        return bool(self._body.failed)

    def receive(self, limit: int, pace: Pace) -> Piece:
        """Some bytes of the body, at most `limit`; none at its end. Raises ClientGone, UploadError(BAD_REQUEST)."""
        if self.failed:
            raise ClientGone
        try:
            return self._from_held(limit) or self._receive(limit, pace)
        except (OSError, ClientGone):
            self._body.failed = True
            raise ClientGone from None

    def into(self, fd: int, offset: int, limit: int, pace: Pace) -> int:
        """As `receive`, and into a file at `offset`. Raises OSError too, for the faults of the file."""
        return written(fd, self.receive(limit, pace), offset)

    def _from_held(self, limit: int) -> bytes:
        if self._held is None:
            self._held = self._take_held()
        piece, self._held = self._held[:limit], self._held[limit:]
        return piece

    @abstractmethod
    def _take_held(self) -> bytes:
        """What the parser read beyond the head, and nothing of a request behind this one."""

    @abstractmethod
    def _receive(self, limit: int, pace: Pace) -> Piece:
        """Some bytes from the socket; none at the end of the body."""


class Lengthy(Wire):
    """A body of known length on a plain socket: straight from the socket, never past its end.

    The reader's own count goes along, so that gunicorn knows at any moment what is left. `splice` while bytes go into a file that nobody
    needs to see, `socket` when they are received.
    """

    name = "socket"
    _splices = True

    def _expected(self) -> int:
        return int(self._reader.length)

    def _take_held(self) -> bytes:
        read: bytes = self._body.buf.getvalue()
        self._body.buf = io.BytesIO()
        ahead: bytes = self._reader.unreader.take_buffered()
        mine, next_request = ahead[: self._reader.length], ahead[self._reader.length :]
        self._reader.unreader.unread(next_request)
        self._reader.length -= len(mine)
        return read + mine

    def _receive(self, limit: int, pace: Pace) -> Piece:
        view = buffer()[: min(limit, self._reader.length)]
        if not view:
            return b""
        self._came(self._some(view, pace), pace)
        return view[: self._last]

    def _came(self, count: int, pace: Pace) -> None:
        if not count:
            raise ClientGone
        self._last = count
        self._reader.length -= count
        pace.received(count)

    def into(self, fd: int, offset: int, limit: int, pace: Pace) -> int:
        """See `Wire`."""
        if not self._splices or self.failed:
            return super().into(fd, offset, limit, pace)
        self.name = "splice"
        if held := self._from_held(limit):
            return written(fd, held, offset)
        try:
            return self._spliced(fd, offset, min(limit, self._reader.length), pace)
        except splicing.Unable:
            self._splices, self.name = False, "socket"
            return super().into(fd, offset, limit, pace)

    def _spliced(self, fd: int, offset: int, limit: int, pace: Pace) -> int:
        if limit <= 0:
            return 0
        pipe = splicing.pipe()
        try:
            count = self._piped(pipe, limit, pace)
        except (OSError, ClientGone):
            splicing.forget()
            self._body.failed = True
            raise ClientGone from None
        pipe.give(fd, offset, count)
        return count

    def _piped(self, pipe: splicing.Pipe, limit: int, pace: Pace) -> int:
        """Looks before each splice: on a socket that blocks it would wait, whatever its flags say (tcp_splice_read)."""
        deadline = time.monotonic() + pace.idle
        while True:
            if not _ready(self.sock):
                with pace.waiting():
                    _wait(self.sock, deadline)
            with suppress(BlockingIOError):
                count = pipe.take(self.sock, limit)
                self._came(count, pace)
                return count

    def _some(self, view: memoryview, pace: Pace) -> int:
        """What the kernel has, or what comes before the deadline."""
        deadline = time.monotonic() + pace.idle
        while True:
            with suppress(BlockingIOError):
                return self.sock.recv_into(view, 0, socket.MSG_DONTWAIT)
            with pace.waiting():
                _wait(self.sock, deadline)


class Chunked(Wire):
    """A chunked body: piece by piece as gunicorn's parser gives them, one receive each, instead of waiting until a whole read is full."""

    name = "chunks"

    def _expected(self) -> int | None:
        return None if self._reader.parser else 0

    def _take_held(self) -> bytes:
        read: bytes = self._body.buf.getvalue() + self._reader.buf.getvalue()
        self._body.buf, self._reader.buf = io.BytesIO(), io.BytesIO()
        return read

    def _receive(self, limit: int, pace: Pace) -> Piece:
        before = self.sock.gettimeout()
        self.sock.settimeout(pace.idle)
        try:
            with pace.waiting():
                self._held = self._piece()
        finally:
            self.sock.settimeout(before)
        pace.received(len(self._held))
        return self._from_held(limit)

    def _piece(self) -> bytes:
        try:
            for piece in self._reader.parser or ():
                if piece:
                    return bytes(piece)
        except ParseException as error:
            self._body.failed = True
            cut = isinstance(error, ChunkMissingTerminator) and len(error.term) < len(b"\r\n")
            raise ClientGone if cut else UploadError(Code.BAD_REQUEST, reason="the chunked body is malformed") from error
        self._reader.parser = None
        return b""


READERS: Mapping[str, type[Wire]] = {"LengthReader": Lengthy, "ChunkedReader": Chunked}


def wire(environ: Mapping[str, Any]) -> Wire | None:
    """The wire behind a request; None where it is not HTTP/1 on a plain socket of the gunicorn that we know."""
    sock, body = environ.get("gunicorn.socket"), environ.get("wsgi.input")
    reader = getattr(body, "reader", None)
    kind = READERS.get(type(reader).__name__)
    if type(sock) is not socket.socket or kind is None or not _known(body, reader):
        return None
    return kind(sock, body)


def _known(body: Any, reader: Any) -> bool:
    """Whether all the names are there that we are going to use."""
    if not type(body).__module__.startswith("gunicorn.") or not hasattr(body, "buf") or not hasattr(body, "failed"):
        return False
    if type(reader).__name__ == "ChunkedReader":
        return hasattr(reader, "parser") and hasattr(reader, "buf")
    unreader = getattr(reader, "unreader", None)
    return hasattr(reader, "length") and hasattr(unreader, "take_buffered") and hasattr(unreader, "unread")


def force_close(start_response: Callable[..., Any]) -> None:
    """Have gunicorn say `Connection: close`, and do it. It drops the header that an app sets; its `start_response` is the response's method."""
    close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if close is not None:
        close()


def drain(environ: Mapping[str, Any], most: int | None) -> None:
    """After the answer and before the close: take what the client still sends, 8 MiB or 2 s of it, so that it can read the answer.

    A socket that is closed with bytes unread resets the connection, and the client may lose what it was sent (RFC 9112 9.6).
    `most`: what is left of the body, None when nobody knows. Does nothing where no deadline can be put on a socket.
    """
    sock = environ.get("gunicorn.socket")
    if not isinstance(sock, socket.socket):
        return
    left, deadline = min(DRAIN_BYTES, DRAIN_BYTES if most is None else most), time.monotonic() + DRAIN_SECONDS
    with suppress(OSError):
        if type(sock) is socket.socket:  # TLS has a farewell of its own
            sock.shutdown(socket.SHUT_WR)
        while left > 0 and (seconds := deadline - time.monotonic()) > 0:
            sock.settimeout(seconds)
            count = sock.recv_into(buffer())
            left = left - count if count else 0


def written(fd: int, piece: Piece, offset: int) -> int:
    """Put a piece into a file at `offset`. Returns its size."""
    view = memoryview(piece)
    while view:
        count = os.pwrite(fd, view, offset)
        view, offset = view[count:], offset + count
    return len(piece)


def _wait(sock: socket.socket, deadline: float) -> None:
    """Until there is something to receive. Raises ClientGone at the deadline."""
    if not _ready(sock, max(0.0, deadline - time.monotonic())):
        raise ClientGone


def _ready(sock: socket.socket, seconds: float = 0.0) -> bool:
    """Whether there is something to receive, or the end, within so many seconds."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))

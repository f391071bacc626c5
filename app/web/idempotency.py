"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-06): a request that is sent again is answered again, and done once.

What a request with a key makes has an id that is kept before anything is made, and the digest of its body is kept before anything is made
of that. So whatever a process that died left behind, the next attempt finds it, and knows whether it is the same request. Only answers
to requests that did something are kept; who was refused may send another request with the same key.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, cast

import http_sf
from flask import Request, Response, request
from werkzeug.http import parse_options_header

from app.core import keys, timing
from app.core.errors import Code, Fault, UploadError
from app.core.policy import Scope
from app.core.ports import Kept, Replies, Reply, Turn
from app.web import bodies
from app.web.bodies import Flow, RequestBody, raw_body
from app.web.dialect import doors
from app.web.mount import dialect_at
from app.web.sockets import Piece

log = logging.getLogger(__name__)

FIELD, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
KEY = re.compile(r"[!-~]{1,255}")
BARE = re.compile(
    r"[!#-+\-.-:<-\[\]-~]{1,255}"
)  # as most clients send it: without quotes, and what would mean something to a structured field
RUN = "slipway.run"  # the run in the environ
RENEW = timing.RUNNING / 3
RETRY_AFTER = 5  # seconds
LONGEST_REPLY = 32 * 1024  # characters; a longer one is made anew
REST = 1024 * 1024  # bytes of a body that nobody wanted, and that are read all the same, to know it again; and of a form's delimiters

P = ParamSpec("P")


def key_of(request: Request) -> str | None:
    """The key: a string (RFC 9651, section 3.3.3), or bare. Raises UploadError(BAD_REQUEST) unless it has 1 to 255 visible characters."""
    value = request.headers.get(FIELD)
    if value is None or BARE.fullmatch(value.strip()):
        return value.strip() if value else value
    with suppress(http_sf.StructuredFieldError, UnicodeEncodeError):
        found = cast("Any", http_sf.parse(value.encode("ascii"), tltype="item"))
        told = found[0] if isinstance(found, tuple) else found
        if isinstance(told, str) and KEY.fullmatch(told):
            return str(told)
    raise UploadError(Code.BAD_REQUEST, reason=f"{FIELD} is no string of 1 to 255 visible ASCII characters")


def idempotent(scope: Scope) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """The view, run once for every key of a principal. It asks `current` for the id of what it makes.

    `scope`: what the view asks for. An answer that is kept is given to nobody else: two tokens of one client may differ in their scopes.
    Raises UploadError: BAD_REQUEST (the key), IDEMPOTENCY_REUSED, IDEMPOTENCY_RUNNING, UNAUTHENTICATED, FORBIDDEN; and what the view raises.
    """

    def wrapped(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def once(*args: P.args, **kwargs: P.kwargs) -> Response:
            key, dialect = key_of(request), dialect_at(request.path)
            if key is None or dialect is None:
                return view(*args, **kwargs)
            who = dialect.authenticate(request)
            doors().access.require(who, scope)
            return _once((who.tenant, who.owner, key), lambda: view(*args, **kwargs))

        return once

    return wrapped


def current() -> Run | None:
    """The run of this request; None for one without a key."""
    run: Run | None = request.environ.get(RUN)
    return run


def _once(name: tuple[str, str, str], view: Callable[[], Response]) -> Response:
    replies, head = doors().replies, _head(request)
    found = replies.begin(name)
    kept = found.kept if isinstance(found, Turn) else found
    if kept and kept.head != head:
        if isinstance(found, Turn):
            replies.end(found, kept)
        raise UploadError(Code.IDEMPOTENCY_REUSED)
    if isinstance(found, Turn):
        return Run(replies, found, kept or Kept(head, keys.new_id())).answer(view)
    if kept is None or kept.reply is None:
        raise UploadError(Code.IDEMPOTENCY_RUNNING, retry_after=RETRY_AFTER)
    _require_same_body(kept)
    return _marked(Response(kept.reply.text, kept.reply.status, kept.reply.headers))


def _head(request: Request) -> str:
    """What identifies a request but for its body. Who sends it is in the name already."""
    disposition = request.headers.get("Content-Disposition", "")
    told = [request.method, request.path, request.query_string.decode("latin-1"), request.mimetype, disposition]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _marked(response: Response) -> Response:
    response.headers[REPLAYED] = "true"
    return response


class Run:
    """A request with a key, from its turn to its answer. `resumed`: an earlier run was not answered, and may have made what has the `id`."""

    def __init__(self, replies: Replies, turn: Turn, kept: Kept) -> None:
        self._replies, self._turn, self._kept = replies, turn, kept
        self.resumed = turn.kept is not None

    @property
    def id(self) -> str:
        """Of what the request makes."""
        return self._kept.id

    def anew(self) -> str:
        """Another id: what had the old one is no more. Raises UploadError(IDEMPOTENCY_RUNNING)."""
        self._note(replace(self._kept, id=keys.new_id()))
        return self.id

    def answer(self, view: Callable[[], Response]) -> Response:
        """What the view answers, kept for the next time. Raises what the view raises."""
        request.environ[RUN] = self
        with self._renewed():
            try:
                if not self.resumed:
                    self._note(self._kept)
                request.environ[bodies.KEPT] = _Arriving(request, self._arrived)
                response = view()
            except UploadError as refusal:
                nothing = not self.resumed and refusal.code is not Code.LOCKED
                self._end(None if nothing else self._turn.kept or self._kept)
                raise
            except BaseException:
                self._end(self._kept)  # nobody knows how far it came: the next attempt sees
                raise
            self._end(self._answered(response))
        return _marked(response) if self.resumed else response

    def _arrived(self, payload: str, size: int) -> None:
        """The body is there, and nothing was made of it yet."""
        if self._kept.payload is None:
            self._note(replace(self._kept, payload=payload, size=size))
        elif (self._kept.payload, self._kept.size) != (payload, size):
            raise UploadError(Code.IDEMPOTENCY_REUSED)

    def _answered(self, response: Response) -> Kept:
        """Kept with the answer, unless it is too long, or its request was not read to its end."""
        body = raw_body(request)
        for _ in body.chunks(REST):
            pass
        text = response.get_data(as_text=True)
        if not body.ended or len(text) > LONGEST_REPLY:
            return self._kept
        headers = tuple((name, value) for name, value in response.headers if name != "Content-Length")
        return replace(self._kept, reply=Reply(response.status_code, headers, text))

    def _note(self, kept: Kept) -> None:
        if not self._replies.note(self._turn, kept):
            raise UploadError(Code.IDEMPOTENCY_RUNNING, retry_after=RETRY_AFTER)
        self._kept = kept

    def _end(self, kept: Kept | None) -> None:
        """What was done is done, and is answered, whether this can be kept or not: the next attempt finds what was made."""
        try:
            self._replies.end(self._turn, kept)
        except Fault as down:
            log.warning("answer not kept", extra={"reason": str(down), "path": request.path})

    @contextmanager
    def _renewed(self) -> Iterator[None]:
        """The turn is kept while the request runs, however long its body takes or its client is silent."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(RENEW):
                with suppress(Fault):
                    self._replies.renew(self._turn)

        thread = threading.Thread(target=renew, name="idempotency", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()


# ---------------------------------------------------------------- bodies


class _Payload:
    """The digest of a body. A form's boundary is drawn anew with every attempt, and is no part of what is sent."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("Content-Type"))
        self.form = kind.lower() == "multipart/form-data"
        self._boundary = options.get("boundary", "").encode() if self.form else b""
        self._hash, self._held, self.size = hashlib.sha256(), b"", 0

    def update(self, piece: Piece) -> None:
        """The next bytes."""
        if not self._boundary:
            self._add(piece)
            return
        *whole, last = (self._held + piece).split(self._boundary)
        sure = max(0, len(last) + 1 - len(self._boundary))  # what follows may be the beginning of another
        for run in (*whole, last[:sure]):
            self._add(run)
        self._held = last[sure:]

    def digest(self) -> tuple[str, int]:
        """Of everything, which ends here; and how many bytes it has."""
        self._add(self._held)
        self._held = b""
        return self._hash.hexdigest(), self.size

    def _add(self, run: Piece) -> None:
        self._hash.update(run)
        self.size += len(run)


class _Arriving(RequestBody):
    """The same body; `arrived` hears of its digest and size as soon as it has come, before whoever reads it does."""

    def __init__(self, request: Request, arrived: Callable[[str, int], None]) -> None:
        super().__init__(request.environ)
        self._payload, self._arrived = _Payload(request), arrived
        if self.ended:
            arrived(*self._payload.digest())

    into = Flow.into  # every byte goes through `receive`
    chunks = Flow.chunks

    def receive(self, limit: int) -> Piece:
        """See `Flow`."""
        piece = super().receive(limit)
        self._payload.update(piece)
        if self.ended:
            self._arrived(*self._payload.digest())
        return piece


def _require_same_body(kept: Kept) -> None:
    """Read the body, as far as the one before went. Raises UploadError(IDEMPOTENCY_REUSED) unless it is the same."""
    payload, body, size = _Payload(request), raw_body(request), kept.size or 0
    if not payload.form and body.length not in {None, size}:
        raise UploadError(Code.IDEMPOTENCY_REUSED)
    for piece in body.chunks(size + REST):
        payload.update(piece)
    if not body.ended or payload.digest() != (kept.payload, kept.size):
        raise UploadError(Code.IDEMPOTENCY_REUSED)

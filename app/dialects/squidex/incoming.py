"""The form that brings a file, or an address in its place; judged in the order of the vendor's `AssetFileResolver`, in its words.

A refusal of the framework (415) comes before all, the limit of the whole body (413) next; then how many files there are, whether the one has
a type, whether it has a name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import request

from app.core.errors import Code, UploadError
from app.dialects.squidex.asked import NAME, invalid
from app.web.bodies import Flow, raw_body
from app.web.dialect import doors
from app.web.digests import verified
from app.web.forms import FormUpload, open_form
from app.web.sockets import Piece

FORM = "multipart/form-data"
NO_TYPE = "File content-type is not defined."
NO_NAME = "File name is not defined."
ADDRESS, ADDRESS_NAME, PARENT_FIELD = "url", "name", "parentid"  # fields, in small letters


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came: a file, or the address of one with the name that it shall have. `fields`: all of them once the file is read."""

    file: FormUpload | None
    fields: dict[str, str]
    verify: Callable[[], None] | None = None

    def field(self, name: str) -> str:
        """A field of the form, by its name in small letters; empty when there is none."""
        return next((value.strip() for known, value in self.fields.items() if known.lower() == name), "")


@dataclass(slots=True)
class _Capped(Flow):
    """The body of the request, as long as it is no longer than the dialect allows."""

    raw: Flow
    limit: int
    length: int | None = None
    came: int = field(default=0)

    def receive(self, limit: int) -> Piece:
        """See `Flow`. Raises UploadError(TOO_LARGE)."""
        piece = self.raw.receive(limit)
        self.came += len(piece)
        _within(self.came, self.limit)
        return piece


def incoming() -> Incoming:
    """The request's form, read up to its file. Raises UploadError: UNSUPPORTED_TYPE, TOO_LARGE, BAD_REQUEST, INVALID; ClientGone.

    While the file is read: the same, BAD_REQUEST with the fact `files` when another one follows.
    """
    if request.mimetype != FORM:
        raise UploadError(Code.UNSUPPORTED_TYPE, media_type=request.mimetype, accepted=FORM)
    raw, limit = raw_body(request), doors().policies[NAME].max_bytes
    _within(raw.length or 0, limit)
    capped = _Capped(raw, limit, raw.length)
    flow, verify = verified(capped, request.headers)
    form = open_form(request.headers.get("Content-Type", ""), flow)
    came = Incoming(form.file, form.fields, verify)
    if form.file is not None:
        _judge(form.file)
    elif not (came.field(ADDRESS) and came.field(ADDRESS_NAME)):
        raise UploadError(Code.BAD_REQUEST, reason="the form has no file", **({"files": 0} if capped.came else {}))
    return came


def _judge(file: FormUpload) -> None:
    """Raise what is wrong with the file; that there is another one is the first thing to say, so the rest is read."""
    lacking = [text for text, value in ((NO_TYPE, file.content_type), (NO_NAME, file.filename)) if not (value or "").strip()]
    if lacking:
        deque(file.body.chunks(doors().policies[NAME].max_bytes), maxlen=0)
        raise invalid(lacking[0])


def _within(size: int, limit: int) -> None:
    if size > limit:
        raise UploadError(Code.TOO_LARGE, limit=limit, size=size)

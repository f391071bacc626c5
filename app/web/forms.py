"""multipart/form-data (RFC 7578), its one file streamed while it arrives.

werkzeug's hook for this, `_get_file_stream`, hands over a file for the parser to write into: the parser pushes, while a store pulls and
looks after its lock between two pieces, and the fields would be known only when the file is down. So its decoder is driven here
directly: bytes go in as the store asks for more, and the file's come out. Nothing is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import NEED_DATA, Data, Epilogue, Event, Field, File, MultipartDecoder

from app.core.errors import Code, Fact, UploadError
from app.core.ports import Body
from app.web.bodies import Flow, raw_body
from app.web.digests import verified
from app.web.sockets import BUFFER, Piece

MAX_PARTS = 1000  # Flask's own defaults
MAX_FIELDS = 500_000  # bytes, of all fields together
MAX_HELD = 2 * BUFFER  # bytes that the decoder may hold undecided: a part's head, a preamble, an epilogue
OVERHEAD = 1024 * 1024  # bytes by which a form may be longer than the file in it
PADDING = 64  # characters behind a delimiter that are looked at
LONGEST_BOUNDARY = 200  # characters; RFC 2046 5.1.1 allows 70


@dataclass(frozen=True, slots=True)
class FormUpload:
    """The file of a form: the name of its field, what the client calls it and says it is, and its bytes.

    `fields`: the text fields, the first of each name; those behind the file are there when the body has ended.
    `content_type`: the Content-Type of its part as it was sent, with its parameters; empty when there was none.
    """

    name: str
    filename: str | None
    declared_type: str | None
    body: Body
    fields: dict[str, str] = field(default_factory=dict)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that may come without a file: then `file` is None, and every field is there already.

    `values`: every value of each text field, for those that a vendor takes as a list.
    """

    fields: dict[str, str]
    file: FormUpload | None = None
    values: dict[str, list[str]] = field(default_factory=dict)


def form_upload(request: Request) -> tuple[FormUpload, Callable[[], None] | None]:
    """The form's file, read up to its first byte, and what verifies the digest of the whole message, to be called at the end.

    Raises UploadError(BAD_REQUEST): no form, malformed, or without a file; ClientGone. The same while the body is read, and for a second file.
    Where nothing is wrong but the number of files, that is the fact `files` of the refusal; 2 stands for more than one.
    """
    raw, verify = verified(raw_body(request), request.headers)
    return read_form(request.headers.get("Content-Type", ""), raw), verify


def read_form(content_type: str, raw: Flow) -> FormUpload:
    """The file of the form in `raw`. Raises as `form_upload`."""
    file = open_form(content_type, raw).file
    if file is None:
        raise _malformed("the form has no file", files=0)
    return file


def open_form(content_type: str, raw: Flow) -> Form:
    """The form in `raw`, read up to its file or to its end. Raises as `form_upload`, but not for want of a file."""
    parts = _Parts(raw, _boundary(content_type))
    head = parts.find_file()
    if head is None:
        return Form(parts.fields, values=parts.values)
    sent = (head.headers.get("Content-Type") or "").strip()
    declared = parse_options_header(sent)[0]
    file = FormUpload(head.name or "", head.filename or None, declared or None, parts, parts.fields, sent)
    return Form(parts.fields, file, parts.values)


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not boundary.isascii() or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise _malformed("multipart/form-data with a boundary is needed")
    return boundary.encode()


def _malformed(reason: str, **facts: Fact) -> UploadError:
    return UploadError(Code.BAD_REQUEST, reason=reason, **facts)


class _Parts(Flow):
    """The bytes of a form's file, and its fields. At the file's end the rest of the form is read before the end is told."""

    def __init__(self, raw: Flow, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self._raw = raw
        self._decoder = MultipartDecoder(boundary, MAX_HELD, max_parts=MAX_PARTS)
        self._half_delimiter = re.compile(rb"--%s(-|[ \t]*\r?)\Z" % re.escape(boundary))
        self._tail = len(boundary) + PADDING
        self._budget = MAX_FIELDS
        self._piece = memoryview(b"")
        self._more = False

    def find_file(self) -> File | None:
        """The head of the file, after the fields before it; None when the form ends without one."""
        head = self._past_fields()
        self._more = head is not None
        return head

    def receive(self, limit: int) -> Piece:
        """See `Flow`."""
        while not self._piece and self._more:
            data = self._data()
            self._piece, self._more = memoryview(data.data), data.more_data
            if not self._more and self._past_fields() is not None:
                raise _malformed("the form has more than one file", files=2)
        piece, self._piece = self._piece[:limit], self._piece[limit:]
        return piece

    def _past_fields(self) -> File | None:
        """The head of the next file; None at the end of the form."""
        while not isinstance(event := self._event(), Epilogue):
            if isinstance(event, File):
                return event
            if isinstance(event, Field):
                self._keep(event)
        return None

    def _keep(self, head: Field) -> None:
        value, more = bytearray(), True
        while more:
            data = self._data()
            value, more = value + data.data, data.more_data
            self._budget -= len(data.data)
            if self._budget < 0:
                raise _malformed("the form's fields are too large")
        text = value.decode("utf-8", "replace")
        self.fields.setdefault(head.name or "", text)
        self.values.setdefault(head.name or "", []).append(text)

    def _data(self) -> Data:
        event = self._event()
        if not isinstance(event, Data):
            raise _malformed("the form is broken off")
        return event

    def _event(self) -> Event:
        """What comes next in the form, however many bytes it takes to know."""
        try:
            while self._undecided() or (event := self._decoder.next_event()) is NEED_DATA:
                self._decoder.receive_data(bytes(self._raw.receive(BUFFER)) or None)
        except (ValueError, RequestEntityTooLarge) as error:
            raise _malformed("the form is malformed") from error
        return event

    def _undecided(self) -> bool:
        """Whether what came ends within a delimiter: werkzeug 3.1 would then take its first line break for the last byte of the file."""
        held = self._decoder.buffer
        return not self._decoder.complete and self._half_delimiter.search(held, max(0, len(held) - self._tail)) is not None

"""A start call as it comes: JSON, or a form with the file itself in it.

The page lists `parentId` and others behind `file`, and a form may come in that order: where the file goes is known when the form has
ended. So its file waits in a temporary file without a name, and is staged part by part from there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Request

from app.core import parts
from app.core.errors import Code, StoreDown, UploadError
from app.core.parts import Slot
from app.core.ports import Body
from app.core.upload import State, Upload
from app.dialects.nomad.places import NAME
from app.web.bodies import Flow, raw_body
from app.web.dialect import doors
from app.web.digests import verified
from app.web.forms import OVERHEAD, open_form
from app.web.schemas import form_or_object
from app.web.sockets import BUFFER
from app.web.transfers import accept_part


@dataclass(frozen=True, slots=True)
class Waiting:
    """The file of a form: what the client calls it, its size in bytes, and where it waits."""

    filename: str | None
    size: int
    fd: int


@contextmanager
def received(request: Request) -> Iterator[tuple[Mapping[str, Any], Waiting | None]]:
    """The fields of a start call, and its file where it has one; inside, the file is there.

    Raises UploadError: BAD_REQUEST, TOO_LARGE, DIGEST_MISMATCH; ClientGone; StoreDown when there is no room for the file.
    """
    if request.mimetype != "multipart/form-data":
        yield form_or_object(request), None
        return
    with tempfile.TemporaryFile() as spool:
        yield _form(request, spool.fileno())


def _form(request: Request, fd: int) -> tuple[Mapping[str, Any], Waiting | None]:
    raw, verify = verified(raw_body(request), request.headers)
    most = doors().policies[NAME].max_bytes
    if raw.length is not None and raw.length > most + OVERHEAD:
        raise UploadError(Code.TOO_LARGE, limit=most, size=raw.length)
    form = open_form(request.headers.get("Content-Type", ""), raw)
    file = form.file
    size = _spooled(file.body, fd, most) if file else 0
    if verify:
        verify()
    if file and file.name.lower() != "file":
        raise UploadError(Code.BAD_REQUEST, reason="the form's file belongs into its field `file`")
    fields = {name: values[0] if len(values) == 1 else values for name, values in form.values.items()}
    return fields, Waiting(file.filename, size, fd) if file else None


def _spooled(body: Body, fd: int, most: int) -> int:
    """The body in a file. Returns its size in bytes."""
    size = 0
    try:
        for piece in body.chunks(most + 1):
            size += os.pwrite(fd, piece, size)
    except OSError as fault:
        raise StoreDown(f"no room for the file of a form: {fault.strerror or fault}") from fault
    if size > most:
        raise UploadError(Code.TOO_LARGE, limit=most, size=size)
    return size


def stage(up: Upload, file: Waiting) -> None:
    """The parts of the upload that are still missing, from the file. An upload that takes no bytes gets none."""
    if up.state is not State.OPEN:
        return
    held = doors().reception.held(up).held
    for number in parts.missing(held, up.part_size, file.size):
        place = parts.slot(number, up.part_size, up.length, up.policy.max_parts)
        accept_part(up, number, _Slice(file.fd, place))


class _Slice(Flow):
    """One part of a file, as a body."""

    def __init__(self, fd: int, place: Slot) -> None:
        self.length = place.size
        self._fd, self._at, self._end = fd, place.offset, place.offset + place.size

    def receive(self, limit: int) -> bytes:
        """See `Flow`."""
        piece = os.pread(self._fd, min(limit, BUFFER, self._end - self._at), self._at)
        self._at += len(piece)
        return piece

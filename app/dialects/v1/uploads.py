"""`/v1/uploads`: bytes in, as one body, as a form, or announced and then sent to signed URLs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from app.core import filenames, metering, parts, timing
from app.core.errors import Code, Fault, UploadError
from app.core.operation import Operation
from app.core.policy import Principal, Scope
from app.core.ports import Body
from app.core.reception import Opening
from app.core.streams import Verify
from app.core.upload import CLOSED, State, Upload
from app.dialects.v1 import schemas, views
from app.dialects.v1.access import speaker
from app.web import conditions, digests
from app.web.bodies import raw_body
from app.web.dialect import doors
from app.web.forms import form_upload
from app.web.idempotency import Run, current, idempotent
from app.web.replies import absolute, accepted, answer, monitor_url
from app.web.schemas import json_object, load
from app.web.transfers import upload_path

UPLOADS = Blueprint("uploads", __name__, url_prefix="/uploads")

UNDECLARED = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})  # curl's and requests' words for "no idea"

ANOTHERS = frozenset(
    {Code.LOCKED, Code.IDEMPOTENCY_RUNNING}
)  # another attempt writes, or goes on with it: the upload is not ours to take away


@UPLOADS.post("")
@idempotent(Scope.UPLOADS_WRITE)
def create() -> Response:
    """A file, as the body or in a form; or JSON that announces one."""
    who = speaker(Scope.UPLOADS_WRITE)
    if request.mimetype == "application/json":
        return _announced(who)
    if request.mimetype == "multipart/form-data":
        return _form(who)
    return _raw(who)


def _raw(who: Principal) -> Response:
    declared = None if request.mimetype in UNDECLARED else request.mimetype
    body, verify = digests.verified(raw_body(request), request.headers)
    name = request.args.get("filename") or conditions.filename(request.headers.get("Content-Disposition"))
    up = _open(who, Opening(name, declared, body.length))
    return _taken(up, body, verify)


def _form(who: Principal) -> Response:
    form, verify = form_upload(request)
    declared = None if form.declared_type in UNDECLARED else form.declared_type
    up = _open(who, Opening(form.filename, declared))
    return _taken(up, form.body, verify)


def _taken(up: Upload, body: Body, verify: Verify | None) -> Response:
    """Refused bytes leave nothing behind; a client that went leaves what it sent, until the deadline."""
    if up.state is not State.OPEN:
        return _again(up, body)
    try:
        op = doors().reception.take(up, body, verify)
    except (UploadError, Fault) as error:
        if isinstance(error, UploadError) and error.code in ANOTHERS:
            raise
        doors().reception.withdraw(up)
        raise
    return _promised(op)


def _promised(op: Operation) -> Response:
    return accepted(views.operation(op), monitor_url(op, "v1"))


def _open(who: Principal, opening: Opening) -> Upload:
    """A new upload; for a request that was sent before, the one that was made then."""
    run = current()
    if run is None:
        return doors().reception.open(who, "v1", doors().policies["v1"], opening)
    made = _made(who, run, opening) if run.resumed else None
    return made or doors().reception.open(who, "v1", doors().policies["v1"], replace(opening, id=run.id))


def _made(who: Principal, run: Run, opening: Opening) -> Upload | None:
    """What an earlier run of the request made, unless it is over. Raises UploadError(IDEMPOTENCY_REUSED) when it is not what is wanted now."""
    try:
        up = doors().library.upload(who, run.id)
    except UploadError:
        return None
    if up.state is State.EXPIRED or (up.state is State.OPEN and doors().now() > up.expires_at):
        run.anew()
        return None
    wanted = (filenames.clean(opening.filename), opening.declared_type, opening.length)
    if up.state is State.OPEN and wanted != (up.filename, up.declared_type, up.length):
        raise UploadError(Code.IDEMPOTENCY_REUSED)
    return up


def _again(up: Upload, body: Body) -> Response:
    """An earlier run of the request came to its end, unheard. The body is read, to be compared."""
    for _ in body.chunks((up.length or 0) + 1):
        pass
    if not raw_body(request).ended:
        raise UploadError(Code.IDEMPOTENCY_REUSED)
    return _promised(doors().library.operation(Principal(up.tenant, up.owner), up.operation_id))


# ---------------------------------------------------------------- announced


def _announced(who: Principal) -> Response:
    wanted = load(schemas.NewUpload(), json_object(request, required=True))
    planned, part_size = _plan(wanted)
    opening = Opening(
        wanted["filename"], wanted.get("media_type"), wanted.get("size"), wanted.get("digest"), planned=planned, part_size=part_size
    )
    up = _open(who, opening)
    op = doors().library.operation(who, up.operation_id)
    return accepted({**views.operation(op), "upload": _shown(up, 0)}, monitor_url(op, "v1"))


def _plan(wanted: dict[str, Any]) -> tuple[bool, int | None]:
    """Whether parts are wanted, and of which size: as said, or as many as said."""
    count, size = wanted.get("parts", "part_size" in wanted), wanted.get("part_size")
    if isinstance(count, bool) or size is not None or "size" not in wanted:
        return bool(count), size
    return True, max(parts.SMALLEST_PART, -(-wanted["size"] // count))


def _shown(up: Upload, offset: int) -> views.Json:
    """The upload with the URLs that it waits for."""
    shown = views.upload(up, offset)
    if up.planned:
        shown["parts"] = _urls(up, None)
        shown["partsUrl"] = absolute(f"/v1/uploads/{up.id}/parts")
    else:
        shown["uploadUrl"] = absolute(doors().signer.sign("PUT", upload_path(up), up.expires_at))
    return shown


def _urls(up: Upload, numbers: list[int] | None) -> list[views.Json]:
    """The places of parts with a fresh URL each, good until the upload's deadline, for an hour at the most."""
    until = min(up.expires_at, doors().now() + timing.LINK)
    sign, exact = doors().reception.store.part_url, up.length is not None
    places = views.slots(up, numbers)
    metering.reserve(doors().reception.records, up, max((place.offset + place.size for place in places), default=0))
    return [
        {"number": s.number, "offset": s.offset, "size": s.size, "url": absolute(sign(up.staged, s, exact=exact, expires=until))}
        for s in places
    ]


def _mine(scope: Scope, id: str) -> Upload:
    """The upload, unless it was cancelled or its deadline passed, swept or not."""
    up = doors().library.upload(speaker(scope), id)
    if up.state in {State.CANCELLED, State.EXPIRED}:
        raise UploadError(CLOSED[up.state])
    if up.state is State.OPEN and doors().now() > up.expires_at:
        raise UploadError(Code.UPLOAD_EXPIRED)
    return up


@UPLOADS.get("/<id>")
def show(id: str) -> Response:
    """How far it came: the offset of a stream, the parts held."""
    up = _mine(Scope.UPLOADS_READ, id)
    shown = views.upload(up, doors().reception.streams.reach(up))
    if up.planned:
        shown["parts"] = views.held(doors().reception.held(up))
    response = answer(shown)
    response.headers["Cache-Control"] = "no-store"
    return response


@UPLOADS.post("/<id>/parts")
def sign_parts(id: str) -> Response:
    """Fresh URLs for the parts named, or for all that are missing."""
    up = _mine(Scope.UPLOADS_WRITE, id)
    if not up.planned:
        raise UploadError(Code.PART_UNKNOWN, number=1)
    if up.state is not State.OPEN:
        raise UploadError(Code.FINISHED)
    numbers = load(schemas.Numbers(), json_object(request, required=False)).get("numbers")
    if numbers is None and up.length is not None:
        numbers = parts.missing(doors().reception.held(up).held, up.part_size, up.length)
    return answer({"parts": _urls(up, numbers)})


@UPLOADS.post("/<id>/complete")
@idempotent(Scope.UPLOADS_WRITE)
def complete(id: str) -> Response:
    """Every part is there: 202 with the operation; the same again while it runs and after. 409 lists what is missing."""
    up = _mine(Scope.UPLOADS_WRITE, id)
    named = load(schemas.Complete(), json_object(request, required=False)).get("parts")
    if named and up.state is State.OPEN:
        _compare(named, up)
    return _promised(doors().reception.finish(up))


def _compare(named: list[dict[str, Any]], up: Upload) -> None:
    held = doors().reception.held(up).held
    wrong = [p["number"] for p in named if (part := held.get(p["number"])) is None or part.etag.strip('"') != p["etag"].strip('"')]
    if wrong:
        raise UploadError(Code.PARTS_MISSING, missing=sorted(wrong))


@UPLOADS.delete("/<id>")
def delete(id: str) -> Response:
    """Give it up, with its operation and its bytes."""
    up = _mine(Scope.UPLOADS_WRITE, id)
    doors().reception.cancel(doors().library.operation(Principal(up.tenant, up.owner), up.operation_id))
    return Response(status=204)

"""Upload Asset Image: one file in the field `image` of a form; 200 with its key when a worker has found it good, else 400.

What nobody waits for any longer goes on: 202, and `/backoffice/operations/{id}` then has the answer that the upload would have had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response, request

from app.core import filenames
from app.core.errors import ClientGone, Code, Fault, Problem, UploadError, refuse
from app.core.operation import Operation, Status
from app.core.policy import ALIASES, Policy, Principal, Scope
from app.core.reception import Opening
from app.core.target import Target
from app.core.upload import Upload
from app.dialects.backoffice import names
from app.dialects.backoffice.images import uploaded
from app.dialects.backoffice.keys import speaker
from app.dialects.backoffice.names import MOUNT, NAME
from app.dialects.backoffice.schemas import new_uuid
from app.web import transfers
from app.web.bodies import raw_body
from app.web.dialect import doors
from app.web.forms import OVERHEAD, FormUpload, form_upload
from app.web.patience import followed, promised, settled
from app.web.replies import answer

UPLOADS = Blueprint("uploads", __name__)

FIELD = "image"
FORMATS: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "png": "image/png",
    "webp": "image/webp",
}


@UPLOADS.post("/upload/image")
def upload_image() -> Response:
    """The key of the image. 400 unless the form has one file, in `image`, that is what its name says, sound and not too large."""
    who = speaker(Scope.UPLOADS_WRITE)
    policy = doors().policies[NAME]
    length = raw_body(request).length
    if length is not None and length > policy.max_bytes + OVERHEAD:
        raise UploadError(Code.TOO_LARGE, limit=policy.max_bytes)
    return _taken(who, policy)


def _taken(who: Principal, policy: Policy) -> Response:
    """Refused bytes leave nothing behind, and neither does a client that went: there is nothing that it could go on with."""
    form, verify = form_upload(request)
    extension = _extension(form)
    judged = replace(policy, media_types=_allowed(extension, form, policy))  # so the worker compares the bytes with the name
    key = f"uploads/{new_uuid()}.{extension}"
    opening = Opening(form.filename, metadata={"key": key}, target=Target(aliases=(names.of_file(key),)))
    up = doors().reception.open(who, NAME, judged, opening)
    try:
        op = doors().reception.take(up, form.body, verify)
    except (UploadError, Fault, ClientGone):
        doors().reception.withdraw(up)
        raise
    return _answered(settled(op, NAME), up)


def _extension(form: FormUpload) -> str:
    """What the file's name ends in, in small letters; empty when that says nothing. Raises UploadError: BAD_REQUEST for another field, BAD_FILENAME.

    The page's own sample for browsers sends the file without its name (`append("image", file, "")`): then the declared type stands in for it.
    """
    if form.name != FIELD:
        raise UploadError(Code.BAD_REQUEST, reason=f"the file must be in the field {FIELD!r}, not in {form.name!r}")
    name, declared = filenames.clean(form.filename), (form.declared_type or "").lower()
    if name is None:
        return next((known for known, media_type in FORMATS.items() if media_type == ALIASES.get(declared, declared)), "")
    _, dot, extension = name.rpartition(".")
    return extension.lower() if dot else ""


def _allowed(extension: str, form: FormUpload, policy: Policy) -> tuple[str, ...]:
    """The one format that a file of this name may have. Raises UploadError(BAD_FILENAME) for a name of no format that is taken."""
    taken = [name for name, media_type in FORMATS.items() if policy.accepts(media_type)]
    if extension not in taken:
        lacking = "" if form.filename else "no file was chosen, or it came without a name and without a type that is taken; "
        raise UploadError(Code.BAD_FILENAME, reason=f"{lacking}it must end in one of {', '.join(taken)}")
    return (FORMATS[extension],)


@UPLOADS.get("/uploads/<name>")
def download(name: str) -> Response:
    """The bytes behind a key. Ours: the vendor's readers get images elsewhere."""
    of = uploaded(speaker(Scope.ASSETS_READ), f"uploads/{name}")
    if of is None or of.facts is None:
        raise UploadError(Code.NOT_FOUND, what="upload")
    return transfers.send(of, of.facts)


@UPLOADS.get("/operations/<id>")
def show(id: str) -> Response:
    """The answer to an upload that took longer: the same one, as soon as it is known. Ours, the vendor has no such place."""
    return _answered(*followed(speaker(Scope.OPERATIONS_READ), id, NAME))


def monitor(op: Operation) -> str:
    """Where an operation is polled."""
    return f"{MOUNT}/operations/{op.id}"


def _answered(op: Operation, up: Upload) -> Response:
    if not op.final:
        return promised(op, {"data": {"id": op.id, "status": op.status.value}}, NAME)
    if op.status is Status.CANCELLED:
        raise UploadError(Code.UPLOAD_CANCELLED)
    if op.problem:
        raise _refusal(op.problem, up)
    response = answer({"data": {"key": up.metadata["key"]}})
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(why: Problem, up: Upload) -> UploadError:
    """The upload took one format; to a client who may send four, the reason is the name, or what stood in for it."""
    if why.code is Code.TYPE_NOT_ALLOWED:
        told = f"called {up.filename}" if up.filename else f"declared as {', '.join(up.policy.media_types)}"
        return UploadError(Code.BAD_FILENAME, reason=f"the file is {why.facts['media_type']}, but {told}")
    return refuse(why)

"""Processing: an asset's file in one locale gets its bytes, from an upload or from a URL. 204 at once; the work goes on.

One client asks for every locale at once, another for one after the other, and both name the version that they saw first: so any version
up to the current one will do. Who would rather follow the work says `Prefer: respond-async`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from app.core import filenames
from app.core.document import Document, Guard
from app.core.errors import Code, Problem, UploadError, refuse
from app.core.holding import Overtaken, until_current
from app.core.operation import FETCH, INGEST, Operation, Status
from app.core.policy import Principal, Scope
from app.core.reception import Opening
from app.core.target import Target
from app.dialects.contentful import links, steps, uploads
from app.dialects.contentful.answers import nothing
from app.dialects.contentful.assets import known
from app.dialects.contentful.envelope import fault, required
from app.dialects.contentful.speaker import caller, named_version, within
from app.web import conditions, patience
from app.web.dialect import doors

PROCESSING = Blueprint("processing", __name__)
OPERATIONS = Blueprint("operations", __name__)

FORBIDDEN = frozenset({"text/html", "text/javascript"})  # the vendor's page: these are not processed
SCHEMES = frozenset({"http", "https"})
NO_FAULT_OF_THE_FILE = frozenset({Code.VERSION_CONFLICT, Code.STORE_FAULT, Code.WORKER_LOST, Code.CORRUPTED})  # another request's, or ours
LONGEST_KEPT = 255  # characters of a file name that the core keeps; the vendor allows one more


@PROCESSING.put("/assets/<id>/files/<locale>/process")
def process(space: str, id: str, locale: str, environment: str = links.MASTER) -> Response:
    """204, and the URL stands in the asset when a worker is done; 202 and where to look for who prefers that."""
    who = within(space, environment, Scope.ASSETS_WRITE)
    op = until_current(lambda: _asked(who, known(who, id), locale))
    return _promised(op) if conditions.prefer(request).respond_async else nothing()


def _asked(who: Principal, document: Document, locale: str) -> Operation:
    """The work on the file of this locale, as the asset stands. Raises Overtaken when it no longer does."""
    version = named_version()
    if version is not None and version > document.revision:
        raise UploadError(Code.VERSION_CONFLICT)
    return _asked_already(who, document, locale) or _begun(who, document, locale)


def _asked_already(who: Principal, document: Document, locale: str) -> Operation | None:
    """The work on this file that is under way: asking twice is asking once."""
    if locale not in document.pending:
        return None
    try:
        op = doors().library.operation(who, document.pending[locale])
    except UploadError:  # so long ago that its record is gone
        return None
    return None if op.final else op


def _begun(who: Principal, document: Document, locale: str) -> Operation:
    if steps.is_archived(document):
        raise steps.refuse("Cannot process archived")
    file = _processable(document, locale)
    target = Target(document=document.id, slot=locale, filename=_kept_name(file))
    if file.get("uploadFrom"):
        return _attached(who, file["uploadFrom"]["sys"]["id"], target, _unchanged(document, locale))
    opening = Opening(filename=target.filename, source=file["upload"], target=target)
    return doors().reception.fetch(who, links.NAME, doors().policies[links.NAME], opening, _unchanged(document, locale))


def _unchanged(seen: Document, locale: str) -> Guard:
    """Raises Overtaken for an asset that was updated, or asked to be processed, since it was seen: another source may be meant by now."""

    def same(current: Document) -> None:
        if _stand(current, locale) != _stand(seen, locale):
            raise Overtaken

    return same


def _stand(document: Document, locale: str) -> tuple[object, ...]:
    return document.body, document.files.get(locale), document.pending.get(locale)


def _attached(who: Principal, upload_id: str, target: Target, guard: Guard) -> Operation:
    try:
        return doors().reception.attach(who, uploads.waiting(who, upload_id), target, guard)
    except UploadError as refusal:
        if refusal.problem.facts.get("what") != "upload":
            raise
        wrong = fault(["fields", "file", target.slot, "uploadFrom"], "invalid", f"There is no upload {upload_id}, or no longer")
        raise UploadError(Code.INVALID, reason="no such upload", errors=[wrong]) from refusal


# ---------------------------------------------------------------- what can be processed


def _processable(document: Document, locale: str) -> Mapping[str, Any]:
    """The file of a locale that still waits for its bytes. Raises UploadError(INVALID) with the vendor's errors (recorded, but for FORBIDDEN)."""
    path = ["fields", "file", locale]
    file: Mapping[str, Any] | None = document.body["fields"].get("file", {}).get(locale)
    if file is None:
        raise _unprocessable([fault(path, "required", f"No file specified for locale: {locale}")])
    if locale in document.files or steps.source(file) is None:
        raise _unprocessable([required([*path, "upload"]), required([*path, "uploadFrom"])])
    if wrong := list(_wrong(path, file)):
        raise _unprocessable(wrong)
    return file


def _wrong(path: list[str], file: Mapping[str, Any]) -> Iterator[str]:
    yield from (required([*path, name]) for name in ("contentType", "fileName") if not file.get(name))
    if file.get("contentType", "").partition(";")[0].strip().lower() in FORBIDDEN:
        yield fault([*path, "contentType"], "invalid", f"Files of the type {file['contentType']} are not processed")
    if file.get("fileName") and not _nameable(file):
        yield fault([*path, "fileName"], "invalid", "Nothing can be called that")
    if not file.get("uploadFrom") and not _fetchable(file["upload"]):
        yield fault([*path, "upload"], "invalid", "The URL must be absolute, with http or https")


def _kept_name(file: Mapping[str, Any]) -> str | None:
    """What the file is called in its URL. Raises UploadError(BAD_FILENAME)."""
    return filenames.clean(file["fileName"][:LONGEST_KEPT])


def _nameable(file: Mapping[str, Any]) -> bool:
    try:
        return _kept_name(file) is not None
    except UploadError:
        return False


def _fetchable(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc)


def _unprocessable(errors: list[str]) -> UploadError:
    return UploadError(Code.INVALID, reason="the file cannot be processed", errors=errors)


# ---------------------------------------------------------------- what became of it


@OPERATIONS.get("/operations/<id>")
def follow(space: str, id: str) -> Response:
    """202 until it is over; then what the vendor would have said: 204, the upload, or the refusal."""
    who = caller(space, Scope.ASSETS_READ)
    op, _ = patience.followed(who, id, links.NAME)
    if not op.final:
        return _promised(op)
    if op.status is Status.CANCELLED:
        raise UploadError(Code.UPLOAD_CANCELLED)
    if op.problem:
        raise _refusal(op, op.problem)
    return uploads.found(uploads.waiting(who, op.upload_id or "")) if op.kind == INGEST else nothing()


def _refusal(op: Operation, why: Problem) -> UploadError:
    """Why a file has no bytes, said of its source; what is no fault of the file is said as it is anywhere else."""
    if why.facts.get("what") == "document":
        return UploadError(Code.NOT_FOUND, what="asset", id=op.target.document)
    if op.target.document is None or why.code in NO_FAULT_OF_THE_FILE:
        return refuse(why)
    source = "upload" if op.kind == FETCH else "uploadFrom"
    said = "There is nothing in the file" if why.code is Code.EMPTY else why.message
    return _unprocessable([fault(["fields", "file", op.target.slot, source], why.code.value, said)])


def _promised(op: Operation) -> Response:
    """The vendor knows nothing of the kind; the body is ours, in its manner."""
    space = links.link("Space", op.tenant)
    return patience.promised(op, {"sys": {"id": op.id, "type": "AssetProcessing", "status": op.status.value, "space": space}}, links.NAME)


def monitor(op: Operation) -> str:
    """Where an operation is followed."""
    return f"{links.MOUNT}/spaces/{op.tenant}/operations/{op.id}"

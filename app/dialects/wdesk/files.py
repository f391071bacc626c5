"""Files: imported as an image is uploaded, whatever they are, and kept as they came; described, downloaded.

Nothing is converted: what the vendor would make a document of is here the file that was sent, under the kind that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.policy import ANY, Policy, Scope
from app.core.reception import Opening
from app.dialects.wdesk import links
from app.dialects.wdesk.moments import action
from app.dialects.wdesk.tokens import speaker
from app.dialects.wdesk.uploads import promise
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import absolute, answer
from app.web.schemas import json_object, load

FILES = Blueprint("files", __name__)
FILE_DOWNLOADS = Blueprint("file_downloads", __name__, url_prefix=links.STORAGE)

KINDS = ("Document", "Spreadsheet", "Presentation", "Workiva", "SupportingDocument")
NATIVE = "SupportingDocument"  # kept as it is, with any extension
BY_EXTENSION: Mapping[str, str] = {  # the extensions are published; the kind where none is said is our guess
    ".xlsx": "Spreadsheet",
    ".csv": "Spreadsheet",
    ".docx": "Document",
    ".pptx": "Presentation",
    ".vsdx": "Presentation",
    ".tar.gz": "Workiva",
}
LONGEST_CONTAINER = 255


class SupportingDocumentImportOptions(Schema):
    """Where a supporting document goes: a folder of the vendor's, which we keep and give back; empty is the root."""

    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    container = fields.String(data_key="containerId", load_default="", validate=validate.Length(max=LONGEST_CONTAINER))


class FileImport(Schema):
    """The body of an import. Options for another kind than the file's are without effect."""

    class Meta:
        """As above."""

        unknown = EXCLUDE

    file_name = fields.String(data_key="fileName", required=True, validate=validate.Length(min=1))
    kind = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(KINDS))
    supporting = fields.Nested(
        SupportingDocumentImportOptions, data_key="supportingDocumentImportOptions", load_default=None, allow_none=True
    )
    workiva = fields.Dict(data_key="workivaFileImportOptions", load_default=None, allow_none=True)


def policy() -> Policy:
    """An import's: of the same size and time as an image's, for any file, which nobody judges and which stays."""
    return replace(doors().policies[links.NAME], media_types=(ANY,), judge=False, asset_ttl=None)


@FILES.post("/files/import")
def begin() -> Response:
    """202 with the uploadUrl, and the operation to poll."""
    who = speaker(Scope.UPLOADS_WRITE)
    wanted = load(FileImport(), json_object(request, required=True))
    kind = _kind(wanted["file_name"], wanted["kind"])
    container = (wanted["supporting"] or {}).get("container", "") if kind == NATIVE else ""
    opening = Opening(wanted["file_name"], metadata={"kind": kind, "container": container})
    return promise(who, policy(), opening, "file-import")


def _kind(name: str, kind: str | None) -> str:
    """The kind, or what the extension says of it. Raises UploadError(INVALID) for an extension that only a supporting document may have."""
    extension = next((known for known in BY_EXTENSION if name.lower().endswith(known)), None)
    if kind != NATIVE and extension is None:
        reason = f"fileName: must end in one of {', '.join(BY_EXTENSION)}, or be of the kind {NATIVE}"
        raise UploadError(Code.INVALID, reason=reason, errors=[reason])
    return kind or BY_EXTENSION[extension or ""]


@FILES.get("/files/<id>")
def show(id: str) -> Response:
    """The file. The vendor has this too, but for the downloadUrl, which is ours: its own way out is an export."""
    return answer(view(_file(id)))


@FILE_DOWNLOADS.get("/files/<id>")
def download(id: str) -> Response:
    """Its bytes as they came, whole or one range of them."""
    of = _file(id)
    if of.facts is None:
        raise UploadError(Code.GONE, what="file")
    return transfers.send(of, of.facts)


def _file(id: str) -> Asset:
    of = links.asset(speaker(Scope.ASSETS_READ), id)
    if not is_import(of.metadata):
        raise UploadError(Code.NOT_FOUND, what="file")
    return of


def is_import(metadata: Mapping[str, Any]) -> bool:
    """Whether an upload or an asset with this metadata came as a file, not as an image."""
    return "kind" in metadata


def result(asset_id: str, metadata: Mapping[str, Any]) -> dict[str, object]:
    """The vendor's ImportFileResult. It has no kind for a package of Workiva's own, which it unpacks and we keep whole."""
    kind = metadata["kind"] if metadata["kind"] != "Workiva" else NATIVE
    return {"id": links.hex_id(asset_id), "kind": kind, "container": metadata["container"]}


def view(of: Asset) -> dict[str, object]:
    """The vendor's File, and where to download it."""
    return {
        **result(of.id, of.metadata),
        "name": of.filename,
        "state": "Active",
        "template": False,
        "created": action(of.created_at, of.owner),
        "modified": action(of.updated_at, of.owner),
        "downloadUrl": absolute(links.download_path(of, "files")),
    }

"""The vendor's JSON of what we hold: uploads, assets, arrays. Reads documents and never changes them.

A document::

    body.fields      as they were sent; a file without what was made from its bytes
    body.metadata    as it was sent
    body.sys         what publishing and archiving left: publishedAt, publishedVersion, archivedBy …
    body.published   {fields, metadata} as they were published last, or absent
    files            {locale}: the file of the draft; published/{locale}: the file that is published, which may be the same
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.document import Document, File
from app.core.upload import Upload
from app.dialects.contentful import links

NO_METADATA: Mapping[str, object] = {"tags": [], "concepts": []}
PUBLISHED = "published/"  # no locale has a slash in it


def upload(up: Upload) -> dict[str, object]:
    """The vendor's Upload."""
    return {
        "sys": {
            "id": up.id,
            "type": "Upload",
            "createdAt": links.second(up.created_at),
            "expiresAt": links.second(up.expires_at),
            "space": links.link("Space", up.tenant),
            "environment": links.link("Environment", links.MASTER),
            "createdBy": links.link("User", up.owner),
        }
    }


def asset(document: Document) -> dict[str, Any]:
    """The vendor's Asset as it stands now: what was processed has its URL, what was not still has its source."""
    return {
        "metadata": metadata(document.body),
        "sys": _sys(document),
        "fields": _fields(document, document.body["fields"], draft_files(document)),
    }


def published(document: Document) -> dict[str, Any]:
    """The vendor's Asset as it was published last; its `sys` is that of a delivered asset (recorded)."""
    shown = document.body["published"]
    told = document.body["sys"]
    system = _identity(document) | {
        "revision": told["publishedCounter"],
        "createdAt": told["firstPublishedAt"],
        "updatedAt": told["publishedAt"],
        "publishedVersion": told["publishedVersion"],
    }
    return {"metadata": metadata(shown), "sys": system, "fields": _fields(document, shown["fields"], published_files(document))}


def draft_files(document: Document) -> dict[str, File]:
    """The files of the draft, by locale."""
    return {slot: file for slot, file in document.files.items() if not slot.startswith(PUBLISHED)}


def published_files(document: Document) -> dict[str, File]:
    """The files that are published, by locale."""
    return {slot.removeprefix(PUBLISHED): file for slot, file in document.files.items() if slot.startswith(PUBLISHED)}


def token(document: Document, file: File) -> str:
    """The token in a file's URL."""
    return links.token(document.tenant, file.asset_id, file.facts.digest)


def metadata(body: Mapping[str, Any]) -> dict[str, object]:
    """Tags and concepts, empty lists without any."""
    return {**NO_METADATA, **body["metadata"]}


def array(items: Sequence[object], total: int, skip: int, limit: int) -> dict[str, object]:
    """The vendor's Array."""
    return {"sys": {"type": "Array"}, "total": total, "skip": skip, "limit": limit, "items": list(items)}


def _identity(document: Document) -> dict[str, object]:
    return {
        "space": links.link("Space", document.tenant),
        "id": document.id,
        "type": "Asset",
        "environment": links.link("Environment", links.MASTER),
    }


def _sys(document: Document) -> dict[str, object]:
    return _identity(document) | {
        "createdAt": links.moment(document.created_at),
        "updatedAt": links.moment(document.updated_at),
        "createdBy": links.link("User", document.owner),
        "updatedBy": links.link("User", document.updated_by or document.owner),
        "version": document.revision,
        **document.body["sys"],
    }


def _fields(document: Document, sent: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    if "file" not in sent:
        return dict(sent)
    shown = {locale: _file(document, file, files.get(locale)) for locale, file in sent["file"].items()}
    return {**sent, "file": shown}


def _file(document: Document, sent: Mapping[str, Any], held: File | None) -> dict[str, Any]:
    if held is None:
        return dict(sent)
    facts = held.facts
    details: dict[str, Any] = {"size": facts.size}
    if facts.width is not None and facts.height is not None:
        details["image"] = {"width": facts.width, "height": facts.height}
    rest = {name: value for name, value in sent.items() if name not in {"upload", "uploadFrom"}}
    return {**rest, "details": details, "url": links.file_url(document.tenant, document.id, token(document, held), held.filename)}

"""A vendor's own resource, kept for its dialect: an opaque body, and the assets that stand in its slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.errors import Code, Moved, UploadError
from app.core.facts import Facts
from app.core.refs import Kind, Ref

SLOTS_MOST = 1000


@dataclass(frozen=True, slots=True)
class File:
    """What stands in a slot: the asset, what it is called there, and what was measured of it."""

    asset_id: str
    filename: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Document:
    """A resource of a dialect. `body` is JSON that the core never opens; `revision` counts its changes from 1, as clients see them.

    `files`: by slot (a locale, a role) the asset that stands there; the document alone has them, and they go with it.
    `pending`: by slot the operation that was last asked to fill it; the result of an earlier one comes too late.
    `version` counts every write, those too that clients do not see.
    """

    id: str
    tenant: str
    dialect: str
    owner: str
    created_at: float
    updated_at: float
    updated_by: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 1
    files: Mapping[str, File] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The document's name among the records."""
        return document_ref(self.tenant, self.dialect, self.id)


Guard = Callable[[Document], None]


def document_ref(tenant: str, dialect: str, id: str) -> Ref:
    """The name of a document; two dialects may choose the same id."""
    return Ref(Kind.DOCUMENT, tenant, f"{dialect}/{id}")


def revised(document: Document, now: float, **changes: Any) -> Document:
    """The document with `changes`, one revision on. The body is replaced as a whole."""
    return replace(document, updated_at=now, revision=document.revision + 1, version=document.version + 1, **changes)


def await_file(document: Document | None, slot: str, operation_id: str, guard: Guard | None = None) -> Document:
    """An operation was asked to fill the slot; clients see no change yet. `guard` may raise to refuse.

    Raises Moved(NOT_FOUND) without a document, UploadError(INVALID) for one slot more than it may have.
    """
    if document is None:
        raise Moved(Code.NOT_FOUND, what="document")
    if guard:
        guard(document)
    if slot not in (known := document.files.keys() | document.pending.keys()) and len(known) >= SLOTS_MOST:
        raise UploadError(Code.INVALID, reason=f"a document has at most {SLOTS_MOST} files")
    return replace(document, pending={**document.pending, slot: operation_id}, version=document.version + 1)


def filled(document: Document | None, slot: str, operation_id: str, file: File, now: float) -> Document:
    """The slot has its file. Raises Moved: GONE without a document, VERSION_CONFLICT when a later operation was asked to fill it."""
    if document is None:
        raise Moved(Code.GONE, what="document")
    if document.pending.get(slot) != operation_id:
        raise Moved(Code.VERSION_CONFLICT)
    rest = {name: op for name, op in document.pending.items() if name != slot}
    return revised(document, now, files={**document.files, slot: file}, pending=rest)

"""Names of records: what a commit watches, what an index holds, what a tombstone remembers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a record; the value is the prefix of its key."""

    UPLOAD = "up"
    PARTS = "pt"
    OPERATION = "op"
    ASSET = "as"
    BLOB = "bl"
    DIGEST = "dg"
    FOLDER = "fo"
    DOCUMENT = "do"
    ALIAS = "al"
    RENDITIONS = "rn"


@dataclass(frozen=True, slots=True)
class Ref:
    """One record: its kind, the tenant it belongs to, and its id within both.

    The id of a PARTS ref is the upload's; of a BLOB ref the storage key; of a DIGEST ref the digest `sha256:…`; of a DOCUMENT ref
    `{dialect}/{id}`; of an ALIAS ref the alias; of a RENDITIONS ref the asset's.
    """

    kind: Kind
    tenant: str
    id: str


class Index(StrEnum):
    """Sorted by time, each holds the refs that something is due for."""

    EXPIRY_UPLOADS = "ix:expiry:up"  # open uploads, by their deadline
    EXPIRY_ASSETS = "ix:expiry:as"  # unkept assets, by their deadline
    EXPIRY_OPERATIONS = "ix:expiry:op"  # final operations, by the end of their retention
    QUEUED = "ix:queued"  # queued operations, by the time at which they are sent again
    WAITING = "ix:waiting"  # queued operations, by the time since which they wait
    LEASE = "ix:lease"  # started operations, by the end of their lease
    EMPTYING = "ix:emptying"  # deleted folders whose contents are still to go, by the time of the deletion
    DOOMED = "ix:doomed"  # blobs and staged bytes whose bytes go, by the time from which they may
    MANIFEST = "ix:manifest"  # assets, folders and documents whose manifest is to be written or removed, by the time of the change


class Row(StrEnum):
    """The kinds of lists that clients ask for."""

    ASSETS = "sh:as"  # of a tenant that are there, by dialect; of all dialects where the key is empty
    INSIDE = "sh:in"  # assets in a folder, or in a dialect's root (`lying_in`)
    FOLDERS = "sh:fo"  # folders, likewise
    DOCUMENTS = "sh:do"  # of a dialect
    TRASH = "sh:tr"  # assets of a dialect that can be brought back
    UPLOADS = "sh:up"  # of a dialect, in whatever state, until they are purged
    OPERATIONS = "sh:op"  # of a tenant in one status; in any where the key is empty; until they are purged


@dataclass(frozen=True, slots=True)
class Shelf:
    """One list of a tenant: its members stand in the order in which they were made."""

    row: Row
    tenant: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in every list that it is a member of: when it was made, and what it is. None stands before all of that moment."""

    made: float
    ref: Ref | None = None


def lying_in(row: Row, tenant: str, dialect: str, parent: str | None) -> Shelf:
    """What lies in a folder, or in a dialect's root; no folder's id can be taken for a root."""
    return Shelf(row, tenant, f"folder/{parent}" if parent else f"root/{dialect}")

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


@dataclass(frozen=True, slots=True)
class Ref:
    """One record: its kind, the tenant it belongs to, and its id within both.

    The id of a PARTS ref is the upload's; of a BLOB ref the storage key; of a DIGEST ref the digest `sha256:…`.
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
    LEASE = "ix:lease"  # started operations, by the end of their lease
    DOOMED = "ix:doomed"  # blobs and staged bytes whose bytes go, by the time from which they may
    MANIFEST = "ix:manifest"  # assets whose manifest is to be written or removed, by the time of the change

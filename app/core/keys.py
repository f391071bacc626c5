"""Storage keys: the only place where one is made.

The storage tree, the same on every store::

    {root}/
      staging/{tenant}/{upload_id}                     the bytes of one upload, unvalidated, never served
      staging/{tenant}/{upload_id}.tail-{offset}-{token}   S3 only: where a stream was cut, below a part
      blobs/{tenant}/{upload_id}                       bytes at rest; the key is unique and never used again
      renditions/{tenant}/{upload_id}.{spec}-{operation_id}   what was made of such bytes; the key is unique and never used again
      manifests/{tenant}/{asset_id}.json               what an asset is, to rebuild the records from
      folders/{tenant}/{folder_id}.json                what a folder is, likewise
      documents/{tenant}/{dialect}/{document_id}.json  what a document is, likewise
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping

from app.core.refs import Kind, Ref

STAGING = "staging/"
BLOBS = "blobs/"
RENDITIONS = "renditions/"
MANIFESTS = "manifests/"
FOLDERS = "folders/"
DOCUMENTS = "documents/"
DESCRIBED: Mapping[Kind, str] = {Kind.FOLDER: FOLDERS, Kind.DOCUMENT: DOCUMENTS, Kind.ASSET: MANIFESTS}
_TAIL = re.compile(r"\.tail-\d+-[0-9a-f]+$")


def staging(tenant: str, upload_id: str) -> str:
    """Where the bytes of an upload wait for judgement."""
    return f"{STAGING}{tenant}/{upload_id}"


def tail(staging_key: str, offset: int) -> str:
    """A fresh key for the run of bytes that begins at `offset`."""
    return f"{staging_key}.tail-{offset:015d}-{secrets.token_hex(4)}"


def upload_of(staging_key: str) -> tuple[str, str]:
    """The tenant and the upload id that a key below `staging/` belongs to."""
    tenant, _, name = staging_key.removeprefix(STAGING).partition("/")
    return tenant, _TAIL.sub("", name)


def blob(tenant: str, upload_id: str) -> str:
    """Where the bytes of an upload rest; the same over all attempts, so that promoting twice writes the same bytes."""
    return f"{BLOBS}{tenant}/{upload_id}"


def rendition(tenant: str, source: str, spec: str, operation_id: str) -> str:
    """Where a rendition of the blob at `source` rests: the same over all attempts, and another one whenever it is made anew."""
    return f"{RENDITIONS}{tenant}/{source.rpartition('/')[2]}.{spec}-{operation_id}"


def manifest(ref: Ref) -> str:
    """Where an asset, a folder or a document is described."""
    return f"{DESCRIBED[ref.kind]}{ref.tenant}/{ref.id}.json"


def resting(key: str) -> Ref:
    """The blob at a key below `blobs/` or `renditions/`."""
    return Ref(Kind.BLOB, key.split("/")[1], key)


def new_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits; sorts by time."""
    moment = time.time_ns() // 1_000_000
    value = (moment & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

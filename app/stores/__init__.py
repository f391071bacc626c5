"""Bytes: staged, at rest, and the small documents beside them; on a local disk, in an S3 bucket, or in memory.

Here live the three implementations of the port Store, and `open_store`, which picks one by URL.
It may know: the core, boto3, the kernel's files and locks.
It must never: know HTTP, Redis or a vendor, read the environment (boto3 finds its own credentials), or look into the bytes.
"""

from __future__ import annotations

from pathlib import Path

from app.core.ports import Store
from app.core.signing import Signer
from app.stores.address import FileAddress, S3Address, parse
from app.stores.local import LocalStore
from app.stores.memory import MemoryStore
from app.stores.s3 import S3Store

__all__ = ["open_store"]


def open_store(url: str, *, fsync: bool, signer: Signer, spool: Path | None = None, sums: bool = True) -> Store:
    """The store behind a URL: `file:///path`, `s3://bucket/prefix?endpoint=…&public=…&region=…`, `memory://`.

    `fsync`: bytes are on disk before a call returns (local). `signer`: signs the part URLs of stores whose parts come through our own door.
    `spool`: a folder for the unlinked temporary files of S3; the system's own where it is None. S3 is not spoken to before the first call.
    `sums`: what comes in is summed, and compared by that before it rests.
    Raises ValueError for a URL that is none of these, and for a folder that cannot be used.
    """
    match parse(url):
        case FileAddress(root):
            return LocalStore(root, fsync=fsync, signer=signer, sums=sums)
        case S3Address() as address:
            return S3Store(address, spool, sums=sums)
        case _:
            return MemoryStore(signer)

"""What a store does when it is tried: a folder, or a bucket by the same ways that uploads take."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Sequence

from app.core import keys
from app.core.errors import StoreDown
from app.core.ports.inspection import FolderFacts, MemoryFacts, StoreFacts, StoreInspector
from app.stores.address import FileAddress, S3Address, parse
from app.stores.bucket_inspection import BucketInspector
from app.stores.files import Files, faults

TRIED = b"123456789"


def open_inspector(url: str) -> StoreInspector:
    """The inspector of the store behind a URL. Raises ValueError as `open_store`."""
    match parse(url):
        case FileAddress(root):
            return FolderInspector(Files(root, fsync=True))
        case S3Address() as address:
            return BucketInspector(address)
        case _:
            return MemoryInspector()


class FolderInspector:
    """A local folder, which must be there."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def look(self, origins: Sequence[str]) -> StoreFacts:  # noqa: ARG002  # the port's
        """As the port says."""
        root = self._files.root
        if not root.is_dir():
            raise StoreDown(f"{root}: no such folder")
        with faults(root):
            same = self._same()
            disk, left = shutil.disk_usage(root), os.statvfs(root)
        return FolderFacts(root, same, self._links(), disk.free, disk.total, left.f_favail)

    def _same(self) -> bool:
        """Written, synced, read, removed."""
        key = probe()
        try:
            self._files.replace(key, TRIED)
            return self._files.path(key).read_bytes() == TRIED
        finally:
            self._files.unlink(key)
            with contextlib.suppress(OSError):
                self._files.path(key).parent.rmdir()

    def _links(self) -> bool:
        try:
            self._files.check_links()
        except ValueError:
            return False
        return True


class MemoryInspector:
    """Nothing to try."""

    def look(self, origins: Sequence[str]) -> StoreFacts:  # noqa: ARG002  # the port's
        """As the port says."""
        return MemoryFacts()


def probe() -> str:
    """A key of our own: below staging, where what a kill leaves is swept."""
    return f"{keys.STAGING}_doctor/{secrets.token_hex(8)}"

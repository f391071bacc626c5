"""Files below one root folder, by key: opened, made durable, linked, removed. Folders 0700, files 0600."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.core import keys
from app.core.errors import StoreDown

RUN = 1 << 30  # bytes that the kernel is asked to copy at once
SAVING = f"{keys.STAGING}_saving/"  # below staging: what a crash leaves here is swept like any orphan


class Files:
    """A root folder. With `fsync`, what a call made or changed is on disk when it returns.

    Once opened, a root that is missing is a disk that is not mounted: StoreDown, and never an empty store in its place.
    """

    def __init__(self, root: Path, *, fsync: bool) -> None:
        self.root, self.fsync = root, fsync
        self._opened = False

    def path(self, key: str) -> Path:
        """Where a key lies. Raises ValueError for one that would lead out of the root."""
        if any(name in {"", ".", ".."} for name in key.split("/")):
            raise ValueError(f"not a storage key: {key!r}")
        return self.root / key

    @contextlib.contextmanager
    def open(self, key: str, flags: int = os.O_RDWR) -> Iterator[int]:
        """A descriptor of the file, closed at the end. Raises FileNotFoundError, and StoreDown when the whole root is missing."""
        with self._rooted():
            fd = os.open(self.path(key), flags | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def reading(self, key: str) -> BinaryIO:
        """The file, unbuffered, to be closed by whoever asks. Raises as `open`."""
        with self._rooted():
            return self.path(key).open("rb", buffering=0)

    def create(self, key: str) -> None:
        """An empty file, unless there is one."""
        path = self.path(key)
        self._folder(path.parent)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            self._sync_folder(path.parent)

    def sync(self, fd: int) -> None:
        """The bytes of an open file, and its size, are on disk."""
        if self.fsync:
            os.fdatasync(fd)

    def link(self, source: str, target: str) -> None:
        """A second name for the same bytes. Raises FileExistsError, FileNotFoundError."""
        path = self.path(target)
        self._folder(path.parent)
        os.link(self.path(source), path)
        self._sync_folder(path.parent)

    def unlink(self, key: str) -> None:
        """Remove a file; nothing there is no error."""
        with contextlib.suppress(FileNotFoundError), self._rooted():
            self.path(key).unlink()

    def replace(self, key: str, content: bytes) -> None:
        """Write a small file, whole or not at all."""
        with self._draft(key) as fd:
            _write_all(fd, content)

    def copy(self, source: int, key: str) -> None:
        """The whole of an open file, from its start, under a key; whole or not at all."""
        with self._draft(key) as fd:
            at = 0
            while sent := os.sendfile(fd, source, at, RUN):
                at += sent

    @contextlib.contextmanager
    def _draft(self, key: str) -> Iterator[int]:
        """A file to write into, which takes the key's place when that went well."""
        draft = f"{SAVING}{secrets.token_hex(8)}"
        self.create(draft)
        path = self.path(key)
        try:
            with self.open(draft) as fd:
                yield fd
                self.sync(fd)
            self._folder(path.parent)
            self.path(draft).replace(path)
        finally:
            self.unlink(draft)
        self._sync_folder(path.parent)

    def older(self, folder: str, age: float) -> Iterator[str]:
        """The keys below a folder whose bytes were last touched more than `age` seconds ago."""
        before = time.time() - age
        return (key for key, found in self._walk(folder) if found.st_mtime < before)

    def below(self, folder: str) -> Iterator[tuple[str, int]]:
        """The keys below a folder, and their sizes."""
        return ((key, found.st_size) for key, found in self._walk(folder))

    def _walk(self, folder: str) -> Iterator[tuple[str, os.stat_result]]:
        for path in (self.root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                if stat.S_ISREG(found.st_mode):
                    yield path.relative_to(self.root).as_posix(), found

    def check_links(self) -> None:
        """Raise ValueError unless files can be made here and linked, which is how bytes come to rest."""
        one = f"{SAVING}{secrets.token_hex(8)}"
        try:
            self.create(one)
            self.link(one, f"{one}-link")
            self._opened = True
        except OSError as fault:
            raise ValueError(
                f"{self.root} cannot keep uploads: it needs a file system with hard links that we may write to ({fault})"
            ) from fault
        finally:
            with contextlib.suppress(OSError):
                self.unlink(one)
                self.unlink(f"{one}-link")

    def _folder(self, path: Path) -> None:
        if path.is_dir():
            return
        if path != self.root:
            self._folder(path.parent)
            path.mkdir(mode=0o700, exist_ok=True)
        else:
            self._require_root()
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sync_folder(path.parent)

    @contextlib.contextmanager
    def _rooted(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            self._require_root()
            raise

    def _require_root(self) -> None:
        if self._opened and not self.root.is_dir():
            raise StoreDown(f"{self.root} is not there any more: is its disk mounted?")

    def _sync_folder(self, path: Path) -> None:
        if not self.fsync:
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def faults(root: Path) -> Iterator[None]:
    """What the kernel refuses becomes StoreDown, with its reason."""
    try:
        yield
    except OSError as fault:
        raise StoreDown(f"{root}: {fault.strerror or fault}") from fault


def etag(fd: int) -> str:
    """Changes when the bytes of the file are touched; not when it gets another name."""
    found = os.fstat(fd)
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"


def _write_all(fd: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]

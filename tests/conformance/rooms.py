"""The three stores under test, each with a look at what really lies in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core import keys
from app.core.errors import Code, UploadError
from app.core.parts import Part, Parts
from app.core.ports import Store, Written
from app.core.refs import Kind, Ref
from app.core.signing import Signer
from app.core.upload import Staged
from app.stores import open_store
from tests.conformance.senders import MIB, Sender, quiet
from tests.services.seaweed import Seaweed

PART = 5 * MIB  # the smallest that S3 takes
SIGNER = Signer(b"a secret of the tests")
TENANT = "acme"
ENDLESS = 1 << 40


def opened(url: str, spool: Path | None = None, *, fsync: bool = False) -> Store:
    return open_store(url, fsync=fsync, signer=SIGNER, spool=spool)


class Room:
    """A store, a second one on the same bytes (another process, as far as the bytes know), and the keys that a test used."""

    def __init__(self, store: Store, other: Store) -> None:
        self.store, self._other = store, other
        self._ids: list[str] = []
        self._documents: list[str] = []
        self._rests: list[str] = []

    def again(self) -> Store:
        return self._other

    def new_id(self) -> str:
        self._ids.append(keys.new_id())
        return self._ids[-1]

    def key(self) -> str:
        return keys.staging(TENANT, self.new_id())

    def stream(self) -> Staged:
        return self.store.stage(self.key(), planned=False, length=None)

    def plan(self, length: int | None) -> Staged:
        return self.store.stage(self.key(), planned=True, length=length)

    def blob_of(self, staged: Staged) -> str:
        return keys.blob(*keys.upload_of(staged.key))

    def document(self) -> str:
        self._documents.append(keys.manifest(Ref(Kind.ASSET, TENANT, self.new_id())))
        return self._documents[-1]

    def rendition(self) -> str:
        self._rests.append(keys.rendition(TENANT, keys.blob(TENANT, self.new_id()), "spec", self.new_id()))
        return self._rests[-1]

    def clear(self) -> None:
        """What the core does in the end: everything by calls of the port."""
        for each in self._ids:
            self.store.discard(Staged(keys.staging(TENANT, each)))
            self.store.delete(keys.blob(TENANT, each))
        for key in self._rests:
            self.store.delete(key)
        for document in self._documents:
            self.store.remove(document)

    def staged_left(self) -> list[str]:
        return [name for name in self.left() if "staging/" in name]

    def left(self) -> list[str]:
        """The names of everything that lies in the store."""
        raise NotImplementedError

    def scour(self) -> None:
        """Empty a store that others use after this test, whatever this one left."""

    def tamper(self, staged: Staged) -> None:
        """Other bytes of the same size under a staged whole, behind the store's back."""
        raise NotImplementedError


class LocalRoom(Room):
    def __init__(self, root: Path) -> None:
        self.root = root
        super().__init__(opened(f"file://{root}"), opened(f"file://{root}"))

    def left(self) -> list[str]:
        return sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())

    def tamper(self, staged: Staged) -> None:
        path = self.root / staged.key
        before = path.stat().st_mtime_ns
        with path.open("r+b") as file:
            file.write(b"tampered")
        os.utime(path, ns=(before + 1, before + 1))  # the clock of a file system may be coarser than this test is fast


class MemoryRoom(Room):
    def __init__(self) -> None:
        store = opened("memory://")  # memory is one process: there is no second one on the same bytes
        super().__init__(store, store)

    def left(self) -> list[str]:
        inside: Any = self.store
        return sorted([*inside._staged, *inside._kept])

    def tamper(self, staged: Staged) -> None:
        inside: Any = self.store
        inside._staged[staged.key].put(0, b"tampered")


class Bucket:
    """A fresh bucket of a server, with two stores on one prefix of it: their clients are dear, so all tests share them."""

    def __init__(self, server: Seaweed, spool: Path) -> None:
        self.server, self.name, self.prefix = server, server.bucket(), "slipway"
        self.raw = server.client()
        self.url = server.store_url(self.name, self.prefix)
        self.stores = opened(self.url, spool), opened(self.url, spool)


class S3Room(Room):
    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.prefix, self.raw, self.url = bucket.name, bucket.prefix, bucket.raw, bucket.url
        self.server = bucket.server
        super().__init__(*bucket.stores)

    def scour(self) -> None:
        for name in self.objects():
            self.raw.delete_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        for name in self.sessions():
            key, _, session = name.partition("?")
            self.raw.abort_multipart_upload(Bucket=self.bucket, Key=f"{self.prefix}/{key}", UploadId=session)

    def objects(self) -> list[str]:
        found = self.raw.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/").get("Contents", [])
        return [each["Key"].removeprefix(f"{self.prefix}/") for each in found]

    def sessions(self) -> list[str]:
        found = self.raw.list_multipart_uploads(Bucket=self.bucket, Prefix=f"{self.prefix}/").get("Uploads", [])
        return [f"{each['Key'].removeprefix(f'{self.prefix}/')}?{each['UploadId']}" for each in found]

    def left(self) -> list[str]:
        return sorted([*self.objects(), *self.sessions()])

    def tamper(self, staged: Staged) -> None:
        name = staged.pieces[0].key if staged.pieces else staged.key
        self.raw.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=b"t" * (staged.size or 0))


class Kept:
    """What the records keep of one stream: where it stands and which parts it has."""

    def __init__(self, staged: Staged, offset: int = 0) -> None:
        self.staged, self.offset = staged, offset
        self.parts = Parts(*keys.upload_of(staged.key))

    def take(self, written: Written) -> Written:
        self.staged, self.offset = written.staged, written.offset
        self.add(*written.parts)
        return written

    def add(self, *parts: Part) -> None:
        self.parts = replace(self.parts, held={**self.parts.held, **{p.number: p for p in parts}})

    def write(self, store: Store, data: bytes, **sending: Any) -> Written:
        return self.take(store.write(self.staged, self.offset, PART, Sender(data, **sending), ENDLESS, quiet))

    def sealed(self, store: Store) -> Staged:
        return store.seal(self.staged, self.parts, self.offset)


def landed(store: Store, sealed: Staged) -> bytes:
    with store.land(sealed) as whole:
        return whole.file.read()


def outcome(call: Callable[[], Any]) -> tuple[Any, Code | None]:
    """What a call gave, or the code by which it was refused."""
    try:
        return call(), None
    except UploadError as refusal:
        return None, refusal.code


def fetched(store: Store, key: str, offset: int = 0, length: int = ENDLESS) -> bytes:
    with store.fetch(key, offset, length) as out:
        return b"".join(out.chunks)


@contextmanager
def cleared(room: Room) -> Iterator[Room]:
    """The room, and afterwards the proof that the port's own calls leave nothing behind."""
    yield room
    room.clear()
    left = room.left()
    room.scour()
    assert left == []

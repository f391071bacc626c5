"""A house whose races happen on purpose: something else happens while a step runs, or while the store works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from app.core.errors import UploadError
from app.core.policy import EDITOR, Policy, Principal
from app.core.processing import Processing
from app.core.reception import Opening
from app.core.refs import Index, Kind, Ref
from app.core.target import Target

ACME = Principal("acme", "key", EDITOR)
ANY_FILE = Policy(media_types=("*/*",), judge=False)


class Bytes:
    """A body out of memory."""

    def __init__(self, content: bytes) -> None:
        self.length: int | None = len(content)
        self._rest = BytesIO(content)

    def into(self, fd: int, offset: int, limit: int) -> int:
        import os

        return os.pwrite(fd, self._rest.read(limit), offset)

    def chunks(self, limit: int):
        while limit and (some := self._rest.read(min(limit, 65536))):
            limit -= len(some)
            yield some


@dataclass
class Meanwhile:
    """Any port: the first time that `name` is called, `happens` runs first."""

    port: Any
    name: str
    happens: Any
    done: bool = False

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.port, name)
        return self._first(call) if name == self.name else call

    def _first(self, call):
        def wrapped(*args, **kwargs):
            if not self.done:
                self.done = True
                self.happens()
            return call(*args, **kwargs)

        return wrapped


@dataclass
class BetweenReadAndWrite:
    """Records, where `happens` runs once between what a commit over `kinds` reads and what it writes."""

    records: Any
    kinds: tuple[Kind, ...]
    happens: Any
    done: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.records, name)

    def commit(self, refs, step):
        def raced(*found):
            change = step(*found)
            if not self.done and tuple(ref.kind for ref in refs)[: len(self.kinds)] == self.kinds:
                self.done = True
                self.happens()
            return change

        return self.records.commit(refs, raced)


class World:
    """What tests of the use cases do over and over."""

    def __init__(self, door) -> None:
        self.door, self.house = door, door.house
        self.records, self.store = door.house.records, door.house.store
        self.reception, self.retention, self.library = door.house.reception, door.house.retention, door.house.library
        self.folders, self.documents = door.house.folders, door.house.documents

    def hold(self) -> None:
        self.door.jobs.hold = True

    def open(self, policy: Policy = ANY_FILE, **opening):
        return self.reception.open(ACME, "v1", policy, Opening(**opening))

    def upload(self, content: bytes, policy: Policy = ANY_FILE):
        """Sent and finished; the operation as it stands then."""
        return self.fresh(self.reception.take(self.open(policy), Bytes(content)))

    def sent(self, content: bytes, who=ACME, filename: str = "a.bin", policy: Policy = ANY_FILE, target: Target | None = None):
        """As `upload`, by somebody, under a name, for a target."""
        up = self.reception.open(who, "v1", policy, Opening(filename, target=target or Target()))
        return self.fresh(self.reception.take(up, Bytes(content)))

    def kept(self, content: bytes, policy: Policy = ANY_FILE, **opening):
        """An upload that holds its bytes."""
        up = self.open(policy, kept=True, **opening)
        self.reception.take(up, Bytes(content))
        return self.fresh(up)

    def rests(self, key: str) -> bool:
        """Whether there are bytes at rest under this key."""
        try:
            with self.store.fetch(key, 0, 1):
                return True
        except UploadError:
            return False

    def fresh(self, entity):
        return self.records.get(entity.ref)

    def asset_of(self, op):
        return self.records.get(Ref(Kind.ASSET, op.tenant, self.fresh(op).asset_ids[0]))

    def content(self, asset) -> bytes:
        with self.library.read(asset, 0, asset.facts.size) as fetched:
            return b"".join(fetched.chunks)

    def processing(self, **ports) -> Processing:
        return replace(self.house.processing, **ports)

    def sweep_all(self) -> None:
        """Every deadline has passed, twice, so that what the first pass condemned goes in the second."""
        for _ in range(3):
            self.door.pass_time(30 * 86400)
            self.door.sweep()

    def indexed(self) -> dict[str, int]:
        return {index.value: count for index in Index if (count := self.records.count(index))}

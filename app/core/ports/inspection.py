"""What `slipway doctor` asks of the machines behind the house: measured here, judged by whoever asks. Nothing is left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """A Redis as it says that it is. What it does not tell, managed ones keep their configuration to themselves, is None.

    `run_id` and `db` name the database; `policy`: maxmemory-policy; `limit`: maxmemory, 0 for none; `used`, `limit`, `memory` (of its
    machine): bytes; `skew`: its clock minus ours, seconds.
    """

    server: str
    version: tuple[int, ...]
    run_id: str
    db: int
    policy: str | None
    limit: int
    used: int
    memory: int
    appends: bool | None
    syncs: str | None
    skew: float


class RedisInspector(Protocol):
    """Asks one Redis."""

    def look(self) -> RedisFacts:
        """One look. Raises RecordsDown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a bucket's lifecycle: below which prefix, and after how many days objects go, and unfinished multipart uploads end."""

    name: str
    prefix: str
    expires: float | None
    aborts: float | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a page of an origin meets when it PUTs a part: whether it may, and whether it is shown the ETag."""

    allowed: bool
    shown: bool


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket as it behaves. None: could not be found out, or not allowed to be read.

    `same`: what is written is read; `keeps`: sums are kept and told; `verifies`: a wrong sum is refused; `unframed`: the frames of aws-chunked
    bodies are taken off (None: such are refused); `presigned`: what went wrong with a signed URL at the public endpoint, or "".
    """

    where: str
    prefix: str
    skew: float
    same: bool
    keeps: bool
    verifies: bool
    unframed: bool | None
    presigned: str
    origins: Mapping[str, Welcome] = field(default_factory=dict)
    rules: Sequence[Rule] | None = ()


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder that keeps bytes: whether what is written is read, whether files can be linked; bytes free and in all, files that may still be made."""

    root: Path
    same: bool
    links: bool
    free: int
    total: int
    files: int


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """Bytes are kept in the memory of each process: for tests."""


StoreFacts = BucketFacts | FolderFacts | MemoryFacts


class StoreInspector(Protocol):
    """Tries a store, under keys of its own, which it removes."""

    def look(self, origins: Sequence[str]) -> StoreFacts:
        """One look; at a bucket also as a page of each of these origins. Raises StoreDown."""

"""The data folder of `slipway up`: whose it is at the moment, and the secrets that are kept in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict, cast

from app.access import Access, bundles
from app.access.bundles import Bundle

TENANT, ROLE = "demo", "admin"


class Taken(Exception):
    """Something that this start needs is in use; the message says what, and by whom."""


class Credentials(TypedDict):
    """The file `credentials.json`."""

    url: str
    tenant: str
    api_key: str
    client_id: str
    client_secret: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A data folder that is ours until this process ends."""

    folder: Path
    lock: int

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """The text of a small private file, made at first use."""
        file = self.folder / name
        if not file.exists():
            _write(file, make())
        return file.read_text().strip()

    def secret(self) -> None:
        """The file `secret`, which the settings read."""
        self.kept("secret", lambda: secrets.token_urlsafe(32))

    def credentials(self, url: str) -> Credentials:
        """What `credentials.json` says, made at first use, with the URL of today. Raises Taken when it is damaged."""
        file = self.folder / "credentials.json"
        kept = _read(file) if file.exists() else _new()
        kept["url"] = url
        _write(file, json.dumps(kept, indent=2) + "\n")
        return kept

    def sample(self) -> Path:
        """A small picture to try an upload with."""
        file = self.folder / "sample.png"
        if not file.exists():
            file.write_bytes(picture(64))
        return file


def occupy(folder: Path) -> Ground:
    """Make the folder ours. Raises Taken, naming the process that has it, or OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode().strip() or "?"
        os.close(lock)
        raise Taken(f"the data folder {folder} is in use by process {holder}") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return Ground(folder, lock)


def admit(access: Access, kept: Credentials) -> None:
    """See to it that the kept credentials are known, also to a Redis that lost them. What was revoked stays revoked."""
    secrets_of = {
        name: text for name, text in cast("dict[str, str]", kept).items() if name in Credentials.__annotations__ and name != "url"
    }
    bundles.admit(access, Bundle(**secrets_of), ROLE, "credentials.json")


def _new() -> Credentials:
    return cast("Credentials", {"url": "", **asdict(bundles.new(TENANT))})


def _read(file: Path) -> Credentials:
    try:
        found = json.loads(file.read_text())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in Credentials.__annotations__):
        raise Taken(f"{file} is damaged; remove it, and the next start makes new credentials")
    return cast("Credentials", found)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, for our eyes only."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def picture(side: int) -> bytes:
    """A square PNG of some colours (RFC 2083), made by hand: decoders live in another room."""
    rows = b"".join(b"\0" + bytes(v for x in range(side) for v in (4 * x % 256, 4 * y % 256, 160)) for y in range(side))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + body

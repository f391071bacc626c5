"""What is remembered of an upload in parts, so that the same command goes on with it after a kill.

One small file an upload, in $XDG_STATE_HOME/slipway (else ~/.local/state/slipway, as the XDG Base Directory specification has it), named by a
hash of server, key, path, size and time of change. No key is in it. What nobody touched for a week goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from app.settings import environment

FORGOTTEN = 7 * 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Note:
    """How far it came: `idempotency` before anything was asked, `upload` and `operation` since it was announced, `finished` since it was complete."""

    idempotency: str = field(default_factory=lambda: str(uuid.uuid4()))
    digest: str | None = None
    upload: str | None = None
    operation: str | None = None
    finished: bool = False


class Notes:
    """The folder of notes. With `keep` off nothing is read or written."""

    def __init__(self, *, keep: bool = True, folder: Path | None = None) -> None:
        self._keep, self._folder = keep, folder or _folder()

    def place(self, url: str, key: str, path: Path, size: int, changed: int) -> Path:
        """The file of an upload's note. `changed` is the time of the file's last change in nanoseconds."""
        words = "\n".join((url, key, str(path.absolute()), str(size), str(changed)))
        return self._folder / f"{hashlib.sha256(os.fsencode(words)).hexdigest()[:40]}.json"

    def read(self, place: Path) -> Note:
        """What is remembered; a new note where nothing is, or where it cannot be read."""
        try:
            kept = json.loads(place.read_text()) if self._keep else {}
            return replace(Note(), **{name: value for name, value in kept.items() if name in Note.__dataclass_fields__})
        except (OSError, ValueError, AttributeError):
            return Note()

    def write(self, place: Path, note: Note) -> None:
        """Remember it, whole or not at all. A folder that takes no notes is no reason not to upload."""
        if not self._keep:
            return
        draft = place.with_suffix(f".{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(asdict(note)))
            draft.replace(place)

    def drop(self, place: Path) -> None:
        """Forget it."""
        with contextlib.suppress(OSError):
            place.unlink()

    def tidy(self) -> None:
        """Forget what is too old to be gone on with."""
        before = time.time() - FORGOTTEN
        with contextlib.suppress(OSError):
            for file in self._folder.iterdir():
                if file.stat().st_mtime < before:
                    file.unlink()


def _folder() -> Path:
    told = environment().get("XDG_STATE_HOME", "")
    return (Path(told) if Path(told).is_absolute() else Path.home() / ".local" / "state") / "slipway"

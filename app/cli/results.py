"""What came of one file, as people and programs read it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from app.cli.remote import Json, Refused
from app.cli.sources import legible

KIB = 1024
FACTS = ("mediaType", "size", "width", "height", "digest")
NETWORK, LOCAL, STOPPED = "network", "file", "interrupted"  # codes of what no server said


@dataclass(frozen=True, slots=True)
class Result:
    """`status`: completed, failed, cancelled, or pending where it was not waited for. A `problem` has a code and a sentence."""

    path: str
    status: str
    operation: str | None = None
    asset: str | None = None
    url: str | None = None
    facts: Json = field(default_factory=dict)
    problem: tuple[str, str] | None = None

    @property
    def good(self) -> bool:
        """Whether nothing went wrong, as far as was waited for."""
        return self.problem is None and self.status in {"completed", "pending"}

    def document(self) -> str:
        """One JSON object on one line; its fields are documented in docs/cli.md and stay."""
        shown: dict[str, Any] = {
            "path": legible(self.path),
            "ok": self.good,
            "status": self.status,
            "operationId": self.operation,
            "assetId": self.asset,
            "url": self.url,
            **{name: self.facts.get(name) for name in FACTS},
            "problem": {"code": self.problem[0], "detail": self.problem[1]} if self.problem else None,
        }
        return json.dumps(shown)

    def line(self) -> str:
        """For people: path, asset, URL, what was measured; or why not."""
        if self.problem:
            return f"{legible(self.path)}: {self.problem[1]}"
        if self.asset is None:
            return f"{legible(self.path)}\toperation {self.operation}\t{self.status}"
        return "\t".join(filter(None, (legible(self.path), self.asset, self.url, self._measured())))

    def _measured(self) -> str:
        size, width, height = (self.facts.get(name) for name in ("size", "width", "height"))
        words = [self.facts.get("mediaType"), readable(size) if isinstance(size, int) else None, f"{width}x{height}" if width else None]
        return ", ".join(word for word in words if word)


def failed(path: str, code: str, sentence: str) -> Result:
    """It did not work."""
    return Result(path, "failed", problem=(code, sentence))


def refused(path: str, why: Refused) -> Result:
    """The server did not want it."""
    return failed(path, why.code, str(why))


def readable(size: int) -> str:
    """A size in bytes for people."""
    scaled = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if scaled < KIB:
            return f"{scaled:.0f} {unit}" if unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= KIB
    return f"{scaled:.1f} TiB"

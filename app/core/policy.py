"""What a dialect takes and keeps, and who speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MIB = 1024 * 1024
HOUR = 3600.0
DAY = 24 * HOUR
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
ANY = "*/*"
WEBP_APART: Mapping[str, int] = {"image/webp": 25_000_000}  # its decoder takes 16 bytes a pixel: these are 400 MB
ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}  # declared so by old clients


class Trailing(StrEnum):
    """What becomes of an image behind whose end the file goes on, as phones' second pictures and short films do."""

    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


class Scope(StrEnum):
    """What a principal may do."""

    UPLOADS_WRITE = "uploads:write"
    UPLOADS_READ = "uploads:read"
    ASSETS_READ = "assets:read"
    ASSETS_WRITE = "assets:write"
    ASSETS_DELETE = "assets:delete"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_CANCEL = "operations:cancel"
    ADMIN = "admin"


VIEWER = frozenset({Scope.UPLOADS_READ, Scope.ASSETS_READ, Scope.OPERATIONS_READ})
EDITOR = frozenset(Scope) - {Scope.ADMIN}
ROLES: Mapping[str, frozenset[Scope]] = {"viewer": VIEWER, "editor": EDITOR, "admin": frozenset(Scope)}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who speaks: the tenant whose records are visible, the owner within it, and the scopes granted."""

    tenant: str
    owner: str
    scopes: frozenset[Scope] = field(default_factory=frozenset)

    def may(self, scope: Scope) -> bool:
        """Whether the principal holds `scope`."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits (inclusive), lifetimes (seconds) and sizes (bytes) of one dialect.

    A copy lies in every upload, so a worker needs no dialect and a promise made at the door holds when the settings change.

    `media_types`: what may be taken in, as measured; `*/*` takes any file.
    `judge`: refuse what is no sound image (True), or keep it as a plain file (False; needs `*/*`).
    `max_pixels`: width x height x frames; `max_pixels_by_type` narrows it for a measured type.
    `trailing`: what follows an image's end is allowed, makes a warning of its operation, or is refused.
    `asset_ttl`: None keeps assets for ever. `patience`: how long a synchronous vendor's answer waits for the worker.
    `max_attempts`: how many workers may be lost over one operation.
    `empty`: a plan of no bytes is taken too; its one part has none.
    `part_digests`: the digest of every part that comes through our own door is recorded.
    `requests_per_second`, `requests_per_hour`: of one principal at this dialect; 0 sets no limit.
    """

    max_bytes: int = 75_000_000
    max_pixels: int = 50_000_000
    max_pixels_by_type: Mapping[str, int] = field(default_factory=lambda: WEBP_APART)
    max_frames: int = 10_000
    media_types: tuple[str, ...] = IMAGES
    judge: bool = True
    trailing: Trailing = Trailing.ALLOW
    upload_ttl: float = 600.0
    asset_ttl: float | None = DAY
    operation_ttl: float = 7 * DAY
    part_size: int = 8 * MIB
    max_parts: int = 10_000
    empty: bool = False
    part_digests: bool = False
    patience: float = 10.0
    max_attempts: int = 3
    requests_per_second: int = 1_000
    requests_per_hour: int = 1_000_000

    def accepts(self, media_type: str) -> bool:
        """Whether files of this media type may be kept."""
        return ANY in self.media_types or ALIASES.get(media_type, media_type) in self.media_types

    def pixels_of(self, media_type: str) -> int:
        """The pixel limit for a measured media type."""
        return min(self.max_pixels, self.max_pixels_by_type.get(media_type, self.max_pixels))

"""What is made of an image on demand: how it is asked for, and what an asset has of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from app.core.errors import Code, UploadError
from app.core.facts import Facts
from app.core.refs import Kind, Ref

SIDE_MOST = 10_000  # pixels
PIXELS_MOST = 50_000_000  # that are decoded, and that are written, counting frames …
ENLARGED_MOST = 16_000_000  # … and that are written when there were fewer: anybody may ask for any size of a public image
QUALITY = 80  # of a lossy format, where nothing is said (Squidex.Assets.ImageSharp, Internal/Extensions.cs)
MOST = 100  # renditions of one asset: anybody may ask for any width of a public image, and this is what protects the disk
BACKGROUND_MOST = 32  # characters

LOSSY = frozenset({"image/jpeg", "image/webp", "image/avif"})
READABLE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/tiff"})
WRITABLE = READABLE | {"image/bmp"}


class Mode(StrEnum):
    """How an image comes to the size that was asked for: ImageSharp's ResizeMode, as Squidex uses it (Squidex.Assets/ResizeMode.cs)."""

    CROP = "crop"  # fills width x height, and is cut; an image that is smaller both ways is padded, not enlarged
    CROP_UPSIZE = "cropupsize"  # the same, and enlarges
    PAD = "pad"  # all of it within width x height, which the background fills; enlarges
    BOX_PAD = "boxpad"  # the same, and does not enlarge
    MAX = "max"  # as large as fits into width x height; enlarges
    MIN = "min"  # as small as its nearer side allows; does not enlarge
    STRETCH = "stretch"  # exactly width x height, whatever becomes of its proportions


@dataclass(frozen=True, slots=True)
class Spec:
    """What is asked for. `width`, `height`: pixels; None follows from the other one by the proportions, both None keep the size.

    `quality`: 1 to 100, of lossy formats. `media_type`: one of WRITABLE; None is the image's own.
    `focus`: what a cut keeps in its middle, x and y from -1 to 1, to the right and up. `background`: `#rgb`, `#rgba`, `#rrggbb`,
    `#rrggbbaa` (the sign may be missing) or a name of CSS; what cannot be read, like None, is transparent.
    Raises UploadError(INVALID) for what lies outside of that.
    """

    width: int | None = None
    height: int | None = None
    mode: Mode = Mode.CROP
    quality: int | None = None
    media_type: str | None = None
    focus: tuple[float, float] | None = None
    background: str | None = None

    def __post_init__(self) -> None:
        for name, value, most in (("width", self.width, SIDE_MOST), ("height", self.height, SIDE_MOST), ("quality", self.quality, 100)):
            _require(value is None or 1 <= value <= most, f"{name} is from 1 to {most}")
        _require(self.media_type in {None, *WRITABLE}, "images cannot be written in this format")
        _require(self.focus is None or all(math.isfinite(at) and abs(at) <= 1 for at in self.focus), "a focus lies from -1 to 1")
        _require(len(self.background or "") <= BACKGROUND_MOST, "the background is no colour")

    @property
    def scales(self) -> bool:
        """Whether it asks for a size."""
        return self.width is not None or self.height is not None

    def asks_of(self, media_type: str) -> bool:
        """Whether an image of this type would become another file (Squidex.Assets/AssetThumbnailGeneratorBase.cs, IsResizable)."""
        return self.scales or self.quality is not None or self.media_type not in {None, media_type}

    def of(self, media_type: str) -> Spec:
        """The same for an image of this type, without what makes no difference: what comes out alike is spelt alike."""
        to = self.media_type or media_type
        cut = self.scales and self.mode in {Mode.CROP, Mode.CROP_UPSIZE}
        return replace(
            self,
            mode=self.mode if self.scales else Mode.CROP,
            quality=(self.quality or QUALITY) if to in LOSSY else None,
            media_type=to,
            focus=(round(self.focus[0], 3) + 0.0, round(self.focus[1], 3) + 0.0) if cut and self.focus else None,
            background=(self.background or "").strip().removeprefix("#").lower() or None,
        )

    def key(self) -> str:
        """A short name: the same for equal specs, in every process."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


def _require(sound: Any, reason: str) -> None:
    if not sound:
        raise UploadError(Code.INVALID, reason=reason)


# ---------------------------------------------------------------- what an asset has


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to make: out of the blob at `source` (bytes, media type), to rest at `key`."""

    source: str
    size: int
    media_type: str
    spec: Spec
    key: str


@dataclass(frozen=True, slots=True)
class Rendition:
    """One that was asked for: where it rests, or will; `facts` as soon as it does. `used`: when it was wanted last, by the record's count."""

    blob: str
    operation_id: str
    facts: Facts | None = None
    used: int = 0


@dataclass(frozen=True, slots=True)
class Renditions:
    """Those of one asset (`id`), made of its blob at `source`, by the key of their spec. `count` goes on with every one that is asked for."""

    id: str
    tenant: str
    source: str
    entries: Mapping[str, Rendition] = field(default_factory=dict)
    count: int = 0
    version: int = 0

    @property
    def ref(self) -> Ref:
        """Their name among the records."""
        return renditions_ref(self.tenant, self.id)

    @property
    def size(self) -> int:
        """Bytes of all that rest: what the asset holds besides its own."""
        return sum(entry.facts.size for entry in self.entries.values() if entry.facts)


def renditions_ref(tenant: str, asset_id: str) -> Ref:
    """Where the renditions of an asset lie."""
    return Ref(Kind.RENDITIONS, tenant, asset_id)


def entry_of(known: Renditions | None, source: str | None, key: str) -> Rendition | None:
    """The rendition of this spec, if one was asked for and `source` is what it is made of."""
    return known.entries.get(key) if known and known.source == source else None


def asked(of: Renditions, key: str, entry: Rendition) -> Renditions:
    """One more; the one that was wanted longest ago makes room, if possible one that is finished: who waits for it waits on."""
    entries = {**of.entries, key: replace(entry, used=of.count + 1)}
    while len(entries) > MOST:
        others = [name for name in entries if name != key]
        del entries[min(others, key=lambda name: (entries[name].facts is None, entries[name].used))]
    return replace(of, entries=entries, count=of.count + 1, version=of.version + 1)


def wanted(of: Renditions, key: str) -> Renditions:
    """Asked for again; the same record when it is among the newer half anyway, so that a picture on a busy page is not a write each time."""
    entry = of.entries[key]
    if entry.used > of.count - MOST // 2:
        return of
    entries = {**of.entries, key: replace(entry, used=of.count + 1)}
    return replace(of, entries=entries, count=of.count + 1, version=of.version + 1)


def made(of: Renditions, key: str, facts: Facts) -> Renditions:
    """It rests."""
    return replace(of, entries={**of.entries, key: replace(of.entries[key], facts=facts)}, version=of.version + 1)


def resting(of: Renditions | None) -> frozenset[str]:
    """The blobs that are held."""
    return frozenset(entry.blob for entry in of.entries.values() if entry.facts) if of else frozenset()

"""What the client came for, and the bytes at rest behind it.

A blob lives while somebody holds it: `promoting` while a worker moves it, `live` while it has holders, `doomed` from the moment
that the last holder let go. A doomed blob never comes back, and its key is never used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from app.core import timing
from app.core.errors import Code, Moved
from app.core.facts import Facts
from app.core.refs import Kind, Ref


class AssetState(StrEnum):
    """The states of an asset."""

    PLACEHOLDER = "placeholder"
    READY = "ready"
    DELETED = "deleted"


class BlobState(StrEnum):
    """The states of a blob."""

    PROMOTING = "promoting"
    LIVE = "live"
    DOOMED = "doomed"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a tenant. `usage`: the reference that keeps it, in the words of who uses it; `expires_at`: None keeps it for ever."""

    id: str
    tenant: str
    owner: str
    dialect: str
    filename: str
    created_at: float
    updated_at: float
    state: AssetState = AssetState.READY
    blob: str | None = None
    facts: Facts | None = None
    expires_at: float | None = None
    usage: str | None = None
    upload_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The asset's name among the records."""
        return Ref(Kind.ASSET, self.tenant, self.id)


@dataclass(frozen=True, slots=True)
class Blob:
    """Immutable bytes at rest. `holders` counts who holds it; the records keep the count and fill it in."""

    key: str
    tenant: str
    state: BlobState = BlobState.PROMOTING
    size: int | None = None
    digest: str | None = None
    media_type: str | None = None
    doomed_at: float | None = None
    holders: int = 0
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The blob's name among the records."""
        return Ref(Kind.BLOB, self.tenant, self.key)


@dataclass(frozen=True, slots=True)
class Pointer:
    """From the digest of a tenant's bytes to the live blob that has them: the same bytes are stored once."""

    tenant: str
    digest: str
    key: str
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The pointer's name among the records."""
        return Ref(Kind.DIGEST, self.tenant, self.digest)


def live(blob: Blob, facts: Facts) -> Blob:
    """Promoted, judged good, about to get its first holder."""
    if blob.state is not BlobState.PROMOTING:
        raise Moved(Code.VERSION_CONFLICT)
    rested = replace(blob, size=facts.size, digest=facts.digest, media_type=facts.media_type)
    return replace(rested, state=BlobState.LIVE, version=blob.version + 1)


def doom(blob: Blob, now: float) -> Blob:
    """Condemned: its bytes may go once no worker can still be writing them."""
    return replace(blob, state=BlobState.DOOMED, doomed_at=now + timing.GRACE, version=blob.version + 1)


def keep(asset: Asset, usage: str | None, now: float) -> Asset:
    """Kept for ever, for `usage` when one is named. The same usage again changes nothing.

    Raises Moved(IN_USE) when the asset is kept for another usage, Moved(GONE) when it is deleted or past its deadline.
    """
    require_ready(asset, now)
    if usage is not None and asset.usage not in {None, usage}:
        raise Moved(Code.IN_USE)
    return revised(asset, now, usage=usage or asset.usage, expires_at=None)


def delete(asset: Asset, now: float) -> Asset:
    """Gone for the client; its manifest, record and hold on the blob follow."""
    if asset.state is AssetState.DELETED:
        raise Moved(Code.GONE, what="asset")
    return revised(asset, now, state=AssetState.DELETED, expires_at=None)


def require_ready(asset: Asset, now: float) -> None:
    """Raise Moved(GONE) unless the asset is there at `now`, swept or not."""
    late = asset.expires_at is not None and now > asset.expires_at
    if asset.state is AssetState.DELETED or late:
        raise Moved(Code.GONE, what="asset")


def revised(asset: Asset, now: float, **changes: Any) -> Asset:
    """The asset with `changes`, one version on."""
    return replace(asset, updated_at=now, version=asset.version + 1, **changes)

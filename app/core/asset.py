"""What the client came for, and the bytes at rest behind it.

An asset is a `placeholder` until it has bytes, `ready` while it has them, `trashed` while it can be brought back, then `deleted`.

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
    TRASHED = "trashed"
    DELETED = "deleted"


class BlobState(StrEnum):
    """The states of a blob."""

    PROMOTING = "promoting"
    LIVE = "live"
    DOOMED = "doomed"


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier content of an asset: the version at which the asset last had it, and the upload that brought it."""

    blob: str
    facts: Facts
    created_at: float
    version: int = 0
    upload_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a tenant. `usage`: the reference that keeps it, in the words of who uses it; `expires_at`: None keeps it for ever.

    `parent`: the folder in which it lies; None is the dialect's root. `aliases`: the names that it has, unique in the tenant.
    `document`: the id of the document of its dialect in which it stands, and with which alone it goes.
    `file_version` counts how often its bytes were replaced; `revisions` are the earlier contents that stay, oldest first.
    `metadata` is the dialect's own pocket of JSON.
    """

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
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    aliases: tuple[str, ...] = ()
    revisions: tuple[Revision, ...] = ()
    file_version: int = 0
    updated_by: str = ""
    document: str | None = None
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The asset's name among the records."""
        return Ref(Kind.ASSET, self.tenant, self.id)

    @property
    def contents(self) -> Mapping[str, str]:
        """Every blob that it holds, by its key, with its digest."""
        held = [(self.blob, self.facts), *((revision.blob, revision.facts) for revision in self.revisions)]
        return {key: facts.digest for key, facts in held if key is not None and facts is not None}


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
    return revised(asset, now, state=AssetState.DELETED, expires_at=None, aliases=())


def trash(asset: Asset, now: float) -> Asset:
    """Gone for the client until it is brought back; deleted after TRASH seconds. Its names are free for others. Raises Moved: GONE, IN_USE."""
    require_there(asset, now)
    require_alone(asset)
    return revised(asset, now, state=AssetState.TRASHED, expires_at=now + timing.TRASH, aliases=())


def restore(asset: Asset, now: float) -> Asset:
    """Brought back from the trash, and kept. One that is there keeps its deadline. Raises Moved(GONE) when it is deleted."""
    if asset.state is AssetState.DELETED:
        raise Moved(Code.GONE, what="asset")
    back = AssetState.READY if asset.blob else AssetState.PLACEHOLDER
    return revised(asset, now, state=back, expires_at=None if asset.state is AssetState.TRASHED else asset.expires_at)


def there(asset: Asset, now: float) -> bool:
    """Whether clients see it at `now`, with bytes or without, swept or not."""
    late = asset.expires_at is not None and now > asset.expires_at
    return asset.state in {AssetState.READY, AssetState.PLACEHOLDER} and not late


def require_alone(asset: Asset) -> None:
    """Raise Moved(IN_USE) for what stands in a document."""
    if asset.document is not None:
        raise Moved(Code.IN_USE)


def require_there(asset: Asset, now: float) -> None:
    """Raise Moved(GONE) unless the asset is there at `now`."""
    if not there(asset, now):
        raise Moved(Code.GONE, what="asset")


def require_ready(asset: Asset, now: float) -> None:
    """Raise Moved unless the asset is there at `now` and has bytes: GONE, or NOT_FOUND for a placeholder."""
    require_there(asset, now)
    if asset.state is AssetState.PLACEHOLDER:
        raise Moved(Code.NOT_FOUND, what="asset")


def revised(asset: Asset, now: float, **changes: Any) -> Asset:
    """The asset with `changes`, one version on."""
    return replace(asset, updated_at=now, version=asset.version + 1, **changes)

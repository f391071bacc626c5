"""The assets of an app, found as this dialect finds them: by id or slug, all of them, or those in the trash."""

from __future__ import annotations

from app.core.asset import Asset, AssetState
from app.core.errors import Code, UploadError
from app.core.library import ANYWHERE, LONGEST_LIST
from app.core.policy import Principal
from app.core.refs import Row, Shelf
from app.dialects.squidex.asked import NAME
from app.dialects.squidex.pocket import slug_alias
from app.web.dialect import doors

AT_ONCE = 1000  # assets read from Redis in one go


def seen(who: Principal, id: str) -> Asset:
    """An asset that is there, for who only looks. Raises UploadError(NOT_FOUND), also for one that was deleted, as the vendor does."""
    try:
        return there(who, id)
    except UploadError as refusal:
        raise _unseen(refusal) from None


def there(who: Principal, id: str) -> Asset:
    """An asset that is there, for who wants to change it. Raises UploadError: NOT_FOUND, GONE when it was deleted."""
    return _ours(doors().library.asset(who, id))


def even_trashed(who: Principal, id: str) -> Asset:
    """An asset with bytes, in the trash too. Raises UploadError(NOT_FOUND)."""
    try:
        found = _ours(doors().library.any_asset(who, id))
    except UploadError as refusal:
        raise _unseen(refusal) from None
    if found.state is AssetState.PLACEHOLDER:
        raise UploadError(Code.NOT_FOUND, what="asset")
    return found


def by_slug(who: Principal, slug: str) -> Asset:
    """The asset that has this slug. Raises UploadError(NOT_FOUND)."""
    found = doors().library.find(who, slug_alias(slug))
    if not isinstance(found, Asset) or found.state is not AssetState.READY:
        raise UploadError(Code.NOT_FOUND, what="asset")
    return found


def everything(who: Principal, parent: str | None = ANYWHERE) -> list[Asset]:
    """The assets of the app that have bytes, newest first, LONGEST_LIST at most: all of them, or those in one folder (None: the root)."""
    found: list[Asset] = []
    for start in range(0, LONGEST_LIST, AT_ONCE):
        page = doors().library.assets(who, NAME, parent, start, AT_ONCE)
        found += (of for of in page.items if of.dialect == NAME and of.state is AssetState.READY)
        if start + AT_ONCE >= page.total:
            break
    return found


def trash(who: Principal) -> list[Asset]:
    """What was deleted, but not for good, newest first."""
    page = doors().library.page(Shelf(Row.TRASH, who.tenant, NAME), 0, LONGEST_LIST, newest=True)
    return [of for of in page.items if of.state is AssetState.TRASHED]


def _ours(found: Asset) -> Asset:
    if found.dialect != NAME:
        raise UploadError(Code.NOT_FOUND, what="asset")
    return found


def _unseen(refusal: UploadError) -> UploadError:
    return UploadError(Code.NOT_FOUND, what="asset") if refusal.code is Code.GONE else refusal

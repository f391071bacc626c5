"""The change of an asset with its names and its place, as one commit: pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.core import alias, holding
from app.core.alias import Alias, alias_ref
from app.core.asset import Asset, AssetState
from app.core.errors import Code, Moved
from app.core.folder import Folder, require
from app.core.holding import Overtaken
from app.core.ports import Change
from app.core.refs import Kind, Ref

if TYPE_CHECKING:
    from app.core.holding import Found

Revise = Callable[[Asset, float], Asset]


@dataclass(frozen=True, slots=True)
class Terms:
    """At which version the asset must stand (None: any), the aliases that it is to get, those that it is to give up (of both: to give up)."""

    version: int | None = None
    claim: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def gains(self) -> tuple[str, ...]:
        """The aliases that it is to have."""
        return tuple(name for name in self.claim if name not in self.drop)


def require_version(current: Asset | Folder, version: int | None) -> None:
    """Raise Moved(PRECONDITION) when the entity is at another version than the one named."""
    if version is not None and current.version != version:
        raise Moved(Code.PRECONDITION, version=current.version)


def refs(seen: Asset, after: Asset, terms: Terms) -> list[Ref]:
    """What the change writes or relies on: the asset, the folder in which it will lie, the aliases that come or go."""
    place = [Ref(Kind.FOLDER, seen.tenant, after.parent)] if after.parent else []
    names = (*terms.gains, *terms.drop, *(name for name in seen.aliases if name not in after.aliases))
    return list(dict.fromkeys([seen.ref, *place, *(alias_ref(seen.tenant, name) for name in names)]))


def revision(found: Found, seen: Asset, change: Revise, terms: Terms, now: float) -> Change:
    """The asset as changed, with the aliases that it got and without those that it gave up.

    Raises Overtaken when it has other names by now, Moved: GONE, PRECONDITION, EXISTS (an alias), NOT_FOUND (the folder).
    """
    current = found[seen.ref]
    if not isinstance(current, Asset) or current.state is AssetState.DELETED:  # a name that it got now would never be free again
        raise Moved(Code.GONE, what="asset")
    require_version(current, terms.version)
    if current.aliases != seen.aliases:
        raise Overtaken
    after = change(current, now)
    _require_place(after, found)
    got = tuple(alias.given(name, seen.ref) for name in terms.gains if not _held(found, seen.ref, name))
    left = [name for name in current.aliases if name in terms.drop or name not in after.aliases]
    names = tuple(dict.fromkeys(name for name in (*after.aliases, *terms.gains) if name not in terms.drop))
    return Change(put=(replace(after, aliases=names), *got), drop=holding.freed(seen.ref, left, found), manifest=(seen.ref,))


def _held(found: Found, by: Ref, name: str) -> bool:
    """Whether the alias is already its own. Raises Moved(EXISTS) when somebody else has it."""
    held = found.get(alias_ref(by.tenant, name))
    if isinstance(held, Alias) and held.of != by:
        raise Moved(Code.EXISTS, what="asset")
    return held is not None


def _require_place(after: Asset, found: Found) -> None:
    """Raise Overtaken when the folder was not named, Moved(NOT_FOUND) when it is not there."""
    if after.parent is None:
        return
    ref = Ref(Kind.FOLDER, after.tenant, after.parent)
    if ref not in found:
        raise Overtaken
    place = found[ref]
    require(place if isinstance(place, Folder) else None)

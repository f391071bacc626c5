"""What clients change of an asset beside its content: one by one (`assets`), or many at once (`bulk`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.core import filenames
from app.core.alias import same_content
from app.core.asset import Asset, AssetState, revised
from app.core.errors import Code, Moved, UploadError
from app.core.policy import Principal
from app.dialects.squidex.asked import NAME, Body, Truth
from app.dialects.squidex.pocket import Pocket, slug_alias
from app.dialects.squidex.tags import LONGEST, names
from app.web.dialect import doors

MOST_TAGS = 100
UNMADE = -1  # the vendor's number
LONGEST_METADATA = 64 * 1024  # characters of JSON


def _storable(value: Mapping[str, Any]) -> None:
    """Raise ValidationError for metadata that is too much to keep, or that no JSON can say (1e999)."""
    try:
        length = len(json.dumps(value, allow_nan=False))
    except ValueError:
        raise ValidationError("Not valid JSON.") from None
    if length > LONGEST_METADATA:
        raise ValidationError(f"Longer than {LONGEST_METADATA} characters of JSON.")


def plain(value: str) -> None:
    """Raise ValidationError for text that holds control characters."""
    if any(ord(character) < ord(" ") for character in value):
        raise ValidationError("Must not contain control characters.")


class Annotation(Body):
    """What may be set; null, and what is not named, stays as it is."""

    file_name = fields.String(data_key="fileName", allow_none=True, load_default=None, validate=validate.Length(min=1))
    slug = fields.String(allow_none=True, load_default=None, validate=[validate.Length(max=LONGEST), plain])
    is_protected = Truth(data_key="isProtected", allow_none=True, load_default=None)
    tags = fields.List(
        fields.String(validate=[validate.Length(max=LONGEST), plain]),
        allow_none=True,
        load_default=None,
        validate=validate.Length(max=MOST_TAGS),
    )
    metadata = fields.Dict(keys=fields.String(), allow_none=True, load_default=None, validate=_storable)


def annotate(who: Principal, of: Asset, wanted: Mapping[str, Any], version: int | None) -> Asset:
    """Set name, slug, tags, metadata, protection. Where nothing changes, the version stays.

    Raises UploadError(BAD_FILENAME), Moved: PRECONDITION, GONE. The slug is set also where another asset is found by it already.
    """
    changes = _changes(who, of, wanted)
    require(of, version)
    if not changes:
        return of
    renamed, pocket = changes.pop("fileName", None), changes
    claim = (slug_alias(pocket["slug"]),) if pocket.get("slug") else ()
    drop = _given_up(of, renamed=renamed is not None, slug="slug" in pocket)

    def change(current: Asset, now: float) -> Asset:
        metadata = {**current.metadata, **pocket}
        return revised(current, now, filename=renamed or current.filename, metadata=metadata, updated_by=who.owner)

    try:
        return doors().library.revise(of, change, version, claim, drop)
    except Moved as moved:
        if moved.code is not Code.EXISTS:
            raise
        return doors().library.revise(of, change, version, (), drop)


def _changes(who: Principal, of: Asset, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wish is not so already; names are compared without regard to case, as the vendor does."""
    seen, known = Pocket(of), names(who)
    found: dict[str, Any] = {}
    name = filenames.clean(wanted["file_name"])
    if name is not None and name.lower() != of.filename.lower():
        found["fileName"] = name
    if wanted["slug"] is not None and wanted["slug"].lower() != seen.slug.lower():
        found["slug"] = wanted["slug"]
    if wanted["is_protected"] is not None and wanted["is_protected"] != seen.protected:
        found["isProtected"] = wanted["is_protected"]
    tags = None if wanted["tags"] is None else list(dict.fromkeys(tag.strip() for tag in wanted["tags"] if tag.strip()))
    if tags is not None and set(tags) != set(known.now(seen.tags)):
        found["tags"] = known.given(tags)
    if wanted["metadata"] is not None and wanted["metadata"] != seen.metadata:
        found["metadata"] = wanted["metadata"]
    return found


def _given_up(of: Asset, *, renamed: bool, slug: bool) -> tuple[str, ...]:
    """The aliases that no longer fit: of the old slug, and of the content under the old name, by which duplicates are found."""
    old = [slug_alias(Pocket(of).slug)] if slug else []
    if renamed and of.facts:
        old.append(same_content(NAME, of.facts.digest, of.filename))
    return tuple(name for name in old if name in of.aliases)


def move(who: Principal, of: Asset, parent: str | None, version: int | None) -> Asset:
    """Put an asset into a folder, or into the root. Raises Moved: PRECONDITION, GONE, NOT_FOUND (the folder)."""
    require(of, version)
    if of.parent == parent:
        return of
    return doors().library.revise(of, lambda it, now: revised(it, now, parent=parent, updated_by=who.owner), version)


def delete(who: Principal, id: str, version: int | None, *, permanent: bool) -> None:
    """Into the trash, or for good. Raises UploadError(NOT_FOUND), Moved: PRECONDITION, GONE."""
    of = doors().library.any_asset(who, id)
    if of.dialect != NAME or of.state is AssetState.PLACEHOLDER:
        raise UploadError(Code.NOT_FOUND, what="asset")
    if permanent:
        doors().library.delete(of, version=version)
        return
    doors().library.trash(of, version)


def require(of: Asset | None, version: int | None) -> None:
    """Raise Moved(PRECONDITION) unless the asset stands at the version that the request names; one that is yet to be made stands at none."""
    found = of.version if of else UNMADE
    if version not in {None, found}:
        raise Moved(Code.PRECONDITION, version=found)

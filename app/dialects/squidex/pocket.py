"""What this dialect keeps in the pocket of an asset, and what follows from it and from the measured facts.

::

    mimeType      the Content-Type of the part, never sniffed; none for a file that we fetched
    name          what the file of the present content was called; it goes into the hash
    slug          found by, as far as no other asset has it
    tags          once they were set; before that they follow from name and facts of the first content
    firstTags     those, once that content was replaced
    metadata      once it was set; a new content begins anew
    isProtected   whether a download needs credentials
    type:{upload} the same of each content that stays, by the upload that brought it: flat names, so that two that come at once keep both
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.core.asset import Asset
from app.core.facts import Facts

ALIAS = "squidex:slug:"
TYPE_OF = "type:"
LARGE, MEDIUM = 2000, 1000  # of twice the width, as the vendor counts by mistake
SIZES = ("bytes", "kB", "MB", "GB", "TB")
THOUSAND = 1024
UNIFIED = {"jpeg": "jpg"}
NO_TYPE = "blob"  # of a name without an extension
DESCRIPTIONS = {"image/png": "PNG File", "image/jpeg": "JFIF File"}  # in the words of the vendor's tag reader
LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe", "đ": "d", "ł": "l", "þ": "th"}
)


def first(mime_type: str | None, name: str) -> dict[str, Any]:
    """The pocket of a new asset; without a type, where the file is yet to be fetched, the measured one counts."""
    return {"name": name, "slug": slugify(name), "mimeType": mime_type}


def replaced(of: Asset, mime_type: str | None, name: str) -> dict[str, Any]:
    """What is laid over the pocket when the content is replaced: the vendor keeps name, slug and tags, and reads metadata anew."""
    seen = Pocket(of)
    staying = {type_key(of.upload_id), *(type_key(revision.upload_id) for revision in of.revisions)}
    lapsed = {known: None for known in of.metadata if known.startswith(TYPE_OF) and known not in staying}
    return {"name": name, "mimeType": mime_type, "firstTags": seen.first_tags, "metadata": None, **lapsed}


def type_key(upload_id: str | None) -> str:
    """Under which the type of the content lies that this upload brought."""
    return f"{TYPE_OF}{upload_id}"


def slug_alias(slug: str) -> str:
    """The name under which an asset of this slug is found."""
    return ALIAS + slug


def slugify(name: str) -> str:
    """Small letters and digits of any script, Latin ones without accents; a hyphen for each run of other characters; dots stay."""
    words: list[str] = []
    for character in name.lower().translate(LETTERS):
        if character.isalnum() or character == ".":
            bare = unicodedata.normalize("NFD", character)[:1]
            words.append(bare if bare.isascii() else character)
        elif words and words[-1] != "-":
            words.append("-")
    return "".join(words).strip("-")


def file_type(name: str) -> str:
    """The extension in small letters."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return UNIFIED.get(ending, ending) or NO_TYPE


def file_hash(facts: Facts, name: str) -> str:
    """base64(SHA-256(base64(SHA-256(bytes)) + name + size in decimals)), as `AssetCommandMiddleware` has it."""
    content = base64.b64encode(bytes.fromhex(facts.digest.removeprefix("sha256:"))).decode()
    whole = hashlib.sha256(f"{content}{name}{facts.size}".encode("utf-8", "replace"))
    return base64.b64encode(whole.digest()).decode()


def readable_size(size: int) -> str:
    """In multiples of 1024, with at most one decimal."""
    value, unit = float(size), 0
    while value >= THOUSAND and unit < len(SIZES) - 1:
        value, unit = value / THOUSAND, unit + 1
    return f"{round(value, 1):g} {SIZES[unit]}"


@dataclass(frozen=True, slots=True)
class Pocket:
    """An asset as this dialect sees it."""

    of: Asset

    @property
    def kept(self) -> Mapping[str, Any]:
        """What was put into the pocket."""
        return self.of.metadata

    @property
    def mime_type(self) -> str:
        """As declared; of a file that we fetched, as measured."""
        measured = self.of.facts.media_type if self.of.facts else "application/octet-stream"
        return str(self.kept.get("mimeType") or measured)

    @property
    def slug(self) -> str:
        """The slug."""
        return str(self.kept.get("slug", ""))

    @property
    def hash(self) -> str | None:
        """The vendor's fileHash."""
        return file_hash(self.of.facts, self.name) if self.of.facts else None

    @property
    def name(self) -> str:
        """What the file of the present content was called when it came."""
        return str(self.kept.get("name", self.of.filename))

    @property
    def kind(self) -> str:
        """`Image` for a sound image; `Unknown` for any other file."""
        return "Image" if self.of.facts and self.of.facts.width is not None else "Unknown"

    @property
    def protected(self) -> bool:
        """Whether a download needs credentials."""
        return bool(self.kept.get("isProtected", False))

    @property
    def tags(self) -> list[str]:
        """The names under which the tags were given; `tags.Names` has what they are called now."""
        kept = self.kept.get("tags")
        return [str(tag) for tag in kept] if kept is not None else self.first_tags

    @property
    def first_tags(self) -> list[str]:
        """What the asset was tagged with when it was made."""
        if "firstTags" in self.kept:
            return [str(tag) for tag in self.kept["firstTags"]]
        found = [f"type/{file_type(self.name)}"]
        if self.of.facts is None or self.of.facts.width is None:
            return found
        twice = 2 * self.of.facts.width
        return [*found, "image", "image/large" if twice > LARGE else "image/medium" if twice > MEDIUM else "image/small"]

    @property
    def metadata(self) -> dict[str, Any]:
        """What was set, or what was measured."""
        kept = self.kept.get("metadata")
        if kept is not None:
            return dict(kept)
        facts = self.of.facts
        if facts is None or facts.width is None:
            return {}
        described = {"description": DESCRIPTIONS[facts.media_type]} if facts.media_type in DESCRIPTIONS else {}
        return {**described, "pixelWidth": facts.width, "pixelHeight": facts.height}

    def pixels(self, name: str) -> int | None:
        """A number of the metadata: `pixelWidth`, `pixelHeight`."""
        value = self.metadata.get(name)
        return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def metadata_text(self) -> str:
        """`600x600px, 19 kB`."""
        width, height = self.pixels("pixelWidth"), self.pixels("pixelHeight")
        size = readable_size(self.of.facts.size if self.of.facts else 0)
        return f"{width}x{height}px, {size}" if self.kind == "Image" and width is not None and height is not None else size

    def at(self, version: int | None) -> Asset | None:
        """The asset with the content, and the type of it, that it had at a version; None for one to come, or whose content is not kept."""
        if version is None:
            return self.of
        kept = self.of.revisions
        back = sum(1 for revision in kept if version <= revision.version)
        if back == 0:
            return self.of if version <= self.of.version else None
        then, number = kept[-back], self.of.file_version - back
        if back == len(kept) and number > 0 and version < then.version:
            return None  # earlier ones went, and this may have been one of theirs
        metadata = {**self.kept, "mimeType": self.kept.get(type_key(then.upload_id))}
        return replace(self.of, blob=then.blob, facts=then.facts, file_version=number, metadata=metadata)

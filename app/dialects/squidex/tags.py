"""The tags of an app: what there is, how often, and what they are called now.

An asset keeps the name under which it got a tag. A tag that is renamed is renamed for all, and for what will be tagged with the old name
later: so the vendor has it, whose tags are ids with names. The names are one document of the app.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flask import Response
from marshmallow import fields, validate

from app.core.document import Document, revised
from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.dialects.squidex.asked import NAME, Body, body
from app.dialects.squidex.pocket import Pocket
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import everything
from app.dialects.squidex.tokens import speaker
from app.web.dialect import doors
from app.web.replies import answer

TAGS = Routes("tags", __name__)

DOCUMENT = "tags"
LONGEST = 255  # characters of a tag
MOST = 1000  # renamed tags of an app


@dataclass(frozen=True, slots=True)
class Names:
    """What tags are called now, by the names under which they were given."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    def now(self, tags: Iterable[str]) -> list[str]:
        """These tags by their present names, each once."""
        return list(dict.fromkeys(self.renamed.get(tag, tag) for tag in tags))

    def given(self, tags: Iterable[str]) -> list[str]:
        """The names to keep for tags that somebody calls by their present names."""
        first = {now: name for name, now in reversed(list(self.renamed.items()))}
        return list(dict.fromkeys(first.get(tag, tag) for tag in tags))

    def rename(self, old: str, new: str) -> dict[str, str]:
        """The names after a tag was renamed."""
        after = {name: new if now == old else now for name, now in self.renamed.items()} | {old: new}
        return {name: now for name, now in after.items() if name != now}


class RenameTag(Body):
    """The body of a renaming."""

    tag_name = fields.String(data_key="tagName", required=True, validate=validate.Length(min=1, max=LONGEST))


@TAGS.get("/api/apps/<app>/assets/tags")
def show(app: str) -> Response:
    """How many assets have each tag."""
    return _counted(speaker(app, Scope.ASSETS_READ))


@TAGS.put("/api/apps/<app>/assets/tags/<path:name>")
def rename(app: str, name: str) -> Response:
    """Another name for a tag. A tag that nobody has is renamed for those to come."""
    who = speaker(app, Scope.ASSETS_WRITE)
    wanted: str = body(RenameTag())["tag_name"].strip()
    if not wanted:
        raise UploadError(Code.INVALID, reason="tagName", errors=["TagName: Tag name is required."])
    _write(who, name.removesuffix("/"), wanted)
    return _counted(who)


def names(who: Principal) -> Names:
    """The names of the app's tags."""
    found = _document(who)
    return Names(found.body["renamed"], found.revision) if found else Names()


def _document(who: Principal) -> Document | None:
    try:
        return doors().documents.document(who, NAME, DOCUMENT)
    except UploadError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise
        return None


def _write(who: Principal, old: str, new: str) -> None:
    if not _document(who):
        _begin(who)

    def change(current: Document, now: float) -> Document:
        after = Names(current.body["renamed"]).rename(old, new)
        if len(after) > MOST:
            raise UploadError(Code.INVALID, reason=f"at most {MOST} tags can be renamed")
        return revised(current, now, body={"renamed": after}, updated_by=who.owner)

    doors().documents.revise(doors().documents.document(who, NAME, DOCUMENT), change)


def _begin(who: Principal) -> None:
    try:
        doors().documents.create(who, NAME, DOCUMENT, {"renamed": {}})
    except UploadError as refusal:
        if refusal.code is not Code.EXISTS:
            raise


def _counted(who: Principal) -> Response:
    known = names(who)
    count = Counter(tag for of in everything(who) for tag in known.now(Pocket(of).tags))
    response = answer(dict(sorted(count.items())))
    response.headers["ETag"] = f'"{known.version}"'
    return response

"""The changes of an asset, each a pure function of the document as it stands. `views` draws it.

A file stands in its slot from its processing until another source is named for its locale, or the locale is left out; its bytes then go,
unless they are published: those go when the asset is published anew or unpublished. (The core deletes the asset that leaves its last slot.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.core.document import Document, File, revised
from app.core.errors import Code, UploadError
from app.dialects.contentful import links, views
from app.dialects.contentful.envelope import fault, required
from app.dialects.contentful.views import NO_METADATA, PUBLISHED

Sent = Mapping[str, Any]
SOURCES = ("uploadFrom", "upload")
MADE = ("details", "url")  # of a file, from its bytes
PUBLICATION = ("publishedAt", "publishedBy", "publishedVersion")
ARCHIVE = ("archivedAt", "archivedBy", "archivedVersion")


def source(file: Sent) -> object:
    """Where the bytes of a file are to come from; None when it names nothing."""
    return next((file[name] for name in SOURCES if file.get(name)), None)


def is_published(document: Document) -> bool:
    """Whether a version of it is published."""
    return "published" in document.body


def is_archived(document: Document) -> bool:
    """Whether it is archived."""
    return "archivedVersion" in document.body["sys"]


def refuse(reason: str) -> UploadError:
    """400 with the vendor's sentence, to be raised."""
    return UploadError(Code.BAD_REQUEST, reason=reason)


def require_deletable(document: Document) -> None:
    """Raise UploadError(BAD_REQUEST) for what is published."""
    if is_published(document):
        raise refuse("Cannot delete published")


# ---------------------------------------------------------------- what was sent


def body(sent: Sent) -> dict[str, Any]:
    """The body of a new asset."""
    return {"fields": sent["fields"], "metadata": sent.get("metadata", NO_METADATA), "sys": {}}


def replaced(document: Document, now: float, sent: Sent, owner: str) -> Document:
    """The whole of it anew; metadata that is not sent stays. A file stays where it is sent back with the URL that it got here."""
    if is_archived(document):
        raise refuse("Cannot edit archived")
    files = sent["fields"].get("file", {})
    stays = {locale: held for locale, file in files.items() if (held := _standing(document, locale, file))}
    fields = dict(sent["fields"])
    if files:
        fields["file"] = {locale: _bare(file) if locale in stays or source(file) else file for locale, file in files.items()}
    return revised(
        document,
        now,
        body={**document.body, "fields": fields, "metadata": sent.get("metadata", document.body["metadata"])},
        files={**stays, **_slots(views.published_files(document))},
        pending={locale: op for locale, op in document.pending.items() if _still_meant(document, locale, files)},
        updated_by=owner,
    )


def _standing(document: Document, locale: str, file: Sent) -> File | None:
    """What stands for this locale, in the draft or as published, and has the URL that the file was sent back with."""
    if source(file) is not None:
        return None
    known = (document.files.get(slot) for slot in (locale, PUBLISHED + locale))
    return next((held for held in known if held and views.token(document, held) in file.get("url", "")), None)


def _still_meant(document: Document, locale: str, files: Sent) -> bool:
    before, after = document.body["fields"].get("file", {}).get(locale, {}), files.get(locale, {})
    return source(after) is not None and source(after) == source(before)


def _bare(file: Sent) -> dict[str, Any]:
    return _without(file, MADE)


# ---------------------------------------------------------------- publishing


def published(document: Document, now: float, owner: str, locales: Sequence[str] | None = None) -> Document:
    """Published as it stands, or only these locales of it; `publishedVersion` is the version that was."""
    if is_archived(document):
        raise refuse("Cannot publish archived")
    _require_processed(document, locales)
    told = document.body["sys"]
    marks = {
        "publishedCounter": told.get("publishedCounter", 0) + 1,
        "firstPublishedAt": told.get("firstPublishedAt", links.moment(now)),
        "publishedAt": links.moment(now),
        "publishedBy": links.link("User", owner),
        "publishedVersion": document.revision,
    }
    drafted, before = views.draft_files(document), views.published_files(document)
    fields, shown = document.body["fields"], _shown(document)
    if locales is not None:
        fields = {name: _merged(shown.get(name, {}), fields.get(name, {}), locales) for name in dict.fromkeys([*shown, *fields])}
    files = drafted if locales is None else _merged(before, drafted, locales)
    snapshot = {"fields": fields, "metadata": document.body["metadata"]}
    changed = {**document.body, "sys": {**told, **marks}, "published": snapshot}
    return revised(document, now, body=changed, files={**drafted, **_slots(files)}, updated_by=owner)


def unpublished(document: Document, now: float, owner: str, locales: Sequence[str] | None = None) -> Document:
    """No longer published, or these locales not, as long as a file is left; what counts publications stays."""
    shown = _shown(document)
    known = [locale for values in shown.values() for locale in values]
    gone = known if locales is None else locales
    if not is_published(document) or not (locales is None or set(known) & set(locales)):
        raise refuse("Not published")
    drafted, fields = views.draft_files(document), {name: _without(values, gone) for name, values in shown.items()}
    if fields.get("file"):
        files = {**drafted, **_slots(_without(views.published_files(document), gone))}
        changed = {**document.body, "published": {**document.body["published"], "fields": fields}}
        return revised(document, now, body=changed, files=files, updated_by=owner)
    changed = {**_without(document.body, ["published"]), "sys": _without(document.body["sys"], PUBLICATION)}
    return revised(document, now, body=changed, files=drafted, updated_by=owner)


def archived(document: Document, now: float, owner: str) -> Document:
    """Put away; what is published cannot be."""
    if is_published(document):
        raise refuse("Cannot archive published")
    if is_archived(document):
        raise refuse("Already archived")
    marks = {"archivedAt": links.moment(now), "archivedBy": links.link("User", owner), "archivedVersion": document.revision}
    return revised(document, now, body={**document.body, "sys": {**document.body["sys"], **marks}}, updated_by=owner)


def unarchived(document: Document, now: float, owner: str) -> Document:
    """Taken out again."""
    if not is_archived(document):
        raise refuse("Not archived")
    return revised(document, now, body={**document.body, "sys": _without(document.body["sys"], ARCHIVE)}, updated_by=owner)


def _require_processed(document: Document, locales: Sequence[str] | None) -> None:
    files = document.body["fields"].get("file", {})
    meant = [locale for locale in files if locales is None or locale in locales]
    stays = [] if locales is None else _without(_shown(document).get("file", {}), locales)
    if not meant and not stays:
        raise UploadError(Code.INVALID, reason="no file", errors=[fault(["fields", "file"], "required", "The asset has no files")])
    missing = [locale for locale in meant if locale not in document.files and not files[locale].get("url")]
    if missing:
        raise UploadError(Code.INVALID, reason="not processed", errors=[required(["fields", "file", locale, "url"]) for locale in missing])


def _shown(document: Document) -> Mapping[str, Any]:
    """The fields as they were published last."""
    fields: Mapping[str, Any] = document.body.get("published", {"fields": {}})["fields"]
    return fields


def _slots(files: Mapping[str, File]) -> dict[str, File]:
    return {PUBLISHED + locale: file for locale, file in files.items()}


def _merged(before: Mapping[str, Any], after: Mapping[str, Any], locales: Sequence[str]) -> dict[str, Any]:
    """Of these locales what is after, of the others what was before."""
    wanted = set(locales)
    return _without(before, wanted) | {locale: value for locale, value in after.items() if locale in wanted}


def _without(of: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    left_out = set(names)
    return {name: value for name, value in of.items() if name not in left_out}

"""The vendor's models: an upload and its parts, an asset in short and in detail, what is related to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.core import parts
from app.core.asset import Asset, AssetState
from app.core.folder import Folder
from app.core.parts import Part, Slot
from app.core.upload import State, Upload
from app.dialects.nomad import ids, links, places
from app.dialects.nomad.places import NAME
from app.web.dialect import doors
from app.web.replies import absolute

Json = dict[str, object]

STORAGE_CLASS = "Standard"


@dataclass(frozen=True, slots=True)
class Bucket:
    """What all folders of a tenant lie in."""

    tenant: str


Thing = Asset | Folder | Bucket | Upload


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- uploads


def upload(up: Upload, etag: str | None = None) -> Json:
    """AssetUpload: `etag` is null until it is complete. One that was cancelled or is too late has no parts."""
    return {
        "id": up.id,
        "assetId": up.metadata["asset"],
        "etag": etag,
        "url": absolute(f"{links.MOUNT}/api/admin/asset/upload/{up.id}"),
        "contentLength": up.length,
        "startDate": moment(up.created_at),
        "parts": upload_parts(up),
    }


def upload_parts(up: Upload) -> list[Json]:
    """AssetPartUpload of every part, with a URL that is good as long as the upload: the client never asks for another."""
    if up.length is None or up.state in {State.CANCELLED, State.EXPIRED} or (up.state is State.OPEN and doors().now() > up.expires_at):
        return []
    held = doors().reception.held(up).held if up.state is State.OPEN else None
    return [_part(up, place, held) for place in parts.plan(up.part_size, up.length)]


def _part(up: Upload, place: Slot, held: Mapping[int, Part] | None) -> Json:
    part = held.get(place.number) if held is not None else None
    url = None if held is None else absolute(doors().reception.store.part_url(up.staged, place, exact=True, expires=up.expires_at))
    return {
        "id": ids.part(up.id, place.number),
        "url": url,
        "partNumber": place.number,
        "startingPosition": place.offset,
        "endingPosition": place.offset + place.size - 1,
        "isCompleted": held is None or (part is not None and part.size == place.size),
    }


# ---------------------------------------------------------------- assets


def asset(of: Thing) -> Json:
    """AssetModel, in short; folders, and what is still being uploaded, are assets too."""
    match of:
        case Bucket():
            return _short(ids.bucket(of.tenant), None, of.tenant, "", "Bucket", of.tenant)
        case Folder():
            key = "".join(f"{above.name}/" for above in doors().folders.path(of))
            return {
                **_short(of.id, of.parent or ids.bucket(of.tenant), of.name, key, "Folder", of.tenant),
                "displayDate": moment(of.created_at),
            }
        case Upload():
            return _promised(of)
        case Asset():
            return _file(of)


def _file(of: Asset) -> Json:
    shown = _short(of.id, _parent(of.tenant, of.parent), title(of), _key(of.tenant, of.parent, of.filename), "File", of.tenant)
    ready = of.state is AssetState.READY
    return {
        **shown,
        "displayDate": of.metadata.get("displayDate") or moment(of.created_at),
        "fullUrl": links.url(of) if ready else None,
        "assetStatus": "Available" if ready else "Placeholder",
        "contentLength": of.facts.size if of.facts else None,
        "languageId": language(of),
        "relatedContentId": of.metadata.get("relatedContentId"),
    }


def _promised(up: Upload) -> Json:
    """An asset that is not there yet: its parts are coming in, or a worker assembles them."""
    parent, name = up.metadata.get("parent"), up.filename or ""
    shown = _short(
        up.metadata["asset"],
        _parent(up.tenant, parent),
        up.metadata.get("displayName", name),
        _key(up.tenant, parent, name),
        "File",
        up.tenant,
    )
    return {
        **shown,
        "displayDate": moment(up.created_at),
        "assetStatus": "Uploading" if up.state is State.OPEN else "Assembling",
        "contentLength": up.length,
        "languageId": up.metadata.get("languageId"),
        "relatedContentId": up.metadata.get("relatedContentId"),
    }


def _short(id: str, parent: str | None, name: str, key: str, kind: str, bucket: str) -> Json:
    return {
        "id": id,
        "parentId": parent,
        "displayName": name,
        "displayDate": None,
        "bucketName": bucket,
        "objectKey": key,
        "fullUrl": None,
        "assetStatus": "Available",
        "storageClass": STORAGE_CLASS,
        "assetType": kind,
    }


def _parent(tenant: str, folder: str | None) -> str | None:
    """The folder as clients see it: what belongs to an asset or a content record is in none."""
    if folder is None:
        return ids.bucket(tenant)
    return None if folder.startswith(f"{NAME}-") else folder


def _key(tenant: str, folder: str | None, name: str) -> str:
    return "/".join([*places.way(tenant, folder), name])


def title(of: Asset) -> str:
    """The display name."""
    return str(of.metadata.get("displayName") or of.filename)


def language(of: Asset) -> str:
    """The language that was named, or the system's."""
    return str(of.metadata.get("languageId") or doors().language)


def detail(of: Thing, related: Sequence[Asset] = ()) -> Json:
    """AssetDetailModel, and what the short form says."""
    known: Mapping[str, Any] = of.metadata if isinstance(of, Asset | Upload) else {}
    content = known.get("relatedContentId")
    dates = {name: known.get(name) for name in ("availableStartDate", "availableEndDate")}
    shown = asset(of)
    return {
        **shown,
        "assetId": shown["id"],
        "relatedAssets": [_reference(each) for each in related],
        "relatedContent": [{"id": content, "description": None}] if content else [],
        "availability": [{**dates, "isInherited": False}] if any(dates.values()) else [],
        "properties": _measured(of),
        "customAttributes": dict(known.get("customProperties") or {}),
    }


def _measured(of: Thing) -> Json:
    facts = of.facts if isinstance(of, Asset) else None
    if facts is None:
        return {}
    return {"mediaType": facts.media_type, "digest": facts.digest, "width": facts.width, "height": facts.height}


def _reference(of: Asset) -> Json:
    """AssetReferenceModel. The client finds its file by the name in `url`, so it stands there as it is."""
    spoken = language(of)
    return {
        "id": of.id,
        "url": links.plain_url(of),
        "fullUrl": links.url(of),
        "title": title(of),
        "language": {"id": spoken, "description": spoken},
        "metadataType": of.metadata.get("metadataType"),
        "lastModifiedDate": moment(of.updated_at),
        "contentLength": of.facts.size if of.facts else None,
        "isUrlSecure": True,
    }

"""What clients get to see: AssetDto, AssetFolderDto and the lists of them. Each has `_links`, without which the JavaScript client breaks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from app.core.asset import Asset
from app.core.folder import Folder
from app.core.policy import Principal, Scope
from app.dialects.squidex.asked import ROOT
from app.dialects.squidex.pocket import Pocket, file_type
from app.dialects.squidex.tags import Names
from app.web.replies import base_url

MOUNT = "/squidex"
Links = dict[str, dict[str, str]]


def assets_path(app: str, *below: str) -> str:
    """A path below the assets of an app, each step quoted."""
    return "/".join([f"{MOUNT}/api/apps/{app}/assets", *(quote(step, safe="") for step in below)])


def content_path(app: str, *below: str) -> str:
    """A path of a download."""
    return "/".join([f"{MOUNT}/api/assets/{app}", *(quote(step, safe="") for step in below)])


def asset_dto(of: Asset, who: Principal, names: Names, *, duplicate: bool = False) -> dict[str, object]:
    """The vendor's AssetDto. What it calls obsolete is there, and `editToken`, which only its own user interface uses, is null."""
    seen = Pocket(of)
    return {
        "id": of.id,
        "parentId": of.parent or ROOT,
        "fileName": of.filename,
        "fileHash": seen.hash,
        "isProtected": seen.protected,
        "slug": seen.slug,
        "mimeType": seen.mime_type,
        "fileType": file_type(of.filename),
        "metadataText": seen.metadata_text,
        "editToken": None,
        "metadata": seen.metadata,
        "tags": names.now(seen.tags),
        "fileSize": of.facts.size if of.facts else 0,
        "fileVersion": of.file_version,
        "type": seen.kind,
        "createdBy": _client(of.owner),
        "lastModifiedBy": _client(of.updated_by or of.owner),
        "created": moment(of.created_at),
        "lastModified": moment(of.updated_at),
        "version": of.version,
        "isImage": seen.kind == "Image",
        "pixelWidth": seen.pixels("pixelWidth"),
        "pixelHeight": seen.pixels("pixelHeight"),
        **({"_meta": {"isDuplicate": "true"}} if duplicate else {}),
        "_links": _asset_links(of, who, seen.slug),
    }


def _asset_links(of: Asset, who: Principal, slug: str) -> Links:
    app, me = of.tenant, (of.id,)
    links = {"self": link("GET", assets_path(app, *me))}
    if who.may(Scope.ASSETS_WRITE):
        links["update"] = link("PUT", assets_path(app, *me))
        links["move"] = link("PUT", assets_path(app, *me, "parent"))
    if who.may(Scope.UPLOADS_WRITE):
        links["upload"] = link("PUT", assets_path(app, *me, "content"))
    if who.may(Scope.ASSETS_DELETE):
        links["delete"] = link("DELETE", assets_path(app, *me))
    links["content"] = link("GET", content_path(app, of.id, *([slug] if slug else [])))
    if slug:
        links["content/slug"] = link("GET", content_path(app, slug))
    return links


def assets_dto(total: int, items: Iterable[Asset], who: Principal, names: Names) -> dict[str, object]:
    """The vendor's AssetsDto."""
    here = assets_path(who.tenant)
    links = {"self": link("GET", here), "tags": link("GET", f"{here}/tags")}
    if who.may(Scope.UPLOADS_WRITE):
        links["create"] = link("POST", here)
    if who.may(Scope.ASSETS_WRITE):
        links["tags/rename"] = link("PUT", f"{here}/tags/tag")
    return {"total": total, "items": [asset_dto(of, who, names) for of in items], "_links": links}


def folder_dto(of: Folder, who: Principal) -> dict[str, object]:
    """The vendor's AssetFolderDto."""
    links: Links = {}
    if who.may(Scope.ASSETS_WRITE):
        here = assets_path(who.tenant, "folders", of.id)
        links = {"update": link("PUT", here), "move": link("PUT", f"{here}/parent"), "delete": link("DELETE", here)}
    return {"id": of.id, "parentId": of.parent or ROOT, "folderName": of.name, "version": of.version, "_links": links}


def folders_dto(items: list[Folder], path: list[Folder], who: Principal) -> dict[str, object]:
    """The vendor's AssetFoldersDto."""
    here = assets_path(who.tenant, "folders")
    links = {"self": link("GET", here)}
    if who.may(Scope.ASSETS_WRITE):
        links["create"] = link("POST", here)
    return {
        "total": len(items),
        "items": [folder_dto(of, who) for of in items],
        "path": [folder_dto(of, who) for of in path],
        "_links": links,
    }


def link(method: str, path: str) -> dict[str, str]:
    """A ResourceLink; its address is a path below the public host, as the vendor's are."""
    return {"href": urlsplit(base_url()).path + path, "method": method}


def moment(seconds: float) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _client(owner: str) -> str:
    """The vendor's reference of a user: whoever has credentials here is a client."""
    return f"client:{owner}"


def entity_tag(version: int) -> dict[str, Any]:
    """The header that tells the version of what is in the answer."""
    return {"ETag": f'"{version}"'}

"""Downloads: by id or by slug, an earlier content by `version`; without credentials, unless the asset is protected or deleted.

Never executable in a browser: the declared type is sent where it cannot carry a script, beside `nosniff` and a closed policy, which is
stricter than the vendor's `script-src 'none'`.
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import quote

from flask import Response, g, request
from marshmallow import fields, validate
from werkzeug.http import http_date

from app.core.asset import Asset, AssetState
from app.core.errors import Code, UploadError
from app.core.facts import Facts
from app.core.operation import Operation
from app.core.policy import Principal, Scope
from app.core.rendering import Ready
from app.dialects.squidex import renditions, shelf
from app.dialects.squidex.asked import Query, Switch, query
from app.dialects.squidex.pocket import Pocket
from app.dialects.squidex.routes import Routes
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import absolute, accepted

DOWNLOADS = Routes("downloads", __name__)

FOREVER = 10**10  # seconds; what a client may ask to be cached for at most
HARMLESS = re.compile(
    r"(image/(jpeg|jpg|png|gif|webp|avif|tiff|bmp)|(audio|video|font)/[\w.+-]+|text/(plain|csv)|application/(pdf|json|zip|gzip|octet-stream))"
    r"(\s*;\s*charset=[\w-]+)?",
    re.IGNORECASE | re.ASCII,
)
POLICY = "script-src 'none'; default-src 'none'; sandbox"  # the vendor's, and ours
HIDDEN = {"Cache-Control": "public,max-age=0"}  # with the refusal of a protected asset, as the vendor has it


class Wanted(Query):
    """The query of a download, beside what a rendition is asked for with."""

    version = fields.Integer(load_default=None, validate=validate.Range(min=-2, max=2**62))  # -2 and -1 mean any
    cache = fields.Integer(load_default=0, validate=validate.Range(min=0, max=FOREVER))
    download = fields.Integer(load_default=0)
    deleted = Switch(load_default=False)


@DOWNLOADS.get("/api/assets/<app>/<id>")
@DOWNLOADS.get("/api/assets/<app>/<id>/<path:more>")
def download(app: str, id: str, more: str = "") -> Response:  # noqa: ARG001 - a name for search engines, without effect
    """The content of an asset, found by id or slug."""
    asked = query(Wanted())
    anybody = Principal(app, "")
    of = _deleted(app, id) if asked["deleted"] else _found(anybody, id)
    g.squidex_app = app
    if Pocket(of).protected and not _reader(app):
        g.squidex_headers = HIDDEN
        raise UploadError(Code.FORBIDDEN, scope=Scope.ASSETS_READ.value)
    return _sent(of, asked)


@DOWNLOADS.get("/api/assets/<id>")
def download_by_id(id: str) -> Response:
    """The same without an app in the path, which the vendor calls obsolete: whose asset it is, only credentials can say."""
    who = doors().access.bearer(request.headers.get("Authorization"))
    doors().access.require(who, Scope.ASSETS_READ)
    asked = query(Wanted())
    return _sent(shelf.even_trashed(who, id) if asked["deleted"] else shelf.seen(who, id), asked)


def _found(who: Principal, id: str) -> Asset:
    """By id, or else by slug."""
    try:
        return shelf.seen(who, id)
    except UploadError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise
        return shelf.by_slug(who, id)


def _deleted(app: str, id: str) -> Asset:
    """In the trash or not; only for who may read assets."""
    if not _reader(app):
        raise UploadError(Code.NOT_FOUND, what="asset")
    return shelf.even_trashed(Principal(app, ""), id)


def _reader(app: str) -> bool:
    """Whether the request shows credentials with which assets of the app may be read."""
    try:
        who = doors().access.bearer(request.headers.get("Authorization"))
    except UploadError as refusal:
        if refusal.code is not Code.UNAUTHENTICATED:
            raise
        return False
    return who.tenant == app and who.may(Scope.ASSETS_READ)


def _sent(of: Asset, asked: dict[str, int]) -> Response:
    version = asked["version"]
    at = Pocket(of).at(None if version is None or version < 0 else version)
    if at is None or at.facts is None:
        raise UploadError(Code.NOT_FOUND, what="asset")
    spec = renditions.wanted(at)
    got = renditions.ready(at, spec) if at.blob == of.blob and of.state is AssetState.READY else None
    if isinstance(got, Operation):
        return accepted({"status": got.status.value}, _again())
    if isinstance(got, Ready):
        return transfers.deliver(_headers(at, got.facts, got.facts.media_type, asked), got.facts.size, partial(doors().rendering.read, got))
    mime_type = Pocket(at).mime_type
    sent_as = mime_type if HARMLESS.fullmatch(mime_type) else transfers.INERT
    return transfers.deliver(_headers(at, at.facts, sent_as, asked), at.facts.size, partial(doors().library.read, at))


def _headers(at: Asset, facts: Facts, sent_as: str, asked: dict[str, int]) -> dict[str, str]:
    head = transfers.headers(at.filename, facts, "attachment" if asked["download"] == 1 else "inline") | {
        "ETag": f'"{at.file_version}"',
        "Content-Type": sent_as,
        "Last-Modified": http_date(at.updated_at),
        "Content-Security-Policy": POLICY,
    }
    if not Pocket(at).protected:
        head["Cross-Origin-Resource-Policy"] = "cross-origin"  # what anybody may read is made to stand in other sites
    if "auto" in {name.lower() for name in request.args}:
        head["Vary"] = "Accept"
    if asked["cache"] > 0:
        head["Cache-Control"] = f"{'private' if Pocket(at).protected else 'public'},max-age={asked['cache']}"
    return head


def _again() -> str:
    """The address of this request, which answers again, to whoever may ask."""
    return absolute(f"{quote(request.path)}?{request.query_string.decode('latin-1')}")

"""The Wdesk door, `/wdesk`: initiate, PUT to the uploadUrl, poll the operation, fetch the results, download, use. For images and for files.

Lives here: the path families of the published API (2022-01-01 and 2026-01-01), its token endpoints, its envelope of errors.
It may know: core, web and access. Source: the vendor's published OpenAPI document, its two generated clients, and its pages.
It must never: follow X-Version to other answers (one client sends none), or take an uploadUrl without its owner's token.
"""

from __future__ import annotations

from flask import Blueprint, Request, Response

from app.core.errors import Problem
from app.core.operation import Operation
from app.core.policy import DAY, IMAGES, Policy, Principal
from app.dialects.wdesk import envelope, families, links
from app.dialects.wdesk.files import FILE_DOWNLOADS, FILES
from app.dialects.wdesk.images import CONTENT, DOWNLOADS
from app.dialects.wdesk.operations import OPERATIONS
from app.dialects.wdesk.tokens import TOKENS
from app.dialects.wdesk.uploads import BLOBS, INITIATE
from app.web.dialect import Dialect, doors

WDESK = Blueprint("wdesk", __name__)
WDESK.before_request(families.check_version)
WDESK.after_request(families.announce_sunset)
for number, family in enumerate(families.FAMILIES):
    images = (INITIATE, CONTENT) if family in families.WITH_IMAGES else ()
    for part in (OPERATIONS, FILES, *images):
        WDESK.register_blueprint(part, url_prefix=family, name=f"{part.name}_{number}")
for part in (BLOBS, DOWNLOADS, FILE_DOWNLOADS, TOKENS):
    WDESK.register_blueprint(part)

POLICY = Policy(
    max_bytes=75_000_000,
    max_pixels=50_000_000,
    max_pixels_by_type={},  # the page makes no difference between formats
    media_types=IMAGES,  # the page names none; these are what its editors show
    upload_ttl=600.0,
    asset_ttl=DAY,
)


def authenticate(request: Request) -> Principal:
    """The token in `Authorization: Bearer`."""
    return doors().access.bearer(request.headers.get("Authorization"))


def monitor(op: Operation) -> str:
    """Where an operation is polled."""
    return families.path(f"/operations/{op.id}", families.CURRENT)


def render(why: Problem) -> Response:
    """A refusal; in the old family with its announced end also where nothing is routed (404, 405) and so nothing runs after the request."""
    return families.announce_sunset(envelope.render(why))


DIALECT = Dialect(
    name=links.NAME,
    mounts=(families.MOUNT,),
    blueprint=WDESK,
    policy=POLICY,
    authenticate=authenticate,
    render=render,
    monitor=monitor,
)

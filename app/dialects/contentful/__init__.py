"""The Contentful door, `/contentful`: uploads of raw bytes, assets that point to them, processing, publishing, files by URL.

Lives here: the upload API and the asset endpoints of the management API, on one host; the space is the tenant, its environment is master.
It may know: core, web and access. Source: the vendor's pages, its JavaScript and Python clients, and recorded answers of its server.
It must never: wait for a worker before 201 or 204, or let a second locale fail because the first one's processing raised the version.
"""

from __future__ import annotations

from flask import Blueprint, Request

from app.core.policy import ANY, DAY, Policy, Principal
from app.dialects.contentful import answers, links
from app.dialects.contentful.assets import ASSETS
from app.dialects.contentful.envelope import render
from app.dialects.contentful.files import FILES
from app.dialects.contentful.listing import LISTS
from app.dialects.contentful.processing import OPERATIONS, PROCESSING, monitor
from app.dialects.contentful.spaces import SPACES
from app.dialects.contentful.states import STATES
from app.dialects.contentful.uploads import UPLOADS
from app.web.dialect import Dialect, doors

SPACE = "/spaces/<space>"
ENVIRONMENT = f"{SPACE}/environments/<environment>"

UPLOADS.after_request(answers.of_uploads)
for part in (SPACES, OPERATIONS, ASSETS, LISTS, STATES, PROCESSING):
    part.after_request(answers.of_cma)

CONTENTFUL = Blueprint("contentful", __name__)
CONTENTFUL.register_blueprint(SPACES)
CONTENTFUL.register_blueprint(OPERATIONS, url_prefix=SPACE)
CONTENTFUL.register_blueprint(FILES)
for number, prefix in enumerate((SPACE, ENVIRONMENT)):
    for part in (UPLOADS, ASSETS, LISTS, STATES, PROCESSING):
        CONTENTFUL.register_blueprint(part, url_prefix=prefix, name=f"{part.name}_{number}")

POLICY = Policy(
    max_bytes=1_000_000_000,
    max_pixels_by_type={},  # the vendor promises more than we take, of any format
    media_types=(ANY,),
    judge=False,
    upload_ttl=2 * DAY,  # of a fetched file; an upload says itself when it expires
    asset_ttl=None,
)


def authenticate(request: Request) -> Principal:
    """The token in `Authorization: Bearer`: any key or token of the tenant."""
    return doors().access.bearer(request.headers.get("Authorization"))


DIALECT = Dialect(
    name=links.NAME,
    mounts=(links.MOUNT,),
    blueprint=CONTENTFUL,
    policy=POLICY,
    authenticate=authenticate,
    render=render,
    monitor=monitor,
)

"""The Squidex door, `/squidex`: assets and folders of an app, uploaded as forms, listed, queried, changed, downloaded.

Lives here: the asset API of the vendor's server as its published clients use it; its token endpoint; its errors. An app is a tenant.
It may know: core, web and access. Source: the vendor's published server and clients, and its support forum.
It must never: sniff what a client declared, run a client's regular expression, or show one app to another.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Request, Response, g

from app.core.operation import Operation
from app.core.policy import ANY, MIB, Policy, Principal
from app.dialects.squidex import operations
from app.dialects.squidex.asked import NAME
from app.dialects.squidex.assets import ASSETS
from app.dialects.squidex.bulk import BULK
from app.dialects.squidex.downloads import DOWNLOADS
from app.dialects.squidex.envelope import render
from app.dialects.squidex.folders import FOLDERS
from app.dialects.squidex.lists import LISTS
from app.dialects.squidex.operations import OPERATIONS
from app.dialects.squidex.tags import TAGS
from app.dialects.squidex.tokens import TOKENS
from app.dialects.squidex.uploads import UPLOADS
from app.dialects.squidex.views import MOUNT
from app.web.dialect import Dialect, doors

SQUIDEX = Blueprint(NAME, __name__)
for part in (TOKENS, FOLDERS, TAGS, BULK, LISTS, ASSETS, UPLOADS, DOWNLOADS, OPERATIONS):
    SQUIDEX.register_blueprint(part)

POLICY = Policy(
    max_bytes=5 * MIB,  # of the whole body, as the vendor's `assets:maxSize` is
    media_types=(ANY,),
    judge=False,
    asset_ttl=None,
)


@SQUIDEX.after_request
def announce(response: Response) -> Response:
    """X-AppId, and what a view left for its refusal. The vendor's apps have ids beside their names; ours follow from the names."""
    if app := g.get("squidex_app"):
        response.headers["X-AppId"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, app))
    response.headers.update(g.get("squidex_headers", {}))
    return response


def authenticate(request: Request) -> Principal:
    """The token in `Authorization: Bearer`."""
    return doors().access.bearer(request.headers.get("Authorization"))


def monitor(op: Operation) -> str:
    """Where an operation is polled."""
    return operations.path(op)


DIALECT = Dialect(
    name=NAME,
    mounts=(MOUNT,),
    blueprint=SQUIDEX,
    policy=POLICY,
    authenticate=authenticate,
    render=render,
    monitor=monitor,
)

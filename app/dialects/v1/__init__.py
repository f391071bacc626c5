"""The native door, `/v1`: every notion of the core under its own name, RFC 9457 problems, RFC 7240 preferences.

uploads: bytes in. operations: the promise, polled or waited for. assets: what came of it.
"""

from __future__ import annotations

from flask import Blueprint, Request

from app.core.operation import Operation
from app.core.policy import Policy, Principal
from app.dialects.v1.assets import ASSETS
from app.dialects.v1.openapi import DOCUMENT, document
from app.dialects.v1.operations import OPERATIONS
from app.dialects.v1.uploads import UPLOADS
from app.dialects.v1.usage import USAGE
from app.web import problems
from app.web.dialect import Dialect, doors

V1 = Blueprint("v1", __name__)
for part in (UPLOADS, OPERATIONS, ASSETS, USAGE, DOCUMENT):
    V1.register_blueprint(part)


def authenticate(request: Request) -> Principal:
    """An API key or a bearer token in `Authorization: Bearer`."""
    return doors().access.bearer(request.headers.get("Authorization"))


def monitor(op: Operation) -> str:
    """Where an operation is polled."""
    return f"/v1/operations/{op.id}"


DIALECT = Dialect(
    name="v1",
    mounts=("/v1",),
    blueprint=V1,
    policy=Policy(),
    authenticate=authenticate,
    render=problems.render,
    monitor=monitor,
    document=document,
)

"""The Nomad Media door, `/nomad`: login, start, PUT of the parts, part complete, complete; assets, folders, what is related to them.

Lives here: the upload half of the vendor's admin API, its logins and API keys, its ProblemDetails.
It may know: core, web and access. Source: the page of the start call, the vendor's OpenAPI document (2026-04), its client 0.1.9.
It must never: take a client's word for what arrived, or let a start call be lost because another came at the same moment.
"""

from __future__ import annotations

from flask import Blueprint

from app.core.policy import ANY, DAY, MIB, Policy
from app.dialects.nomad.account import ACCOUNT, authenticate
from app.dialects.nomad.assets import ASSETS, CONTENT
from app.dialects.nomad.links import MOUNT
from app.dialects.nomad.operations import OPERATIONS, monitor
from app.dialects.nomad.places import NAME
from app.dialects.nomad.refusals import render
from app.dialects.nomad.uploads import MINE, UPLOADS
from app.web.dialect import Dialect

NOMAD = Blueprint(NAME, __name__)
for part in (ACCOUNT, UPLOADS, MINE, OPERATIONS, ASSETS, CONTENT):
    NOMAD.register_blueprint(part)

POLICY = Policy(
    max_bytes=5 * 1024 * 1024 * MIB,  # S3's largest object; the page has no limit but 10,000 parts
    media_types=(ANY,),
    judge=False,
    upload_ttl=DAY,  # the vendor publishes none
    asset_ttl=None,
    part_size=8 * MIB,
    empty=True,
    part_digests=True,  # its client now and then sends a slice twice
    patience=8.0,  # its client gives up after 10
)

DIALECT = Dialect(
    name=NAME,
    mounts=(MOUNT,),
    blueprint=NOMAD,
    policy=POLICY,
    authenticate=authenticate,
    render=render,
    monitor=monitor,
)

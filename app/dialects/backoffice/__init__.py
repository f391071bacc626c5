"""The Backoffice door, `/backoffice`: an image uploaded in one form and answered with its key, synchronously; asset images made of such keys.

Lives here: the upload of an image, the place to look when it takes longer than anybody waits, asset images, and the envelope of errors.
It may know: core, web and access. Source: the vendor's page "Upload Asset Image" and the pages of its core API.
It must never: answer 200 for bytes that no worker has judged, or keep the bytes of an upload that was answered with an error.
"""

from __future__ import annotations

from flask import Blueprint

from app.core.policy import IMAGES, MIB, Policy
from app.dialects.backoffice.envelope import render
from app.dialects.backoffice.images import ASSET_IMAGES
from app.dialects.backoffice.keys import authenticate
from app.dialects.backoffice.names import MOUNT, NAME
from app.dialects.backoffice.uploads import UPLOADS, monitor
from app.web.dialect import Dialect

BACKOFFICE = Blueprint("backoffice", __name__)
for part in (UPLOADS, ASSET_IMAGES):
    BACKOFFICE.register_blueprint(part)

LARGEST = 15 * MIB  # bytes of the file, not of the form around it; the page says "15Mb"

POLICY = Policy(
    max_bytes=LARGEST,
    media_types=IMAGES,
    asset_ttl=None,
)

DIALECT = Dialect(
    name=NAME,
    mounts=(MOUNT,),
    blueprint=BACKOFFICE,
    policy=POLICY,
    authenticate=authenticate,
    render=render,
    monitor=monitor,
)

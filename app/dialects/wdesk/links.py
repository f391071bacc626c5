"""The opaque URLs: where an image is PUT, and where it is downloaded. Both in the vendor's look, both good only with a token.

::

    /wdesk/s/blob-storage/api/v1/blobs/{tenant}/{upload}?action=upload&…&expire={deadline}&…&sig={signature}    names in base64url
    /wdesk/s/blob-storage/api/v1/images/{image}?action=download
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.signing import Signer
from app.core.upload import Upload
from app.dialects.wdesk.families import MOUNT

STORAGE = "/s/blob-storage/api/v1"
IMAGE_ID = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


def upload_path(up: Upload, signer: Signer) -> str:
    """The uploadUrl below the public base: signed for PUT, until the upload's deadline."""
    path = f"{MOUNT}{STORAGE}/blobs/{_hide(up.tenant)}/{_hide(up.id)}"
    expire, sig = signer.seal("PUT", path, up.expires_at)
    query = {"action": "upload", "client": "image-services", "expire": expire, "scope": "image-services", "user": up.owner, "sig": sig}
    return f"{path}?{urlencode(query)}"


def check(path: str, query: Mapping[str, str], signer: Signer) -> None:
    """Raise UploadError(LINK_INVALID) unless the URL is one of ours. Its deadline is the upload's, which says so itself when it is over."""
    signer.verify("PUT", path, query.get("expire", ""), query.get("sig", ""), now=0.0)


def download_path(image: Asset) -> str:
    """The downloadUrl below the public base."""
    return f"{MOUNT}{STORAGE}/images/{image_id(image.id)}?action=download"


def image_id(asset_id: str) -> str:
    """32 hex digits, as the vendor has them."""
    return asset_id.replace("-", "")


def asset_id(image: str) -> str:
    """Our id behind an image's. Raises UploadError(NOT_FOUND) for what is no image id."""
    found = IMAGE_ID.fullmatch(image)
    if not found:
        raise UploadError(Code.NOT_FOUND, what="image")
    return "-".join(found.groups())


def _hide(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def reveal(hidden: str) -> str:
    """What a name in base64url means. Raises UploadError(NOT_FOUND)."""
    try:
        return base64.urlsafe_b64decode(hidden + "=" * (-len(hidden) % 4)).decode()
    except (binascii.Error, ValueError):
        raise UploadError(Code.NOT_FOUND, what="upload") from None

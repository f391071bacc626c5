"""The ids of images and files, and the opaque URLs where they are PUT and downloaded: in the vendor's look, good only with a token.

::

    /wdesk/s/blob-storage/api/v1/blobs/{tenant}/{upload}?action=upload&…&expire={deadline}&…&sig={signature}    names in base64url
    /wdesk/s/blob-storage/api/v1/images/{image}?action=download
    /wdesk/s/blob-storage/api/v1/files/{file}?action=download
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.policy import Principal
from app.core.signing import Signer
from app.core.upload import Upload
from app.dialects.wdesk.families import MOUNT
from app.web.dialect import doors

NAME = "wdesk"
STORAGE = "/s/blob-storage/api/v1"
HEX_ID = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


def upload_path(up: Upload, signer: Signer, client: str) -> str:
    """The uploadUrl below the public base: signed for PUT, until the upload's deadline. `client`: what it shows as the vendor's own service."""
    path = f"{MOUNT}{STORAGE}/blobs/{_hide(up.tenant)}/{_hide(up.id)}"
    expire, sig = signer.seal("PUT", path, up.expires_at)
    query = {"action": "upload", "client": client, "expire": expire, "scope": client, "user": up.owner, "sig": sig}
    return f"{path}?{urlencode(query)}"


def check(path: str, query: Mapping[str, str], signer: Signer) -> None:
    """Raise UploadError(LINK_INVALID) unless the URL is one of ours. Its deadline is the upload's, which says so itself when it is over."""
    signer.verify("PUT", path, query.get("expire", ""), query.get("sig", ""), now=0.0)


def download_path(of: Asset, place: str) -> str:
    """The downloadUrl below the public base; `place`: images or files."""
    return f"{MOUNT}{STORAGE}/{place}/{hex_id(of.id)}?action=download"


def hex_id(asset_id: str) -> str:
    """32 hex digits, as the vendor has them for images and files."""
    return asset_id.replace("-", "")


def asset(who: Principal, hex_id: str) -> Asset:
    """The asset of this door behind an image's or a file's id. Raises UploadError(NOT_FOUND, GONE)."""
    found = HEX_ID.fullmatch(hex_id)
    of = doors().library.asset(who, "-".join(found.groups())) if found else None
    if of is None or of.dialect != NAME:
        raise UploadError(Code.NOT_FOUND, what="asset")
    return of


def _hide(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def reveal(hidden: str) -> str:
    """What a name in base64url means. Raises UploadError(NOT_FOUND)."""
    try:
        return base64.urlsafe_b64decode(hidden + "=" * (-len(hidden) % 4)).decode()
    except (binascii.Error, ValueError):
        raise UploadError(Code.NOT_FOUND, what="upload") from None

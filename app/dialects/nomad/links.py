"""Where the bytes of an asset are read: a signed URL that ends with the file's name, or the same path with a token.

::

    /nomad/content/{tenant}/{asset}/{deadline}-{signature}/{file name}

The name is there for people and for the vendor's client, which looks for it in the URL as it is on its disk; nothing depends on it.
"""

from __future__ import annotations

from urllib.parse import quote

from app.core import timing
from app.core.asset import Asset
from app.core.errors import UploadError
from app.web.dialect import doors
from app.web.replies import absolute

MOUNT = "/nomad"


def url(of: Asset) -> str:
    """The absolute URL, good for an hour."""
    return absolute(f"{_sealed(of)}/{quote(of.filename, safe='')}")


def plain_url(of: Asset) -> str:
    """The same with the name as it is. Clients encode what a URL may not have (RFC 3987, section 3.1)."""
    return absolute(f"{_sealed(of)}/{of.filename}")


def sealed(tenant: str, id: str, seal: str) -> bool:
    """Whether the seal is ours and still good."""
    expires, _, signature = seal.partition("-")
    try:
        doors().signer.verify("GET", _path(tenant, id), expires, signature, doors().now())
    except UploadError:
        return False
    return True


def _sealed(of: Asset) -> str:
    path = _path(of.tenant, of.id)
    expires, signature = doors().signer.seal("GET", path, doors().now() + timing.LINK)
    return f"{path}/{expires}-{signature}"


def _path(tenant: str, id: str) -> str:
    return f"{MOUNT}/content/{tenant}/{id}"

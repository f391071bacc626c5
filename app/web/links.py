"""`/links`: the bytes of an asset for whoever has the URL, until it runs out. The URL is signed, and says how the bytes are called and shown.

A link is to the asset, not to its bytes: it gives those that the asset has now, and nothing once the asset is gone. Tenant, id, disposition
and name are in the path, which the signature covers.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from flask import Blueprint, Response, request

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.policy import Principal
from app.web import transfers
from app.web.dialect import doors
from app.web.replies import absolute

LINKS = Blueprint("links", __name__, url_prefix="/links")

CACHED = (
    300  # seconds, at most, for which a shared cache may give the bytes without asking, also when they were replaced or deleted meanwhile
)


def link(of: Asset, name: str, disposition: str, expires: float) -> tuple[str, float]:
    """The URL, and until when it is good: seconds since the epoch, whole ones."""
    path = f"/links/{of.tenant}/{of.id}/{disposition}/{name}"
    deadline, signature = doors().signer.seal("GET", path, expires)
    return absolute(f"{quote(path)}?expires={deadline}&signature={signature}"), float(deadline)


@LINKS.get("/<tenant>/<id>/<disposition>/<name>")
def follow(tenant: str, id: str, disposition: str, name: str) -> Response:
    """The bytes, whole or one range of them. Raises UploadError: LINK_INVALID; NOT_FOUND, GONE when the asset is no more."""
    now, expires = doors().now(), request.args.get("expires", "")
    doors().signer.verify("GET", request.path, expires, request.args.get("signature", ""), now)
    of = doors().library.asset(Principal(tenant, ""), id)
    if of.facts is None:
        raise UploadError(Code.GONE, what="asset")
    head = transfers.headers(name, of.facts, disposition) | {
        "Cache-Control": f"public, max-age={min(CACHED, int(int(expires) - now))}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # whoever has the URL may show it
    }
    return transfers.deliver(head, of.facts.size, partial(doors().library.read, of))

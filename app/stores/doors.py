"""The path of our own door at which the parts of an upload are PUT, where the store has no door of its own."""

from __future__ import annotations

from app.core import keys
from app.core.signing import Signer


def own_door(signer: Signer, staging_key: str, number: int, expires: float) -> str:
    """A signed path, relative to the public URL; `web.transfers` serves it."""
    tenant, upload_id = keys.upload_of(staging_key)
    return signer.sign("PUT", f"/transfers/{tenant}/{upload_id}/parts/{number}", expires)

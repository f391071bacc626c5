"""What an asset is, as a document beside its bytes: enough to rebuild the records from."""

from __future__ import annotations

import json
from dataclasses import asdict

from app.core.asset import Asset

FORMAT = 1


def encode(of: Asset) -> bytes:
    """The manifest of an asset: JSON, UTF-8, keys sorted, so that equal assets have equal manifests."""
    return json.dumps({"format": FORMAT, "asset": asdict(of)}, sort_keys=True, ensure_ascii=False, indent=1).encode()

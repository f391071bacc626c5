"""How the Squidex client is pointed at our door, and what it knows of bytes."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.clients.keys import TENANT
from tests.services.up import Up, shared

ROOT = "00000000-0000-0000-0000-000000000000"  # the folder of what is in no folder


def options(up: Up | None = None, **more: Any) -> dict[str, Any]:
    """Of `new SquidexClient`: the app is the tenant."""
    up = up or shared()
    who = up.credentials
    return {
        "url": f"{up.url}/squidex",
        "appName": TENANT,
        "clientId": who["client_id"],
        "clientSecret": who["client_secret"],
        **more,
    }


def file_hash(content: bytes, name: str) -> str:
    """What an AssetDto has as fileHash."""
    inner = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return base64.b64encode(hashlib.sha256(f"{inner}{name}{len(content)}".encode()).digest()).decode()

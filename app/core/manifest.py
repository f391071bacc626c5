"""What an asset, a folder or a document is, as a document beside the bytes: enough to rebuild the records from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.core import shapes
from app.core.asset import Asset
from app.core.document import Document
from app.core.folder import Folder

FORMAT = 1
KINDS: Mapping[str, type[Asset | Folder | Document]] = {"asset": Asset, "folder": Folder, "document": Document}

Described = Asset | Folder | Document


def encode(of: Described) -> bytes:
    """The manifest: JSON, UTF-8, keys sorted, so that equal records have equal manifests."""
    name = type(of).__name__.lower()
    plain = json.loads(shapes.dumps(of))
    return json.dumps({"format": FORMAT, name: plain}, sort_keys=True, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def decode(content: bytes) -> Described:
    """What a manifest describes. Raises ValueError for one that this version cannot read: damaged, or of a later format."""
    try:
        return _decoded(json.loads(content.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no manifest that can be read: {error!r}") from error


def _decoded(told: Any) -> Described:
    names = [name for name in KINDS if name in told]
    if told["format"] != FORMAT or not names:
        raise ValueError(f"format {told['format']}, {sorted(told)}")
    kind: Any = KINDS[names[0]]
    described: Described = shapes.loads(kind, json.dumps(told[names[0]]))
    if not all(isinstance(name, str) and name for name in (described.tenant, described.id)):
        raise ValueError("a record without its names")
    return described

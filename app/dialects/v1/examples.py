"""Examples for the document: of every answer, and of every refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from app.core.errors import MEANINGS, Code, Fact, problem
from app.dialects.v1 import shown
from app.web import problems

BASE = "https://slipway.example"
ID, OP, ASSET = "0190d6e5-4b5c-7a31-9c0e-2f6b8d1e7a10", "0190d6e5-4b5d-7c42-8a1f-3b7c9e2f8b21", "0190d6e5-5e11-7f03-b2d4-6a8e1c3f5d32"
DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MADE, CHANGED, UNTIL = "2026-11-21T09:30:00.120Z", "2026-11-21T09:30:01.480Z", "2026-11-22T09:30:00.120Z"

FACTS: Mapping[str, Fact] = {
    "reason": "size: Must be greater than or equal to 1.",
    "limit": 75_000_000,
    "media_type": "image/bmp",
    "accepted": ["image/jpeg", "image/png", "image/gif", "image/webp"],
    "scope": "uploads:write",
    "what": "upload",
    "number": 3,
    "expected": 8_388_608,
    "offset": 1_048_576,
    "status": "completed",
    "retry_after": 12,
    "version": 4,
    "size": 48_213,
    "quota": "bytes",
    "used": 9_990_000_000,
    "trailing": 17,
    "parts": ["disk"],
}
ALSO: Mapping[Code, Mapping[str, Fact]] = {
    Code.PARTS_MISSING: {"missing": [2, 5]},
    Code.INVALID: {"errors": ["size: Must be greater than or equal to 1."]},
}

OPERATION: dict[str, Any] = {
    "id": OP,
    "kind": "ingest",
    "status": "completed",
    "progress": {"stage": "settled", "bytes": 48_213, "total": 48_213},
    "uploadId": ID,
    "createdAt": MADE,
    "updatedAt": CHANGED,
    "expiresAt": "2026-11-28T09:30:00.120Z",
    "resourceUrl": f"{BASE}/v1/assets/{ASSET}",
}
SLOT = {"number": 1, "offset": 0, "size": 8_388_608, "url": f"{BASE}/transfers/demo/{ID}/parts/1?expires=1795257000&signature=5f2c…"}
UPLOAD: dict[str, Any] = {
    "id": ID,
    "state": "open",
    "filename": "photo.jpg",
    "size": 12_000_000,
    "mediaType": "image/jpeg",
    "digest": None,
    "offset": 0,
    "partSize": 8_388_608,
    "operationId": OP,
    "operationUrl": f"{BASE}/v1/operations/{OP}",
    "url": f"{BASE}/v1/uploads/{ID}",
    "completeUrl": f"{BASE}/v1/uploads/{ID}/complete",
    "createdAt": MADE,
    "expiresAt": "2026-11-21T09:40:00.120Z",
}
KEPT: dict[str, Any] = {
    "id": ASSET,
    "filename": "photo.jpg",
    "state": "ready",
    "digest": DIGEST,
    "size": 48_213,
    "storedBytes": 48_213,
    "mediaType": "image/jpeg",
    "width": 1280,
    "height": 853,
    "frames": 1,
    "orientation": 1,
    "trailingBytes": 0,
    "kept": False,
    "usage": None,
    "uploadId": ID,
    "contentUrl": f"{BASE}/v1/assets/{ASSET}/content",
    "createdAt": CHANGED,
    "updatedAt": CHANGED,
    "expiresAt": UNTIL,
}
ANSWERS: Mapping[type[Schema], Any] = {
    shown.Operation: OPERATION,
    shown.Promise: {name: value for name, value in OPERATION.items() if name != "resourceUrl"}
    | {"status": "queued", "progress": {"stage": "queued", "bytes": 48_213, "total": 48_213}},
    shown.Slots: {"parts": [SLOT]},
    shown.Upload: UPLOAD | {"parts": [{"number": 1, "offset": 0, "size": 8_388_608, "etag": "6d0bb00954ceb7fbee436bb55a8397a9"}]},
    shown.Asset: KEPT,
    shown.Operations: {"items": [OPERATION], "next": f"{BASE}/v1/operations?status=completed&cursor=WzE3"},
    shown.Assets: {"items": [KEPT], "next": None},
    shown.Link: {
        "url": f"{BASE}/links/demo/{ASSET}/inline/photo.jpg?expires=1795257000&signature=5f2c…",
        "expiresAt": "2026-11-21T10:30:00.000Z",
    },
    shown.Usage: {
        "bytes": {"stored": 48_213, "inFlight": 12_000_000, "used": 12_048_213, "limit": 10_000_000_000},
        "uploads": {"inFlight": 1, "limit": None},
    },
    shown.Transferred: {"operationId": OP, "status": "queued"},
    shown.Token: {"access_token": "st_7Qx…", "token_type": "Bearer", "expires_in": 3600, "scope": "uploads:write operations:read"},
    shown.OAuthError: {"error": "invalid_client", "error_description": "Client authentication failed"},
    shown.Ready: {"status": "ready", "parts": {"redis": {"ok": True}, "worker": {"ok": True, "age": 12.4}}, "pressure": {}},
}


def refusal(code: Code) -> dict[str, object]:
    """The problem document of a code, with plausible facts."""
    facts = {name: FACTS[name] for name in re.findall(r"\{(\w+)\}", MEANINGS[code]) if name in FACTS}
    return problems.document(problem(code, **{**facts, **ALSO.get(code, {})}))

"""The header fields, path parts and query parameters of the native door, told."""

from __future__ import annotations

from typing import Any

from app.core.library import LONGEST_ID
from app.core.operation import ATTACH, FETCH, INGEST, RENDER, Status
from app.dialects.v1.schemas import MEDIA_RANGE, PAGE, PAGE_MOST

Json = dict[str, Any]
STATUSES: Json = {"type": "array", "items": {"type": "string", "enum": [status.value for status in Status]}}
TEXT: Json = {"type": "string"}


def _header(says: str, example: str, **schema: Any) -> Json:
    return {"description": says, "schema": TEXT | schema, "example": example}


def _sent(place: str, says: str, example: Any, schema: Json | None = None, *, required: bool = False) -> Json:
    told: Json = {"in": place, "description": says, "schema": schema or TEXT}
    told |= {} if example is None else {"example": example}
    return told | ({"required": True} if required or place == "path" else {})


HEADERS: dict[str, Json] = {
    "Location": _header("The status monitor.", "https://slipway.example/v1/operations/0190d6e5-4b5d-7c42-8a1f-3b7c9e2f8b21"),
    "Operation-Location": _header("The same.", "https://slipway.example/v1/operations/0190d6e5-4b5d-7c42-8a1f-3b7c9e2f8b21"),
    "Retry-After": _header("Seconds until it is worth asking again.", "1", pattern="^[0-9]+$"),
    "ETag": _header("For If-None-Match.", '"9b2c"', pattern='^(W/)?".*"$'),
    "Vary": _header("What the answer depends on.", "Prefer, Authorization"),
    "Cache-Control": _header("Whether it may be kept.", "no-store"),
    "Preference-Applied": _header("What of Prefer was done (RFC 7240).", "wait=10"),
    "Accept-Ranges": _header("Ranges are served.", "bytes"),
    "Content-Range": _header("Which bytes these are.", "bytes 0-999/48213"),
    "Content-Disposition": _header("The name of the file (RFC 6266).", 'attachment; filename="photo.jpg"'),
    "Repr-Digest": _header("Of the whole file (RFC 9530).", "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:"),
    "Upload-Offset": _header("How many bytes are kept.", "1048576", pattern="^[0-9]+$"),
    "Link": _header("The next page (RFC 8288).", '<https://slipway.example/v1/assets?cursor=WzE3>; rel="next"'),
    "Idempotent-Replayed": _header("The answer was given before; nothing was done again.", "true"),
    "WWW-Authenticate": _header("What is asked for (RFC 6750).", 'Bearer realm="slipway"'),
    "RateLimit": _header("What is left of each window.", '"second";r=998;t=1, "hour";r=999412;t=3120'),
    "RateLimit-Policy": _header("The windows (draft-ietf-httpapi-ratelimit-headers-10).", '"second";q=1000;w=1, "hour";q=1000000;w=3600'),
}

SOME_ID = "0190d6e5-4b5c-7a31-9c0e-2f6b8d1e7a10"
DIGEST = "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:"
PARAMETERS: dict[str, Json] = {
    "id": _sent("path", "Its id.", SOME_ID, TEXT | {"minLength": 1}),
    "tenant": _sent("path", "Whose upload it is.", "demo", TEXT | {"minLength": 1}),
    "number": _sent("path", "The part, from 1.", 1, {"type": "integer", "minimum": 0}),
    "filename": _sent("query", "The name of a raw body.", "photo.jpg"),
    "expires": _sent("query", "As signed.", "1795257000", required=True),
    "signature": _sent("query", "As signed.", "5f2c0e", required=True),
    "dialect": _sent("query", "What came through one door.", "v1", TEXT | {"minLength": 1, "maxLength": 64}),
    "createdAfter": _sent("query", "Made then or later.", "2026-11-21T09:30:00Z", TEXT | {"format": "date-time"}),
    "createdBefore": _sent("query", "Made before that.", "2026-11-22T09:30:00Z", TEXT | {"format": "date-time"}),
    "limit": _sent("query", "Items of a page.", PAGE, {"type": "integer", "minimum": 1, "maximum": PAGE_MOST, "default": PAGE}),
    "cursor": _sent("query", "As `next` has it.", None),
    "status": _sent("query", "Some of these; several times, or with commas between.", ["queued"], STATUSES),
    "kind": _sent("query", "Of one kind.", INGEST, TEXT | {"enum": [INGEST, FETCH, ATTACH, RENDER]}),
    "folder": _sent("query", "What lies in a folder, or in no folder: `root`.", "root", TEXT | {"minLength": 1, "maxLength": LONGEST_ID}),
    "mediaType": _sent("query", "A media type, or all of a kind.", "image/*", TEXT | {"pattern": MEDIA_RANGE.pattern.replace("\\Z", "$")}),
    "for": _sent("query", "`door` leaves the workers out.", "door"),
    "canary": _sent("query", "Anything sends one job through broker and workers first.", "1"),
    "disposition": _sent("path", "As signed.", "inline", TEXT | {"enum": ["inline", "attachment"]}),
    "name": _sent("path", "As signed.", "photo.jpg", TEXT | {"minLength": 1}),
    "Idempotency-Key": _sent("header", "The same request with the same key is done once.", '"8e03978e-40d5-43dd"'),
    "Prefer": _sent("header", "`wait=10`: seconds that the answer may take (RFC 7240).", "wait=1"),
    "If-None-Match": _sent("header", "304 when it is still this.", '"9b2c"'),
    "If-Match": _sent("header", "412 when it is no longer this.", '"9b2c"'),
    "If-Range": _sent("header", "Range counts only while it is still this.", '"9b2c"'),
    "Range": _sent("header", "One range of bytes.", "bytes=0-999"),
    "Content-Disposition": _sent("header", "The name of a raw body.", 'attachment; filename="photo.jpg"'),
    "Content-Range": _sent("header", "Which bytes of the whole the body is.", "bytes 0-1048575/5000000"),
    "Content-Digest": _sent("header", "Of the body (RFC 9530): sha-256 or sha-512, verified.", DIGEST),
    "Repr-Digest": _sent("header", "Of the whole file, likewise.", DIGEST),
}

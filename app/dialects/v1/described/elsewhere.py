"""What belongs to no dialect, told: signed transfers, tokens, health, and the document itself."""

from __future__ import annotations

from typing import Any

from app.core.errors import Code
from app.core.policy import Scope
from app.dialects.v1 import shown
from app.dialects.v1.told import ACCESS, BINARY, BYTES, FORM, HEALTH, LIMITS, ONE, PARTS, READ_BYTES, TRANSFERS, USAGE, WRITE, Good, Told

GRANT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string", "description": "unless HTTP Basic has it"},
        "client_secret": {"type": "string", "description": "likewise", "format": "password"},
        "scope": {"type": "string", "description": "names with blanks between; all of the client's role without it"},
    },
    "required": ["grant_type"],
}
GIVEN_BACK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "token": {"type": "string"},
        "token_type_hint": {"type": "string", "enum": ["access_token", "refresh_token"]},
        "client_id": {"type": "string", "description": "unless HTTP Basic has it"},
        "client_secret": {"type": "string", "description": "likewise", "format": "password"},
    },
    "required": ["token"],
}

TABLE: tuple[Told, ...] = (
    Told(
        "PUT",
        "/transfers/{tenant}/{id}",
        "putWhole",
        TRANSFERS,
        "The whole file, or the next bytes of it",
        (
            Good(202, "The file is whole: promised.", shown.Transferred, ("Location", "Operation-Location", "Retry-After")),
            Good(204, "Kept; more is to come.", headers=("Upload-Offset",)),
        ),
        text="What `upload.uploadUrl` of an announced upload is. With Content-Range the bytes may come in runs.",
        parameters=("tenant", "id", "expires", "signature", "Content-Range", "Content-Digest", "Repr-Digest"),
        body={BINARY: BYTES},
        refusals=(Code.LINK_INVALID, *ONE, *READ_BYTES, *WRITE, Code.OFFSET_MISMATCH, Code.PART_SIZE, Code.UNSUPPORTED_TYPE),
    ),
    Told(
        "PUT",
        "/transfers/{tenant}/{id}/parts/{number}",
        "putPart",
        TRANSFERS,
        "One part",
        (Good(200, "It is there.", headers=("ETag",)),),
        text="What `upload.parts[].url` is where the house keeps the bytes itself; parts that go straight to S3 have S3's own URLs.",
        parameters=("tenant", "id", "number", "expires", "signature", "Content-Digest", "Repr-Digest"),
        body={BINARY: BYTES},
        refusals=(Code.LINK_INVALID, *ONE, *READ_BYTES, *PARTS, Code.PART_SIZE),
    ),
    Told(
        "GET",
        "/links/{tenant}/{id}/{disposition}/{name}",
        "followLink",
        TRANSFERS,
        "The bytes of an asset, for whoever has the URL",
        (
            Good(200, "All of them.", BYTES, ("ETag", "Accept-Ranges", "Cache-Control", "Repr-Digest", "Content-Disposition"), "*/*"),
            Good(206, "One range of them.", BYTES, ("ETag", "Content-Range", "Cache-Control", "Repr-Digest"), "*/*"),
            Good(304, "As the ETag says.", headers=("ETag",)),
        ),
        text="What `POST /v1/assets/{id}/links` gives.",
        parameters=("tenant", "id", "disposition", "name", "expires", "signature", "Range", "If-Range", "If-None-Match", "If-Match"),
        refusals=(Code.LINK_INVALID, *ONE, Code.RANGE, Code.PRECONDITION),
    ),
    Told(
        "GET",
        "/v1/usage",
        "getUsage",
        USAGE,
        "What the tenant takes up",
        (Good(200, "Beside what it may.", shown.Usage, ("Cache-Control", *LIMITS)),),
        Scope.ASSETS_READ,
    ),
    Told(
        "POST",
        "/oauth2/token",
        "token",
        ACCESS,
        "A token for a client",
        (Good(200, "Good for an hour.", shown.Token, ("Cache-Control",)),),
        text="The client proves itself by HTTP Basic or in the form.",
        body={FORM: GRANT},
        examples={FORM: {"grant_type": "client_credentials", "scope": "uploads:write operations:read"}},
        refusals=(Code.TOO_LARGE, Code.TIMEOUT, Code.RATE_LIMITED),
        bare=(400, 401),
        sample='-u "$CLIENT:$SECRET" -d grant_type=client_credentials "$URL/oauth2/token"',
    ),
    Told(
        "POST",
        "/oauth2/revoke",
        "revoke",
        ACCESS,
        "End a token",
        (Good(200, "Whether there was such a token or not.", {"type": "object"}, ("Cache-Control",)),),
        text="A client ends its own tokens.",
        body={FORM: GIVEN_BACK},
        refusals=(Code.TOO_LARGE, Code.TIMEOUT, Code.RATE_LIMITED),
        bare=(400, 401),
        sample='-u "$CLIENT:$SECRET" -d "token=$TOKEN" "$URL/oauth2/revoke"',
    ),
    Told(
        "GET",
        "/.well-known/oauth-authorization-server",
        "metadata",
        ACCESS,
        "Where the token endpoints are",
        (Good(200, "RFC 8414.", {"type": "object"}),),
    ),
    Told("GET", "/healthz", "alive", HEALTH, "The process answers", (Good(200, "It does.", {"type": "object"}),)),
    Told(
        "GET",
        "/readyz",
        "ready",
        HEALTH,
        "Which parts are up",
        (Good(200, "All.", shown.Ready, ("Cache-Control",)), Good(503, "Not all.", shown.Ready, ("Cache-Control",))),
        parameters=("for", "canary"),
    ),
    Told(
        "GET",
        "/v1/openapi.json",
        "openapi",
        HEALTH,
        "This document",
        (Good(200, "OpenAPI 3.1.", {"type": "object"}, ("ETag",)), Good(304, "As the ETag says.", headers=("ETag",))),
        parameters=("If-None-Match", "If-Match"),
        refusals=(Code.PRECONDITION,),
    ),
)

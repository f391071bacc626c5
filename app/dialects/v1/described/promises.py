"""Operations and assets, told."""

from __future__ import annotations

from app.core.errors import Code
from app.core.policy import Scope
from app.dialects.v1 import schemas, shown
from app.dialects.v1.told import ASSETS, BYTES, JSON, LIMITS, ONCE, ONE, OPERATIONS, READ_JSON, Good, Told

PAGE = (Code.INVALID,)
MADE = ("createdAfter", "createdBefore", "dialect", "limit", "cursor")

TABLE: tuple[Told, ...] = (
    Told(
        "GET",
        "/v1/operations",
        "listOperations",
        OPERATIONS,
        "The operations of the tenant",
        (Good(200, "A page, newest first.", shown.Operations, ("Link", "Vary", *LIMITS)),),
        Scope.OPERATIONS_READ,
        "Through whichever door they were promised. `next` is the URL of the next page.",
        ("status", "kind", *MADE),
        refusals=PAGE,
        sample='"$URL/v1/operations?status=failed"',
    ),
    Told(
        "GET",
        "/v1/operations/{id}",
        "getOperation",
        OPERATIONS,
        "The operation as it stands",
        (
            Good(200, "Retry-After until it is final.", shown.Operation, ("ETag", "Retry-After", "Preference-Applied", "Vary", *LIMITS)),
            Good(304, "As the ETag says.", headers=("ETag",)),
        ),
        Scope.OPERATIONS_READ,
        "`Prefer: wait=10` answers as soon as it is final, after 30 seconds at the latest.",
        ("id", "Prefer", "If-None-Match", "If-Match"),
        refusals=(*ONE, Code.PRECONDITION),
        sample='-H "Prefer: wait=10" "$URL/v1/operations/$ID"',
    ),
    *(
        Told(
            method,
            path,
            name,
            OPERATIONS,
            "Give it up",
            (Good(200, "It is cancelled.", shown.Operation, ("ETag", "Vary", *LIMITS)),),
            Scope.OPERATIONS_CANCEL,
            parameters=("id", *named),
            refusals=(*ONE, Code.FINAL, Code.LOCKED, *ONCE),
        )
        for method, path, name, named in (
            ("DELETE", "/v1/operations/{id}", "deleteOperation", ()),
            ("POST", "/v1/operations/{id}/cancel", "cancelOperation", ("Idempotency-Key",)),
        )
    ),
    Told(
        "GET",
        "/v1/assets",
        "listAssets",
        ASSETS,
        "The assets of the tenant",
        (Good(200, "A page, newest first.", shown.Assets, ("Link", "Vary", *LIMITS)),),
        Scope.ASSETS_READ,
        "Those that have bytes, through whichever door they came. `next` is the URL of the next page.",
        ("folder", "mediaType", *MADE),
        refusals=(*PAGE, *ONE),
        sample='"$URL/v1/assets?mediaType=image/*"',
    ),
    Told(
        "GET",
        "/v1/assets/{id}",
        "getAsset",
        ASSETS,
        "An asset",
        (
            Good(200, "What was measured.", shown.Asset, ("ETag", *LIMITS)),
            Good(304, "As the ETag says.", headers=("ETag",)),
        ),
        Scope.ASSETS_READ,
        parameters=("id", "If-None-Match", "If-Match"),
        refusals=(*ONE, Code.PRECONDITION),
    ),
    Told(
        "PATCH",
        "/v1/assets/{id}",
        "reviseAsset",
        ASSETS,
        "Keep an asset for ever, or give it another name",
        (Good(200, "As it is now.", shown.Asset, ("ETag", *LIMITS)),),
        Scope.ASSETS_WRITE,
        "The same usage again changes nothing, another one is 409.",
        ("id", "If-Match"),
        {JSON: schemas.Revised},
        examples={JSON: {"usage": "page 7"}},
        refusals=(*ONE, *READ_JSON, Code.IN_USE, Code.VERSION_CONFLICT, Code.PRECONDITION, Code.BAD_FILENAME),
    ),
    Told(
        "DELETE",
        "/v1/assets/{id}",
        "deleteAsset",
        ASSETS,
        "Delete an asset",
        (Good(204, "Its bytes go when nobody else holds them.", headers=LIMITS),),
        Scope.ASSETS_DELETE,
        parameters=("id", "If-Match"),
        refusals=(*ONE, Code.IN_USE, Code.VERSION_CONFLICT, Code.PRECONDITION),
    ),
    Told(
        "POST",
        "/v1/assets/{id}/links",
        "createLink",
        ASSETS,
        "A URL to pass on",
        (Good(201, "It gives the bytes to whoever has it.", shown.Link, ("Cache-Control", "Idempotent-Replayed", *LIMITS)),),
        Scope.ASSETS_READ,
        parameters=("id", "Idempotency-Key"),
        body={JSON: schemas.NewLink},
        needs_body=False,
        examples={JSON: {"expiresIn": 3600, "disposition": "inline"}},
        refusals=(*ONE, *READ_JSON, *ONCE, Code.BAD_FILENAME),
    ),
    Told(
        "GET",
        "/v1/assets/{id}/content",
        "getContent",
        ASSETS,
        "The bytes of an asset",
        (
            Good(200, "All of them.", BYTES, ("ETag", "Accept-Ranges", "Repr-Digest", "Content-Disposition", *LIMITS), "*/*"),
            Good(206, "One range of them.", BYTES, ("ETag", "Content-Range", "Repr-Digest", *LIMITS), "*/*"),
            Good(304, "As the ETag says.", headers=("ETag",)),
        ),
        Scope.ASSETS_READ,
        parameters=("id", "Range", "If-Range", "If-None-Match", "If-Match"),
        refusals=(*ONE, Code.RANGE, Code.PRECONDITION),
        sample='-OJ "$URL/v1/assets/$ID/content"',
    ),
)

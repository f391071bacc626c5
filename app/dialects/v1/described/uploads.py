"""Bytes in, told."""

from __future__ import annotations

from typing import Any

from app.core.errors import Code
from app.core.policy import Scope
from app.dialects.v1 import schemas, shown
from app.dialects.v1.told import (
    BINARY,
    BYTES,
    JSON,
    LIMITS,
    MULTIPART,
    ONCE,
    ONE,
    PARTS,
    PROMISED,
    READ_BYTES,
    READ_JSON,
    ROOM,
    UPLOADS,
    WRITE,
    Good,
    Told,
)

FILE: dict[str, Any] = {"type": "object", "properties": {"file": BYTES}, "required": ["file"]}
TYPES = (Code.UNSUPPORTED_TYPE, Code.BAD_FILENAME)

TABLE: tuple[Told, ...] = (
    Told(
        "POST",
        "/v1/uploads",
        "createUpload",
        UPLOADS,
        "Send a file, or announce one",
        (Good(202, "Promised. With `upload`: where to send the bytes.", shown.Promise, PROMISED),),
        Scope.UPLOADS_WRITE,
        "The file as the body, or in a form's field `file`; or JSON that announces it, with or without parts. "
        "A raw body's name comes from `filename` or from Content-Disposition, its type from Content-Type.",
        ("filename", "Content-Disposition", "Content-Digest", "Repr-Digest", "Idempotency-Key"),
        {JSON: schemas.NewUpload, MULTIPART: FILE, BINARY: BYTES},
        examples={JSON: {"filename": "photo.jpg", "size": 12_000_000, "mediaType": "image/jpeg", "parts": True}},
        refusals=(*READ_JSON, *READ_BYTES, *TYPES, *ONCE, *WRITE),
        sample='--data-binary @photo.jpg "$URL/v1/uploads?filename=photo.jpg"',
    ),
    Told(
        "GET",
        "/v1/uploads/{id}",
        "getUpload",
        UPLOADS,
        "How far an upload came",
        (Good(200, "The offset of a stream, the parts held.", shown.Upload, ("Cache-Control", *LIMITS)),),
        Scope.UPLOADS_READ,
        parameters=("id",),
        refusals=(*ONE, Code.UPLOAD_EXPIRED, Code.UPLOAD_CANCELLED),
    ),
    Told(
        "DELETE",
        "/v1/uploads/{id}",
        "deleteUpload",
        UPLOADS,
        "Give an upload up",
        (Good(204, "Its operation is cancelled.", headers=LIMITS),),
        Scope.UPLOADS_WRITE,
        parameters=("id",),
        refusals=(*ONE, *WRITE, Code.FINAL),
    ),
    Told(
        "POST",
        "/v1/uploads/{id}/parts",
        "signParts",
        UPLOADS,
        "Fresh URLs for parts",
        (Good(200, "For the parts named, or for all that are missing.", shown.Slots, LIMITS),),
        Scope.UPLOADS_WRITE,
        parameters=("id",),
        body={JSON: schemas.Numbers},
        needs_body=False,
        examples={JSON: {"numbers": [3, 7]}},
        refusals=(*ONE, *READ_JSON, *PARTS),
    ),
    Told(
        "POST",
        "/v1/uploads/{id}/complete",
        "completeUpload",
        UPLOADS,
        "Every part is there",
        (Good(202, "Promised; the same again while the work runs, and after.", shown.Promise, PROMISED),),
        Scope.UPLOADS_WRITE,
        "Whoever names the parts that he sent has them compared with what is held. 409 lists what is `missing`.",
        ("id", "Idempotency-Key"),
        {JSON: schemas.Complete},
        needs_body=False,
        examples={JSON: {"parts": [{"number": 1, "etag": '"6d-1"'}]}},
        refusals=(
            *ONE,
            *READ_JSON,
            *PARTS,
            Code.PARTS_MISSING,
            Code.OFFSET_MISMATCH,
            Code.PART_SIZE,
            Code.DIGEST_MISMATCH,
            Code.EMPTY,
            Code.FINAL,
            *ROOM,
            *ONCE,
        ),
    ),
)

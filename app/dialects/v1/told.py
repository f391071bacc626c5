"""How an operation of the API is told: the words of the table in `described`, without a word of OpenAPI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from app.core.errors import Code
from app.core.policy import Scope

JSON, BINARY, FORM, MULTIPART = (
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
)
UPLOADS, OPERATIONS, ASSETS, TRANSFERS, USAGE, ACCESS, HEALTH = "uploads", "operations", "assets", "transfers", "usage", "access", "health"
GROUPS = {
    UPLOADS: "Bytes in: as one body, as a form, or announced and then sent to signed URLs.",
    OPERATIONS: "The promise: polled, waited for, or cancelled.",
    ASSETS: "What came of an upload: kept, read, deleted.",
    TRANSFERS: "Signed URLs. The URL is the credential: it is made for one method and one object, and ends.",
    USAGE: "What the tenant takes up.",
    ACCESS: "Tokens for clients (RFC 6749, section 4.4), their revocation (RFC 7009), and where both are.",
    HEALTH: "Whether the house is up, and this document.",
}
Shape = type[Schema] | dict[str, Any]
BYTES: dict[str, Any] = {"contentMediaType": BINARY}  # OpenAPI 3.1: what is no text has no type
EVERYBODY = (Code.BAD_REQUEST, Code.UNAVAILABLE, Code.INTERNAL)  # a malformed Host; what is down; what nobody foresaw
KNOWN = (Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.RATE_LIMITED)
ONE = (Code.NOT_FOUND, Code.GONE)
PARTS = (Code.PART_UNKNOWN, Code.UPLOAD_EXPIRED, Code.UPLOAD_CANCELLED, Code.FINISHED, Code.LOCKED)
READ_JSON = (Code.BAD_REQUEST, Code.INVALID, Code.TOO_LARGE, Code.TIMEOUT)
ONCE = (Code.IDEMPOTENCY_REUSED, Code.IDEMPOTENCY_RUNNING)
ROOM = (Code.QUOTA_EXCEEDED, Code.OVERLOADED)
READ_BYTES = (Code.EMPTY, Code.TOO_LARGE, Code.TIMEOUT, Code.DIGEST_MISMATCH, Code.LENGTH_REQUIRED, *ROOM)
WRITE = (Code.UPLOAD_EXPIRED, Code.UPLOAD_CANCELLED, Code.FINISHED, Code.LOCKED)
PROMISED = ("Location", "Operation-Location", "Retry-After", "Idempotent-Replayed", "RateLimit", "RateLimit-Policy")
LIMITS = ("RateLimit", "RateLimit-Policy")


@dataclass(frozen=True, slots=True)
class Good:
    """An answer that is no refusal: status, what it says, its body by media type, and the names of its headers."""

    status: int
    says: str
    shape: Shape | None = None
    headers: tuple[str, ...] = ()
    media_type: str = JSON
    example: Any = None


@dataclass(frozen=True, slots=True)
class Told:
    """One method of one path.

    `parameters`: names in `openapi.PARAMETERS`. `body`: what may be sent, by media type. `refusals`: codes beside those of everybody, and of
    everybody who needs a scope. `bare`: statuses whose refusal is no problem document but RFC 6749's.
    """

    method: str
    path: str
    id: str
    group: str
    summary: str
    answers: tuple[Good, ...]
    scope: Scope | None = None
    text: str = ""
    parameters: tuple[str, ...] = ()
    body: dict[str, Shape] = field(default_factory=dict)
    needs_body: bool = True
    examples: dict[str, Any] = field(default_factory=dict)
    refusals: tuple[Code, ...] = ()
    bare: tuple[int, ...] = ()
    sample: str = ""

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every code that it may be refused with, in the order of the catalogue."""
        mine = {*EVERYBODY, *self.refusals, *(KNOWN if self.scope else ())}
        return tuple(code for code in Code if code in mine)

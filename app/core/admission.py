"""What may come in, by the policy of its upload: pure checks, each refuses with a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core import parts
from app.core.errors import Code, UploadError
from app.core.parts import Parts
from app.core.policy import Policy
from app.core.target import Target
from app.core.upload import Upload


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client says of the file it is about to send: sizes in bytes, `digest` as `sha256:{hex}`, `planned` when it comes in parts.

    `id`: of the upload, in the form of a vendor's. `target`: what becomes of it; `kept`: it stays an upload, to be attached later, until
    `expires_at` where one is given. `source`: the URL from which a worker fetches it.
    """

    filename: str | None = None
    declared_type: str | None = None
    length: int | None = None
    digest: str | None = None
    planned: bool = False
    part_size: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    target: Target = field(default_factory=Target)
    kept: bool = False
    source: str | None = None
    expires_at: float | None = None


def admit(policy: Policy, opening: Opening) -> None:
    """Refuse what the policy refuses whatever the bytes are. Raises UploadError: EMPTY, TOO_LARGE, UNSUPPORTED_TYPE."""
    if opening.length == 0 and not (policy.empty and opening.planned):
        raise UploadError(Code.EMPTY)
    if opening.length is not None and opening.length > policy.max_bytes:
        raise UploadError(Code.TOO_LARGE, limit=policy.max_bytes, size=opening.length)
    if opening.declared_type is not None and not policy.accepts(opening.declared_type):
        raise UploadError(Code.UNSUPPORTED_TYPE, media_type=opening.declared_type, accepted=", ".join(policy.media_types))


def require_fit(up: Upload, place: parts.Slot, size: int | None) -> None:
    """A part is as long as its slot; where the length of the whole is not known, at most. Raises UploadError: PART_SIZE, TOO_LARGE."""
    exact = up.length is not None
    if size is not None and (size > place.size or (exact and size != place.size) or (size == 0 and place.size > 0)):
        raise UploadError(Code.PART_SIZE, number=place.number, expected=place.size, size=size)
    if size is not None and place.offset + size > up.policy.max_bytes:
        raise UploadError(Code.TOO_LARGE, limit=up.policy.max_bytes, size=place.offset + size)


def streamed(up: Upload, reach: int) -> int:
    """The length of a stream that ends at `reach`. Raises UploadError: EMPTY, OFFSET_MISMATCH, TOO_LARGE."""
    if reach == 0:
        raise UploadError(Code.EMPTY)
    if up.length not in {None, reach}:
        raise UploadError(Code.OFFSET_MISMATCH, offset=reach)
    if reach > up.policy.max_bytes:
        raise UploadError(Code.TOO_LARGE, limit=up.policy.max_bytes, size=reach)
    return reach


def planned(up: Upload, table: Parts) -> int:
    """The length of a plan with these parts. Raises UploadError: PARTS_MISSING, TOO_LARGE."""
    length = up.length if up.length is not None else parts.length_of(table.held, up.part_size)
    if gaps := parts.missing(table.held, up.part_size, length):
        raise UploadError(Code.PARTS_MISSING, missing=gaps)
    if length > up.policy.max_bytes:
        raise UploadError(Code.TOO_LARGE, limit=up.policy.max_bytes, size=length)
    return length

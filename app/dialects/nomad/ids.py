"""The ids that have to have a form: all are UUIDs, as the vendor's are.

A part is confirmed at `part/{partId}/complete`, which does not name the upload; so a part's id does: an upload's id ends with sixteen zero
bits, and a part has its upload's id with its number (from 1, at most 10,000) in their place.
"""

from __future__ import annotations

import uuid

from app.core import keys
from app.core.errors import Code, UploadError
from app.core.policy import Principal

NUMBER = 0xFFFF
OURS = uuid.UUID("4d0e9c54-6c0b-5f0a-9a51-7f3c2b1d8e60")  # the namespace of what we name: made up once


def new_upload() -> str:
    """The id of an upload: a UUIDv7 whose last sixteen bits are zero."""
    return str(uuid.UUID(int=uuid.UUID(keys.new_id()).int & ~NUMBER))


def part(upload_id: str, number: int) -> str:
    """The id of a part."""
    return str(uuid.UUID(int=uuid.UUID(upload_id).int | number))


def upload_of(part_id: str) -> tuple[str, int]:
    """The upload and the number that a part's id names. Raises UploadError(NOT_FOUND) for what is no part's id."""
    try:
        value = uuid.UUID(part_id).int
    except ValueError:
        raise UploadError(Code.NOT_FOUND, what="part") from None
    if not value & NUMBER:
        raise UploadError(Code.NOT_FOUND, what="part")
    return str(uuid.UUID(int=value & ~NUMBER)), value & NUMBER


def user(who: Principal) -> str:
    """The id of a user, whom we know by name."""
    return _named("user", who.tenant, who.owner)


def session(known_as: str) -> str:
    """The id of a session, which is kept under something that concerns nobody."""
    return _named("session", known_as)


def bucket(tenant: str) -> str:
    """The id of what all folders of a tenant lie in."""
    return _named("bucket", tenant)


def _named(*names: str) -> str:
    return str(uuid.uuid5(OURS, "/".join(names)))

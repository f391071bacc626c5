"""The names under which things of this door are found: one for the file of an upload, two for an asset image.

::

    backoffice:file:uploads/{uuid4}.{extension}     the bytes that were uploaded
    backoffice:key:uploads/{uuid4}.{extension}      the asset image made of them; one image a key
    backoffice:hash:{file_hash}                     the asset image that had this hash first
"""

from __future__ import annotations

NAME, MOUNT = "backoffice", "/backoffice"


def of_file(key: str) -> str:
    """What was uploaded under this key."""
    return f"{NAME}:file:{key}"


def of_key(key: str) -> str:
    """The asset image of this key."""
    return f"{NAME}:key:{key}"


def of_hash(file_hash: str) -> str:
    """The asset image of this hash, whatever the client hashes with."""
    return f"{NAME}:hash:{file_hash}"

"""Containment: whatever a decoder does with a hostile file, what leaves this room is a refusal of the file, or a fault of the disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import Code, StoreDown, UploadError

_DISK = frozenset({errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT, errno.ENOSPC, errno.EDQUOT})
_SAYINGS = (("truncated", Code.TRUNCATED), ("MAX_TEXT", Code.TOO_COMPLEX))  # what Pillow says, where its exception's type does not tell


@contextmanager
def refusing(interrupts: tuple[type[BaseException], ...]) -> Iterator[None]:
    """Whatever a decoder raises becomes a refusal of the file. Raises StoreDown when it was the disk; `interrupts` pass untouched."""
    passing: tuple[type[BaseException], ...] = (UploadError, *interrupts)
    try:
        yield
    except passing:
        raise
    except Exception as error:  # the contract of the ports: a hostile file may provoke any exception
        raise _refusal(error) from error


def _refusal(error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno in _DISK:
        return StoreDown(str(error))
    if isinstance(error, MemoryError):
        return UploadError(Code.TOO_COMPLEX)
    said = str(error)
    return UploadError(next((code for saying, code in _SAYINGS if saying in said), Code.UNDECODABLE))

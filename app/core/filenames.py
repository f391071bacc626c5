"""What a client calls its file, made safe to keep and to send back."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import Code, UploadError

LONGEST = 255
_DRIVE = re.compile(r"^[A-Za-z]:(?=/)")  # what very old browsers and some scripts send: a whole path
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/tiff": ".tif",
}


def clean(filename: str | None) -> str | None:
    """The last path part, without control characters and direction marks; None when none was given.

    Raises UploadError(BAD_FILENAME) for a NUL, more than 255 characters, or when nothing is left.
    """
    if filename is None:
        return None
    if "\0" in filename:
        raise _bad("it holds a NUL")
    if len(filename) > LONGEST:
        raise _bad(f"it has more than {LONGEST} characters")
    last = _DRIVE.sub("", filename.replace("\\", "/")).rstrip("/").rpartition("/")[2]
    kept = "".join(c for c in last if c not in _BIDI and unicodedata.category(c) not in {"Cc", "Cs"}).strip()
    if kept in {"", ".", ".."}:
        raise _bad("nothing is left of it without path parts and control characters")
    return kept


def _bad(reason: str) -> UploadError:
    return UploadError(Code.BAD_FILENAME, reason=reason, errors=[f"filename: {reason}"])


def default(media_type: str) -> str:
    """The name of a file whose client gave none: `image` and the measured type's extension, or `file`."""
    ending = _ENDINGS.get(media_type)
    return f"image{ending}" if ending else "file"

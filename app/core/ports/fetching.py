"""Files that lie behind a URL which a client named."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from app.core.ports.stores import Body


class Fetcher(Protocol):
    """Asks the public network for one file at a time. Nothing of ours can be reached through it. Used by many threads at once."""

    def fetch(self, url: str, limit: int) -> AbstractContextManager[Body]:
        """The file behind `url`, at most `limit` bytes of it; the connection ends with the block.

        Opening it, and reading its body, raise UploadError: FETCH_REFUSED (scheme, user info, port, an address that is not public, too many
        redirects), FETCH_FAILED (no answer, its status, too slow, cut), each with a `reason` that tells nothing of our own network;
        TOO_LARGE as soon as it is known, even when the caller reads no further than `limit`. It never raises ClientGone.
        """

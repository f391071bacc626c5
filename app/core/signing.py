"""Our own expiring URLs: an HMAC over the method, the path and the deadline, bound to nothing else.

`{path}?expires={unix seconds}&signature={hex}`; whoever has the URL may make that one kind of request until then.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass

from app.core.errors import Code, UploadError


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and verifies with one secret, which every web process shares."""

    secret: bytes

    def sign(self, method: str, path: str, expires: float) -> str:
        """The path with its deadline (seconds since the epoch, rounded up) and signature."""
        deadline, signature = self.seal(method, path, expires)
        return f"{path}?expires={deadline}&signature={signature}"

    def seal(self, method: str, path: str, expires: float) -> tuple[str, str]:
        """The deadline and the signature alone, for a URL that has its own names for them."""
        deadline = str(math.ceil(expires))
        return deadline, self._mac(method, path, deadline)

    def verify(self, method: str, path: str, expires: str, signature: str, now: float) -> None:
        """Raise UploadError(FORBIDDEN) unless the signature is ours, for this method and path, and not past its deadline."""
        good = hmac.compare_digest(self._mac(method, path, expires).encode(), signature.encode("utf-8", "replace"))
        if not good or not expires.isdecimal() or now > int(expires):
            raise UploadError(Code.LINK_INVALID)

    def _mac(self, method: str, path: str, expires: str) -> str:
        return hmac.new(self.secret, f"{method}\n{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

"""What a client is told of a fetch that did not happen. No address, no name of our network: a refusal must not be a map of it."""

from __future__ import annotations

from app.core.errors import Code, UploadError

MALFORMED = "it is no well-formed URL"
SCHEME = "only http and https are fetched"
USER_INFO = "a user or a password stands in it"
PORT = "its port is not one for HTTP"
NOT_PUBLIC = "its address is not public"
REDIRECTS = "it redirects too often"
DOWNGRADE = "it redirects from https to http"

UNKNOWN = "its name is not known"
UNREACHABLE = "there is no connection to it"
UNTRUSTED = "there is no trusted TLS connection to it"
SLOW = "it is too slow"
NO_HTTP = "the answer is not HTTP"
BROKEN = "it broke off"
ENCODED = "the answer is encoded, though that was not asked for"


def refused(reason: str) -> UploadError:
    """The URL, or where it leads, is not to be fetched."""
    return UploadError(Code.FETCH_REFUSED, reason=reason)


def failed(reason: str) -> UploadError:
    """It might be fetched, but did not come."""
    return UploadError(Code.FETCH_FAILED, reason=reason)

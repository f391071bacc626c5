"""The path families of the API, the header that names its versions, and the announced end of one of them.

::

    /wdesk                       2026-01-01
    /wdesk/prototype/platform    2022-01-01, what was a prototype there: images, files; its end is announced
    /wdesk/platform/v1           2022-01-01, what was generally available there: files

Every answer points into the family that was called; X-Version is checked and otherwise without effect.
"""

from __future__ import annotations

from flask import Response, request

from app.core.errors import Code, UploadError
from app.web.replies import absolute

MOUNT = "/wdesk"
CURRENT = ""  # 2026-01-01
DEPRECATED = "/prototype/platform"  # 2022-01-01
GENERAL = "/platform/v1"  # 2022-01-01
WITH_IMAGES = (CURRENT, DEPRECATED)
FAMILIES = (CURRENT, DEPRECATED, GENERAL)
VERSIONS = frozenset({"2022-01-01", "2026-01-01"})

DEPRECATION = "@1770854400"  # RFC 9745: 2026-02-12T00:00:00Z, as the page says
SUNSET = "Sun, 31 Jan 2027 00:00:00 GMT"  # RFC 8594, as the page says
DOCUMENTATION = "https://developers.workiva.com/"  # whether the vendor sends these headers at all is not known


def called() -> str:
    """The family of the request."""
    return next((family for family in (DEPRECATED, GENERAL) if request.path.startswith(f"{MOUNT}{family}/")), CURRENT)


def path(below: str, family: str) -> str:
    """A path of ours in a family."""
    return f"{MOUNT}{family}{below}"


def url(below: str) -> str:
    """The absolute URL of a path, in the family that was called."""
    return absolute(path(below, called()))


def check_version() -> None:
    """Raise UploadError(BAD_REQUEST) for a version that was never published."""
    version = request.headers.get("X-Version")
    if version is not None and version.strip() not in VERSIONS:
        raise UploadError(Code.BAD_REQUEST, reason=f"X-Version must be one of {', '.join(sorted(VERSIONS))}")


def announce_sunset(response: Response) -> Response:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and where to go instead, on the deprecated family."""
    if called() == DEPRECATED:
        successor = absolute(MOUNT + request.path.removeprefix(MOUNT + DEPRECATED))
        response.headers["Deprecation"] = DEPRECATION
        response.headers["Sunset"] = SUNSET
        response.headers["Link"] = (
            f'<{DOCUMENTATION}>; rel="deprecation"; type="text/html", '
            f'<{DOCUMENTATION}>; rel="sunset"; type="text/html", '
            f'<{successor}>; rel="successor-version"'
        )
    return response

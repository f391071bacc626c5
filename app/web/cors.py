"""Browsers of other origins, at every door (the Fetch standard, section 3.2).

A preflight is answered before anything is looked up: a browser whose preflight is refused learns no status at all, and 404, 405 or 401 are
for the request behind it to say. No answer ever allows cookies: whoever speaks shows a key or a token.
"""

from __future__ import annotations

import re

from flask import Flask, Response, request
from flask_cors import CORS

ANY = "*"
AGE = 3600  # seconds for which a browser remembers a preflight

EXPOSED = (
    # where it went, when to look again, what it is
    *(
        "Location",
        "Operation-Location",
        "Retry-After",
        "Preference-Applied",
        "Idempotent-Replayed",
        "ETag",
        "Link",
        "Allow",
        "WWW-Authenticate",
    ),
    *("Content-Disposition", "Content-Range", "Accept-Ranges", "Content-Digest", "Repr-Digest", "Deprecation", "Sunset"),
    *("RateLimit", "RateLimit-Policy"),
    # resumable uploads: tus 1.0.0, and the draft of the IETF
    *("Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Defer-Length", "Upload-Concat", "Upload-Expires"),
    *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
    *("Upload-Complete", "Upload-Limit", "Upload-Draft-Interop-Version"),
    # what vendors' clients read
    *("X-Contentful-Request-Id", "X-Contentful-RateLimit-Reset", "Contentful-Api"),
    *(f"X-Contentful-RateLimit-{window}-{what}" for window in ("Second", "Hour") for what in ("Limit", "Remaining")),
    "X-AppId",
)


def open_to(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages of these origins speak to every door; `*` is every page. Call it after everything else that adds to an answer."""
    if not origins:
        return
    app.before_request(_preflight)
    if ANY not in origins:
        app.after_request(_vary)
    CORS(
        app,
        origins=ANY if ANY in origins else [re.compile(re.escape(origin) + r"\Z", re.IGNORECASE) for origin in origins],
        send_wildcard=True,  # and it is sent to everybody: a cache may give to a page what it got for somebody else
        vary_header=False,  # done here: also for who is not let in, and for one origin, or a cache would mix them up
        expose_headers=EXPOSED,
        max_age=AGE,
    )


def _preflight() -> Response | None:
    """204 to what only a browser asks by itself; other OPTIONS are the doors' own."""
    asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers and "Origin" in request.headers
    return Response(status=204) if asked else None


def _vary(response: Response) -> Response:
    response.vary.add("Origin")
    return response

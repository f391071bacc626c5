"""Answers that are no refusals, and the headers of all: the vendor's media type, ETag, request id, rate limits (recorded).

Its two hosts are one here; only the management API tells its limits.
"""

from __future__ import annotations

from flask import Response, request

from app.dialects.contentful.envelope import MEDIA_TYPE, request_id
from app.web import conditions, limits
from app.web.replies import answer


def shown(body: object, status: int = 200) -> Response:
    """The vendor's JSON with a strong ETag; 304 to a GET of somebody who has it already."""
    response = answer(body, status)
    response.content_type = MEDIA_TYPE
    conditions.tag(response)
    return conditions.unless_same(request, response) if request.method in {"GET", "HEAD"} else response


def nothing() -> Response:
    """204; the vendor's has its media type all the same."""
    return Response(status=204, content_type=MEDIA_TYPE)


def of_uploads(response: Response) -> Response:
    """The headers of every answer of the upload API."""
    return _named(response, "upload_api")


def of_cma(response: Response) -> Response:
    """The headers of every answer of the management API: also how the two windows stand, and when there is room again (0 while there is)."""
    allowance = limits.allowance()
    for spent in allowance.windows if allowance else ():
        name = spent.window.name.title()
        response.headers[f"X-Contentful-RateLimit-{name}-Limit"] = str(spent.window.limit)
        response.headers[f"X-Contentful-RateLimit-{name}-Remaining"] = str(spent.remaining)
        response.headers.setdefault("X-Contentful-RateLimit-Reset", str(allowance.retry_after if allowance else 0))
    return _named(response, "cma")


def _named(response: Response, host: str) -> Response:
    response.headers.setdefault("X-Contentful-Request-Id", request_id())
    response.headers["Contentful-Api"] = host
    return response

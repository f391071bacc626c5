"""Who speaks: the API key `x-api-key`, in a header or in the query."""

from __future__ import annotations

from flask import Request, request

from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.web.dialect import doors

NAME = "x-api-key"


def authenticate(request: Request) -> Principal:
    """The key's principal. Where both places have a key, the header's counts; an empty header is none.

    Raises UploadError(UNAUTHENTICATED): no key, an unknown or a revoked one, or two in the query, of which nobody knows which is meant.
    """
    given = [key] if (key := request.headers.get(NAME)) else request.args.getlist(NAME)
    if len(given) != 1:
        raise UploadError(Code.UNAUTHENTICATED)
    return doors().access.by_key(given[0])


def speaker(scope: Scope) -> Principal:
    """The principal of the request. Raises UploadError: UNAUTHENTICATED, or FORBIDDEN without `scope`."""
    who = authenticate(request)
    doors().access.require(who, scope)
    return who

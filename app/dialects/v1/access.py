"""Who speaks to `/v1`, and may it."""

from __future__ import annotations

from flask import request

from app.core.policy import Principal, Scope
from app.web.dialect import doors


def speaker(scope: Scope) -> Principal:
    """The principal of the request. Raises UploadError: UNAUTHENTICATED, or FORBIDDEN without `scope`."""
    guard = doors().access
    who = guard.bearer(request.headers.get("Authorization"))
    guard.require(who, scope)
    return who

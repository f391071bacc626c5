"""The token endpoint of the vendor's identity server: client credentials (RFC 6749, section 4.4), and who speaks with what it gave.

A client is `{app}:{name}`, and its app is our tenant. The one scope that is asked for, `squidex-api`, means whatever the client's role may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from app.core.errors import Code, UploadError
from app.core.policy import EDITOR, VIEWER, Principal, Scope
from app.dialects.squidex.routes import Routes
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import form_or_object

TOKENS = Routes("tokens", __name__)

LIFETIME = 2_592_000  # seconds, as the vendor has it; its JavaScript client takes them for milliseconds and comes back after 43 minutes
ASKED = "squidex-api"
GRANTS: Mapping[str, frozenset[Scope]] = {"read": VIEWER, "write": EDITOR}  # what may stand behind the one scope, by role


@TOKENS.post("/identity-server/connect/token")
def token() -> Response:
    """A bearer token for a client's id and secret."""
    asked = _asked()
    if asked.get("scope", ASKED) == ASKED:
        asked = {name: value for name, value in asked.items() if name != "scope"}
    header = {"Authorization": request.headers.get("Authorization", "")}
    status, body, headers = doors().tokens.issue("POST", asked, header, lifetime=LIFETIME, scopes=GRANTS, default_scope=" ".join(GRANTS))
    if "access_token" in body:
        body = body | {"scope": ASKED}
    response = answer(body, status)
    response.headers.update({name: value for name, value in headers.items() if name.lower() != "content-type"})
    return response


def _asked() -> dict[str, Any]:
    """The parameters, unchecked: the token server checks them. A body that cannot be read has none."""
    try:
        return form_or_object(request)
    except UploadError as refusal:
        if refusal.code is not Code.BAD_REQUEST:
            raise
        return {}


def speaker(app: str, scope: Scope) -> Principal:
    """The principal of the request. Raises UploadError: UNAUTHENTICATED, NOT_FOUND for an app that is not its own, FORBIDDEN without `scope`."""
    who = doors().access.bearer(request.headers.get("Authorization"))
    if who.tenant != app:
        raise UploadError(Code.NOT_FOUND, what="app")
    g.squidex_app = app
    doors().access.require(who, scope)
    return who

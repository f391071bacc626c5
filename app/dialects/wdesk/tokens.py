"""The token endpoints of both versions: OAuth2 client credentials (RFC 6749, section 4.4), and who speaks with what they gave.

A request is a form, the same as JSON, or either with HTTP Basic. Errors are RFC 6749's own: the published clients read `IamError`.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, request

from app.core.errors import Code, UploadError
from app.core.policy import Principal, Scope
from app.web.bodies import refuse_rest
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import MAX_JSON, form_or_object

TOKENS = Blueprint("tokens", __name__)

LIFETIME = 599  # seconds, as recorded of the vendor's server
READ, WRITE = "file:read", "file:write"
SCOPES: Mapping[str, frozenset[Scope]] = {
    READ: frozenset({Scope.UPLOADS_READ, Scope.ASSETS_READ, Scope.OPERATIONS_READ}),
    WRITE: frozenset({Scope.UPLOADS_WRITE, Scope.ASSETS_WRITE}),
}


@TOKENS.post("/iam/v1/oauth2/token")
@TOKENS.post("/oauth2/token")
def token() -> Response:
    """A bearer token for a client's id and secret. What is wrong with the request is said in RFC 6749's form, whatever it is."""
    try:
        asked = form_or_object(request)
    except UploadError as refusal:
        return refuse_rest(request, _invalid(refusal))
    header = {"Authorization": request.headers.get("Authorization", "")}
    status, body, headers = doors().tokens.issue("POST", asked, header, lifetime=LIFETIME, scopes=SCOPES, default_scope=f"{READ} {WRITE}")
    response = answer(body, status)
    response.headers.update({name: value for name, value in headers.items() if name.lower() != "content-type"})
    return response


def _invalid(refusal: UploadError) -> Response:
    said = f"The body has more than {MAX_JSON} bytes" if refusal.code is Code.TOO_LARGE else refusal.problem.message
    response = answer({"error": "invalid_request", "error_description": said}, 400)
    response.headers["Cache-Control"] = "no-store"
    return response


def speaker(scope: Scope | None = None) -> Principal:
    """The principal of the request. Raises UploadError: UNAUTHENTICATED, or FORBIDDEN without `scope`."""
    who = doors().access.bearer(request.headers.get("Authorization"))
    if scope is not None:
        doors().access.require(who, scope)
    return who

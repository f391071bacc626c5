"""The house's own OAuth2 endpoints: tokens for clients (RFC 6749, section 4.4), their revocation (RFC 7009), and what there is (RFC 8414).

A request is a form, and the client proves itself in it or by HTTP Basic. The scopes are the native ones, all that the client's role has
unless fewer are asked for. Whatever is wrong with a request's parameters is said as RFC 6749, section 5.2, has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from app.core.errors import Code, UploadError
from app.core.policy import Scope
from app.web.bodies import refuse_rest
from app.web.dialect import doors
from app.web.replies import absolute, answer
from app.web.schemas import form_or_object

OAUTH = Blueprint("oauth", __name__)

TOKEN, REVOKE, METADATA = "/oauth2/token", "/oauth2/revoke", "/.well-known/oauth-authorization-server"
LIFETIME = 3600  # seconds
SCOPES: Mapping[str, frozenset[Scope]] = {scope.value: frozenset({scope}) for scope in Scope}
FORM = "application/x-www-form-urlencoded"


@OAUTH.post(TOKEN)
def token() -> Response:
    """A bearer token for a client's id and secret."""
    form = _form()
    if form is None:
        return _no_form()
    return _said(*doors().tokens.issue("POST", form, _shown(), lifetime=LIFETIME, scopes=SCOPES, default_scope=" ".join(SCOPES)))


@OAUTH.post(REVOKE)
def revoke() -> Response:
    """One of the client's tokens ends. 200 also when there is no such token; another client's is refused."""
    form = _form()
    return _no_form() if form is None else _said(*doors().tokens.revoke(form, _shown()))


@OAUTH.get(METADATA)
def metadata() -> Response:
    """Where these endpoints are, and what they take."""
    proofs = ["client_secret_basic", "client_secret_post"]
    return answer(
        {
            "issuer": absolute(""),
            "token_endpoint": absolute(TOKEN),
            "token_endpoint_auth_methods_supported": proofs,
            "revocation_endpoint": absolute(REVOKE),
            "revocation_endpoint_auth_methods_supported": proofs,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "scopes_supported": list(SCOPES),
        }
    )


def _form() -> dict[str, Any] | None:
    """The parameters of the form, unchecked: one that is sent twice is a list. None for a body that is no form."""
    if request.mimetype != FORM:
        return None
    try:
        return form_or_object(request)
    except UploadError as refusal:
        if refusal.code is not Code.BAD_REQUEST:
            raise
        return None


def _shown() -> dict[str, str]:
    return {"Authorization": request.headers.get("Authorization", "")}


def _no_form() -> Response:
    said = {"error": "invalid_request", "error_description": f"The body must be a form, sent as {FORM}"}
    return refuse_rest(request, _said(400, said, {}))


def _said(status: int, body: dict[str, Any], headers: Mapping[str, str]) -> Response:
    response = answer(body, status)
    response.headers.update({name: value for name, value in headers.items() if name.lower() != "content-type"})
    response.headers["Cache-Control"] = "no-store"
    return response

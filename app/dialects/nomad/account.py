"""Logins: a token for a user's name and password, the next one for a refresh token; and who speaks with it, or with an API key.

Which status means what is the client's: it asks for the next token on 403 and takes 401 for the end, a login that fails is 404.
"""

from __future__ import annotations

from flask import Blueprint, Request, Response, request

from app.core.credentials import Session
from app.core.errors import Code, UploadError
from app.core.policy import DAY, HOUR, Principal, Scope
from app.dialects.nomad import ids
from app.dialects.nomad.schemas import Login, Refresh
from app.web.dialect import doors
from app.web.replies import answer
from app.web.schemas import json_object, load

ACCOUNT = Blueprint("account", __name__, url_prefix="/api/account")

TOKEN_LIFE = HOUR  # seconds; the vendor publishes none
SESSION_LIFE = 30 * DAY  # likewise
API_KEY = "apikey "


@ACCOUNT.post("/login")
def login() -> Response:
    """A session. 404 for a name and password that nobody has, 403 for those of a disabled account."""
    asked = load(Login(), json_object(request, required=True))
    try:
        who = doors().access.by_password(asked["username"], asked["password"])
    except UploadError as refusal:
        raise _unknown(refusal, "user with this password") from refusal
    return answer(_shown(doors().sessions.begin(who, TOKEN_LIFE, SESSION_LIFE)))


@ACCOUNT.post("/refresh-token")
def refresh() -> Response:
    """Another token of the session. The refresh token stays the same: the client goes on with the one that it has."""
    asked = load(Refresh(), json_object(request, required=True))
    try:
        return answer(_shown(doors().sessions.renew(asked["token"], TOKEN_LIFE)))
    except UploadError as refusal:
        raise _unknown(refusal, "session") from refusal


@ACCOUNT.post("/logout")
def logout() -> Response:
    """The session of the token ends; an API key has none."""
    speaker()
    doors().sessions.end((request.headers.get("Authorization") or "").partition(" ")[2].strip())
    return Response(status=200)


def _unknown(refusal: UploadError, what: str) -> UploadError:
    if refusal.code is not Code.UNAUTHENTICATED or "revoked_at" in refusal.problem.facts:
        return refusal
    return UploadError(Code.NOT_FOUND, what=what)


def _shown(session: Session) -> dict[str, object]:
    """The vendor's AccountLoginResponse. `loginStatus` says why somebody was turned away, so here it is null."""
    return {
        "id": ids.user(session.who),
        "userName": session.who.owner,
        "firstName": None,
        "lastName": None,
        "loginStatus": None,
        "token": session.token,
        "refreshToken": session.refresh_token,
        "expirationSeconds": max(0, int(session.expires_at - doors().now())),
        "isAdmin": session.who.may(Scope.ADMIN),
        "isGuest": False,
        "userSessionId": ids.session(session.id),
    }


def authenticate(request: Request) -> Principal:
    """Who speaks: `Authorization: ApiKey {key}`, or `Bearer {token}`. Raises UploadError(UNAUTHENTICATED)."""
    header = request.headers.get("Authorization") or ""
    if header[: len(API_KEY)].lower() == API_KEY:
        return doors().access.by_key(header[len(API_KEY) :].strip())
    return doors().access.bearer(header)


def speaker(scope: Scope | None = None) -> Principal:
    """The principal of the request. Raises UploadError: UNAUTHENTICATED, or FORBIDDEN without `scope`."""
    who = authenticate(request)
    if scope is not None:
        doors().access.require(who, scope)
    return who

"""The revocation endpoint: what is sent -> status, error, and whether the token still speaks."""

import pytest

from app.access import Access, Sessions, TokenServer
from app.core.errors import Code, UploadError
from app.core.policy import Scope
from tests.access.test_tokens import basic

ID, SECRET = "demo:default", "s3cr-et_x"
MINE = {"client_id": ID, "client_secret": SECRET}
SCOPES = {scope.value: frozenset({scope}) for scope in Scope}


@pytest.fixture
def server(access, keyring):
    access.add_client("demo", ID, "editor", SECRET)
    access.add_client("demo", "demo:twin", "editor", SECRET)
    return TokenServer(keyring)


def token(server, client=ID, scope="assets:read"):
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": SECRET}
    return server.issue("POST", form, {}, lifetime=599, scopes=SCOPES, default_scope=scope)[1]["access_token"]


def speaks(access: Access, shown):
    try:
        return bool(access.bearer(f"Bearer {shown}"))
    except UploadError as refusal:
        return refusal.code is not Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        pytest.param(MINE, {}, id="post"),
        pytest.param({}, basic(f"{ID}:{SECRET}"), id="basic"),
        pytest.param({**MINE, "token_type_hint": "access_token"}, {}, id="hint"),
        pytest.param({**MINE, "token_type_hint": "refresh_token"}, {}, id="a hint that misleads"),
    ],
)
def test_a_client_ends_its_token_and_no_other(server, access, form, headers):
    ended, other = token(server), token(server)
    for _ in range(2):  # the same again: the token is unknown by now
        assert server.revoke({**form, "token": ended}, headers)[:2] == (200, {})
        assert (speaks(access, ended), speaks(access, other)) == (False, True)


@pytest.mark.parametrize(
    ("change", "headers", "expected"),
    [
        pytest.param({"client_secret": "wrong"}, {}, (401, "invalid_client"), id="wrong secret"),
        pytest.param({"client_id": "nobody"}, {}, (401, "invalid_client"), id="unknown client"),
        pytest.param({"client_secret": ""}, {}, (401, "invalid_client"), id="no secret"),
        pytest.param({}, basic(f"{ID}:wrong"), (401, "invalid_client"), id="a wrong header is not saved by a good body"),
        pytest.param({"client_id": "demo:twin"}, {}, (400, "invalid_grant"), id="another client's token"),
        pytest.param({"token_type_hint": "pill"}, {}, (400, "unsupported_token_type"), id="unknown hint"),
        pytest.param({"token": ""}, {}, (400, "invalid_request"), id="no token"),
        pytest.param({"token": ["a", "b"]}, {}, (400, "invalid_request"), id="two tokens"),
        pytest.param({"token": "\x00\ud800"}, {}, (400, "invalid_request"), id="binary"),
        pytest.param({"token": "x" * 100_000}, {}, (400, "invalid_request"), id="huge"),
        pytest.param({"token_type_hint": {"a": 1}}, {}, (400, "invalid_request"), id="JSON object as hint"),
    ],
)
def test_everybody_else_is_refused_and_the_token_speaks_on(server, access, change, headers, expected):
    mine = token(server)
    status, body, answer_headers = server.revoke({**MINE, "token": mine, **change}, headers)
    assert (status, body["error"]) == expected
    assert answer_headers.get("WWW-Authenticate", "").startswith("Basic ") is (status == 401)
    assert speaks(access, mine)


def test_an_unknown_token_is_no_error(server):
    assert server.revoke({**MINE, "token": "st_never_made"}, {})[0] == 200


def test_an_api_key_is_not_said_to_be_revoked(server, access):
    secret, _ = access.add_key("demo", "editor")
    assert server.revoke({**MINE, "token": secret}, {})[1]["error"] == "unsupported_token_type"
    assert speaks(access, secret)


def test_a_users_session_is_not_the_client_s_of_the_same_name(server, access, keyring):
    password = access.add_user("demo", ID, "editor")
    session = Sessions(keyring).begin(access.by_password(ID, password), 100, 1000)
    for secret in (session.token, session.refresh_token):
        server.revoke({**MINE, "token": secret}, {})
    assert speaks(access, session.token)
    assert Sessions(keyring).renew(session.refresh_token, 100)


def test_a_revoked_client_revokes_nothing(server, access):
    mine = token(server)
    access.revoke_client(ID)
    assert server.revoke({**MINE, "token": mine}, {})[0] == 401
    assert not speaks(access, mine)

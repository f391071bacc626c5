"""The native OAuth2 endpoints: form -> status, JSON, headers; and what a door says to who shows the wrong thing."""

import pytest

from app.core.policy import ROLES
from tests.dialects.house import Door, Row, basic, bearer

TOKEN, REVOKE = "/oauth2/token", "/oauth2/revoke"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NONE = "/v1/operations/none"
BARE = 'Bearer realm="slipway"'
INVALID = f'{BARE}, error="invalid_token", error_description="The key or token is malformed, unknown, revoked or expired"'


@pytest.fixture
def door(tmp_path):
    opened = Door(tmp_path)
    yield opened
    opened.close()


def asked(door, role="editor", **more):
    client, secret = door.client_of(role=role)
    return {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, **more}


@pytest.mark.parametrize("role", ROLES)
def test_a_client_gets_all_that_its_role_may(door, role):
    answer = door.client.post(TOKEN, data=asked(door, role))
    body = answer.get_json()
    assert (answer.status_code, answer.content_type, answer.headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert (body["token_type"], body["expires_in"], set(body["scope"].split())) == ("Bearer", 3600, set(ROLES[role]))
    assert door.access.bearer(f"Bearer {body['access_token']}").scopes == ROLES[role]


def test_a_token_may_be_narrower_than_its_client(door):
    body = door.client.post(TOKEN, data=asked(door, scope="uploads:read assets:read")).get_json()
    who = bearer(body["access_token"])
    assert body["scope"] == "uploads:read assets:read"
    door.run(Row("GET", "/v1/assets/none", who, status=404))
    wanted = f'{BARE}, error="insufficient_scope", scope="operations:read"'
    door.run(Row("GET", NONE, who, status=403, sends={"WWW-Authenticate": wanted}, shows={"code": "forbidden", "scope": "operations:read"}))


def test_a_client_may_prove_itself_by_basic(door):
    client, secret = door.client_of()
    answer = door.client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=basic(client, secret))
    assert answer.status_code == 200


def test_a_token_ends_by_revocation_or_by_time(door):
    form = asked(door)
    first, second = (bearer(door.client.post(TOKEN, data=form).get_json()["access_token"]) for _ in range(2))
    answer = door.client.post(REVOKE, data={**form, "token": first["Authorization"].removeprefix("Bearer ")})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    door.run(Row("GET", NONE, first, status=401))
    door.run(Row("GET", NONE, second, status=404))
    door.pass_time(3599)
    door.run(Row("GET", NONE, second, status=404))
    door.pass_time(1)
    door.run(Row("GET", NONE, second, status=401))


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
@pytest.mark.parametrize(
    ("headers", "body", "status", "shows"),
    [
        (FORM, "", 400, {"error": "invalid_request"}),
        ({}, None, 400, {"error": "invalid_request"}),
        ({}, {"grant_type": "client_credentials", "token": "x"}, 400, {"error": "invalid_request"}),  # JSON
        (FORM, b"\xff\xfe=%zz", 400, {"error": "invalid_request"}),
        (FORM, "&".join(f"a{n}=1" for n in range(101)), 400, {"error": "invalid_request"}),
        (FORM, "grant_type=client_credentials&token=x", 401, {"error": "invalid_client"}),
        (FORM, "grant_type=client_credentials&token=x&client_id=a&client_id=b", 400, {"error": "invalid_request"}),
        (FORM, "x" * 1_048_577, 413, {"code": "too_large"}),
    ],
)
def test_what_is_no_request_is_said_so(door, path, headers, body, status, shows):
    door.run(Row("POST", path, headers, body, status, shows=shows, sends={"Cache-Control": "no-store"} if "error" in shows else {}))


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", TOKEN, 405), ("PUT", REVOKE, 405), ("GET", "/oauth2", 404), ("POST", "/oauth2/none", 404)]
)
def test_the_rest_is_a_problem(door, method, path, status):
    door.run(Row(method, path, status=status, sends={"Content-Type": "application/problem+json"}))


def test_wrong_secrets_are_counted_at_every_token_endpoint(door):
    right = asked(door)
    wrong = right | {"client_secret": "wrong"}
    places = [TOKEN, "/wdesk/oauth2/token", "/squidex/identity-server/connect/token"]
    assert [door.client.post(places[n % 3], data=wrong).status_code for n in range(11)] == [401] * 10 + [429]
    for proof in (
        {"data": right},
        {"data": {"grant_type": "client_credentials"}, "headers": basic(right["client_id"], right["client_secret"])},
    ):
        refused = door.client.post(TOKEN, **proof)  # or a guesser would learn that this one was right
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert door.client.post(REVOKE, data=right | {"token": "x"}).status_code == 429
    assert door.client.post(TOKEN, data=right, environ_overrides={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200


def test_right_secrets_are_not(door):
    form = asked(door)
    assert {door.client.post(TOKEN, data=form).status_code for _ in range(30)} == {200}


def test_the_metadata_name_what_is_there(door):
    found = door.run(Row("GET", "/.well-known/oauth-authorization-server")).get_json()
    assert found["issuer"] == "http://slipway.test"
    form = asked(door)
    given = door.send("POST", found["token_endpoint"], FORM, None)
    assert given.status_code == 400
    assert door.client.post(found["token_endpoint"], data=form).status_code == 200
    assert door.client.post(found["revocation_endpoint"], data=form | {"token": "x"}).status_code == 200
    assert set(found["scopes_supported"]) == set(ROLES["admin"])


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, BARE),
        (basic("a", "b"), BARE),
        (bearer("sk_acme_forged"), INVALID),
        (bearer("st_forged"), INVALID),
        (bearer("two words"), INVALID),
        ({"Authorization": "bearer"}, INVALID),
        ({"Authorization": "Bearer a, Bearer b"}, INVALID),
    ],
)
def test_a_401_says_what_is_asked_for_and_nothing_else(door, headers, challenge):
    door.run(Row("GET", NONE, headers, status=401, sends={"WWW-Authenticate": challenge}, shows={"code": "unauthenticated"}))


def test_no_scope_is_named_where_a_vendor_has_names_of_his_own(door):
    who = door.key(role="viewer")
    door.run(Row("POST", "/wdesk/content/images/upload", who, status=403, sends={"WWW-Authenticate": None}))

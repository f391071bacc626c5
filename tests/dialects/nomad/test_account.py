"""Logins, tokens that run out and are renewed, API keys; and which status means what to the vendor's client."""

import uuid

import pytest

from app.dialects.nomad.account import SESSION_LIFE, TOKEN_LIFE
from tests.dialects.house import Row, bearer
from tests.dialects.nomad.speak import API, ASSET, MINE, PASSWORD, SOME_ID, login, problem, user

LOGIN, REFRESH, LOGOUT = f"{API}/account/login", f"{API}/account/refresh-token", f"{API}/account/logout"


@pytest.mark.parametrize("name", ["username", "userName", "USERNAME"])
def test_a_login_gives_what_the_client_needs(door, name):
    login(door)
    answer = door.run(Row("POST", LOGIN, {}, {name: "anna", "password": PASSWORD})).get_json()
    assert uuid.UUID(answer["id"])
    assert uuid.UUID(answer["userSessionId"])
    assert (answer["userName"], answer["loginStatus"]) == ("anna", None)
    assert TOKEN_LIFE - 60 < answer["expirationSeconds"] <= TOKEN_LIFE
    door.run(Row("GET", MINE, bearer(answer["token"])))
    assert login(door)["id"] == answer["id"]
    assert login(door)["userSessionId"] != answer["userSessionId"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "anna", "password": "wrong"}, 404),
        ({"username": "nobody", "password": PASSWORD}, 404),
        ({"username": "anna", "password": PASSWORD + " "}, 404),
        ({"username": "x" * 1024, "password": "x" * 1024}, 404),
        ({"username": "anna"}, 400),
        ({"password": PASSWORD}, 400),
        ({"username": "", "password": PASSWORD}, 400),
        ({"username": None, "password": None}, 400),
        ({"username": 7, "password": PASSWORD}, 400),
        ({"username": "anna", "password": ["x"]}, 400),
        ({"username": "an\0na", "password": "x"}, 400),
        ({"username": "x" * 1025, "password": "x"}, 400),
        ([], 400),
        (b"", 400),
        (b"{", 400),
        (b'{"username": "\\ud800", "password": "x"}', 400),
    ],
)
def test_a_login_that_fails(standing, body, status):
    door, _ = standing
    door.run(Row("POST", LOGIN, {"Content-Type": "application/json"}, body, status, shows=problem(status)))


def test_a_disabled_account_is_told_so_to_who_knows_its_password(door):
    token = login(door)
    door.access.revoke_user("anna")
    disabled = problem(403, "disabled") | {"loginStatus": "IsDisabled"}
    door.run(Row("POST", LOGIN, {}, {"username": "anna", "password": PASSWORD}, 403, shows=disabled))
    door.run(Row("POST", LOGIN, {}, {"username": "anna", "password": "a guess"}, 404))
    door.run(Row("GET", MINE, bearer(token["token"]), status=401))
    door.run(Row("POST", REFRESH, {}, {"refreshToken": token["refreshToken"]}, 404))


def test_the_client_refreshes_on_403_and_gives_up_on_401(door):
    session = login(door)
    mine = bearer(session["token"])
    door.pass_time(TOKEN_LIFE - 5)
    door.run(Row("GET", MINE, mine))
    door.pass_time(6)
    door.run(Row("GET", MINE, mine, status=403, shows=problem(403)))
    again = door.run(Row("POST", REFRESH, mine, {"refreshToken": session["refreshToken"]})).get_json()
    assert (again["refreshToken"], again["id"]) == (session["refreshToken"], session["id"])
    assert again["token"] != session["token"]
    door.run(Row("GET", MINE, bearer(again["token"])))
    door.pass_time(2 * TOKEN_LIFE)
    door.run(Row("POST", REFRESH, {}, {"REFRESHTOKEN": session["refreshToken"]}))
    door.pass_time(SESSION_LIFE)
    door.run(Row("GET", MINE, mine, status=401))
    door.run(Row("POST", REFRESH, {}, {"refreshToken": session["refreshToken"]}, 404))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"refreshToken": "rt_forged"}, 404),
        ({"refreshToken": "x"}, 404),
        ({"refreshToken": None}, 400),
        ({}, 400),
        ({"refreshToken": 7}, 400),
        ({"refreshToken": "x" * 1025}, 400),
        (b"", 400),
    ],
)
def test_what_renews_nothing(standing, body, status):
    door, _ = standing
    door.run(Row("POST", REFRESH, {}, body, status, shows=problem(status)))


def test_a_token_does_not_renew_itself(door):
    door.run(Row("POST", REFRESH, {}, {"refreshToken": login(door)["token"]}, 404))


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer forged", "Bearer st_forged", "ApiKey", "ApiKey ", "ApiKey forged", "Basic YTpi", "Token x", "\u20ac"],
)
def test_who_is_not_known_is_401(standing, header):
    door, _ = standing
    for method, path in (("GET", MINE), ("GET", f"{ASSET}/{SOME_ID}"), ("POST", LOGOUT)):
        sent = {"Authorization": header.encode().decode("latin-1")} if header else {}
        door.run(Row(method, path, sent, status=401, sends={"WWW-Authenticate": bool}, shows=problem(401)))


@pytest.mark.parametrize("scheme", ["ApiKey {}", "apikey {}", "APIKEY  {}", "Bearer {}"])
def test_an_api_key_is_as_good_as_a_login(door, scheme):
    secret = door.access.add_key("acme", "editor")[0]
    door.run(Row("GET", MINE, {"Authorization": scheme.format(secret)}))


def test_a_logout_ends_the_session_and_all_its_tokens(door):
    session, other = login(door), login(door)
    again = door.run(Row("POST", REFRESH, {}, {"refreshToken": session["refreshToken"]})).get_json()
    door.run(Row("POST", LOGOUT, bearer(again["token"]), {"userSessionId": None}))
    for token in (session["token"], again["token"]):
        door.run(Row("GET", MINE, bearer(token), status=401))
    door.run(Row("POST", REFRESH, {}, {"refreshToken": session["refreshToken"]}, 404))
    door.run(Row("GET", MINE, bearer(other["token"])))


def test_an_api_key_logs_out_without_effect(door):
    key = {"Authorization": f"ApiKey {door.access.add_key('acme', 'editor')[0]}"}
    door.run(Row("POST", LOGOUT, key))
    door.run(Row("GET", MINE, key))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{API}/asset/upload/start", {}),
        ("POST", f"{API}/asset/upload/start-related-asset", {}),
        ("POST", f"{API}/asset/upload/part/{SOME_ID}/complete", {"etag": "x"}),
        ("POST", f"{API}/asset/upload/{SOME_ID}/complete", None),
        ("POST", f"{API}/asset/upload/{SOME_ID}/cancel", None),
        ("PATCH", f"{ASSET}/{SOME_ID}", {}),
        ("DELETE", f"{ASSET}/{SOME_ID}", None),
        ("POST", f"{ASSET}/{SOME_ID}/create-folder", {}),
        ("POST", f"{ASSET}/{SOME_ID}/create-placeholder", {}),
    ],
)
def test_a_viewer_may_look_and_no_more(standing, method, path, body):
    door, _ = standing
    who = user(door, "victor", role="viewer")
    door.run(Row(method, path, who, body, 403, shows=problem(403)))
    door.run(Row("GET", MINE, who))


def test_a_wrong_password_too_often_is_429(door):
    login(door)
    guess = {"username": "anna", "password": "a guess"}
    for _ in range(10):
        door.run(Row("POST", LOGIN, {}, guess, 404))
    door.run(Row("POST", LOGIN, {}, guess, 429, sends={"Retry-After": lambda v: int(v) > 0}, shows=problem(429)))

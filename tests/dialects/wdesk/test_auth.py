"""The Wdesk door: tokens, 401 and 403 everywhere, X-Version."""

from __future__ import annotations

import pytest

from tests.dialects.house import CHUNKED, Row, basic, bearer, says
from tests.dialects.pictures import picture
from tests.dialects.wdesk.speak import ENDPOINTS, FAMILIES, TOKEN_PATHS, initiate, refusal, token


@pytest.mark.parametrize("path", TOKEN_PATHS)
@pytest.mark.parametrize("form", ["form", "json", "basic", "basic and json"])
def test_a_token_comes_in_every_published_form(door, path, form):
    client_id, secret = door.client_of()
    own = {"client_id": client_id, "client_secret": secret}
    grant = {"grant_type": "client_credentials"}
    sent = {
        "form": {"data": grant | own},
        "json": {"json": grant | own},
        "basic": {"data": grant, "headers": basic(client_id, secret)},
        "basic and json": {"json": grant, "headers": basic(client_id, secret)},
    }[form]
    answer = door.client.post(path, **sent)
    assert answer.status_code == 200
    given = answer.get_json()
    assert {k: v for k, v in given.items() if k != "access_token"} == {
        "expires_in": 599,
        "scope": "file:read file:write",
        "token_type": "Bearer",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
    initiate(door, bearer(given["access_token"]))


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "acme:nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": "file:everything"}, 400, "invalid_scope"),
    ],
)
def test_a_token_refused_as_the_clients_read_it(door, change, status, error):
    client_id, secret = door.client_of()
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"} | change
    answer = door.client.post(TOKEN_PATHS[0], data={k: v for k, v in form.items() if v})
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert answer.content_type == "application/json"


def test_a_token_request_that_is_no_json(door):
    answer = door.client.post(TOKEN_PATHS[0], data="{", content_type="application/json")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", TOKEN_PATHS)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("environ", [{}, CHUNKED])
def test_a_token_request_that_is_too_large(door, path, kind, environ):
    body = b'{"grant_type": "' + b"x" * 1_048_576 + b'"}'
    answer = door.send("POST", path, {"Content-Type": kind}, body, environ)
    assert (answer.status_code, answer.content_type, answer.headers["Cache-Control"]) == (400, "application/json", "no-store")
    assert set(answer.get_json()) == {"error", "error_description"}
    assert answer.get_json()["error"] == "invalid_request"
    assert "1048576" in answer.get_json()["error_description"]


def test_a_token_ends_after_599_seconds(door, mine):
    door.pass_time(598)
    initiate(door, mine)
    door.pass_time(2)
    door.run(Row("POST", "/wdesk/content/images/upload", mine, status=401, shows=refusal(401)))


def test_a_token_of_a_revoked_client_ends_with_it(door, mine):
    door.access.revoke_client("acme:default")
    door.run(Row("POST", "/wdesk/content/images/upload", mine, status=401))


def test_a_revoked_token(door, mine):
    door.access.revoke_token(mine["Authorization"].removeprefix("Bearer "))
    door.run(Row("POST", "/wdesk/content/images/upload", mine, status=401))


@FAMILIES
@pytest.mark.parametrize(("method", "path", "_scope"), ENDPOINTS)
@pytest.mark.parametrize("sent", [None, "Bearer st_forged", "Bearer", "Basic QTpC", "st_forged"])
def test_401_without_a_valid_token_everywhere(door, places, family, method, path, _scope, sent):
    headers = {"Authorization": sent} if sent else {}
    url = path.format(family=family, **places)
    body = picture() if method == "PUT" else None
    shows = {"code": "401Unauthorized", "message": "No valid API token provided"}
    answer = door.run(Row(method, url, headers, body, 401, {"Content-Type": "application/json"}, shows))
    assert "Bearer" in answer.headers["WWW-Authenticate"]


@FAMILIES
@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_403_without_the_scope_and_operations_need_none(door, places, family, method, path, scope):
    url = path.format(family=family, **places)
    body = {"PUT": picture(), "PATCH": {"usage": "a"}}.get(method)
    for granted in ("file:read", "file:write"):
        who = token(door, scope=granted)
        if scope is None or scope == granted:
            assert door.send(method, url, who, body).status_code in {200, 202}
        else:
            shows = {"code": "403Forbidden", "message": "The API token does not have permissions to perform the request"}
            door.run(Row(method, url, who, body, 403, shows=shows))


def test_a_viewers_token_has_only_file_read(door):
    client_id, secret = door.client_of(role="viewer", name="viewer")
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
    assert door.client.post(TOKEN_PATHS[0], data=form).get_json()["scope"] == "file:read"


@FAMILIES
@pytest.mark.parametrize(("version", "status"), [("2022-01-01", 202), ("2026-01-01", 202), (None, 202), ("2024-01-01", 400), ("", 400)])
def test_x_version_is_checked_and_otherwise_without_effect(door, mine, family, version, status):
    headers = mine | ({} if version is None else {"X-Version": version})
    shows = refusal(400, "X-Version") if status == 400 else {"operationLocation": says(f"{family}/operations/")}
    door.run(Row("POST", f"{family}/content/images/upload", headers, status=status, shows=shows))

"""The Backoffice door: the key in a header or in the query, 401 and 403, and the rest of the table of errors."""

from __future__ import annotations

import re

import pytest

from app.core.errors import Code, RecordsDown, problem
from app.dialects.backoffice import envelope
from tests.dialects.backoffice.speak import PLACE, TYPE, form, key, nothing_left, part, refusal, send, uploaded
from tests.dialects.house import Row, bearer

UNKNOWN = "sk_acme_unknown"
UNAUTHORIZED = {"errors": [{"detail": "Unauthorized API KEY"}]}


def secret(door, **whose):
    return key(door, **whose)["x-api-key"]


def asked(*keys):
    return PLACE + "?" + "&".join(f"x-api-key={key}" for key in keys)


@pytest.mark.parametrize("name", ["x-api-key", "X-API-KEY", "X-Api-Key"])
def test_in_the_header(door, name):
    uploaded(door, {name: secret(door)})


def test_in_the_query(door):
    uploaded(door, {}, path=asked(secret(door)))


def test_in_both_the_header_counts(door):
    good, other = secret(door), secret(door, tenant="other")
    uploaded(door, {"x-api-key": good}, path=asked(UNKNOWN))
    send(door, {"x-api-key": UNKNOWN}, path=asked(good), status=401)
    answer = send(door, {"x-api-key": good, "Prefer": "respond-async"}, path=asked(other), status=202)
    door.run(Row("GET", answer.headers["Location"], {"x-api-key": good}))
    door.run(Row("GET", answer.headers["Location"], {"x-api-key": other}, status=404))


def test_an_empty_header_is_none(door):
    uploaded(door, {"x-api-key": ""}, path=asked(secret(door)))


def test_the_operation_takes_the_key_from_the_query_too(door):
    good = secret(door)
    place = send(door, {"Prefer": "respond-async"}, path=asked(good), status=202).headers["Location"]
    door.run(Row("GET", f"{place}?x-api-key={good}"))


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, PLACE),
        ({"x-api-key": ""}, PLACE),
        ({"x-api-key": UNKNOWN}, PLACE),
        ({"x-api-key": "\xe4\xff"}, PLACE),
        ({"x-api-key": "k" * 5000}, PLACE),
        (bearer(UNKNOWN), PLACE),
        ({}, asked("")),
        ({}, asked(UNKNOWN)),
        ({}, asked("%00%FF%ED%A0%80")),
    ],
)
def test_401(door, headers, path):
    answer = send(door, headers, path=path, status=401, sends={"Content-Type": "application/json"})
    assert answer.get_json() == UNAUTHORIZED
    assert answer.headers["WWW-Authenticate"].startswith("ApiKey ")
    assert nothing_left(door)


def test_401_for_a_good_key_of_another_kind(door):
    door.run(Row("POST", PLACE, {**door.key(), **TYPE}, form(part()), 401))
    client_id, client_secret = door.client_of()
    grant = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    token = door.send("POST", "/wdesk/oauth2/token", None, grant).get_json()["access_token"]
    send(door, {"x-api-key": token}, status=401)


def test_401_for_two_keys_in_the_query(door):
    good = secret(door)
    send(door, {}, path=asked(good, secret(door, tenant="other")), status=401)
    send(door, {}, path=asked(good, good), status=401)


def test_401_for_a_revoked_key(door):
    given, credential = door.access.add_key("acme", "editor")
    uploaded(door, {"x-api-key": given})
    door.access.revoke_key(credential.id)
    assert send(door, {"x-api-key": given}, status=401).get_json() == UNAUTHORIZED
    send(door, {}, path=asked(given), status=401)


@pytest.mark.parametrize("where", ["header", "query"])
def test_403_for_a_viewers_key(door, where):
    viewer = secret(door, role="viewer")
    headers, path = ({"x-api-key": viewer}, PLACE) if where == "header" else ({}, asked(viewer))
    assert send(door, headers, path=path, status=403).get_json() == {"errors": [{"detail": "Unauthorized roles"}]}
    assert nothing_left(door)


def test_a_viewer_may_look_what_came_of_it(door):
    place = send(door, key(door), headers={"Prefer": "respond-async"}, status=202).headers["Location"]
    door.run(Row("GET", place, key(door, role="viewer")))


# ---------------------------------------------------------------- the table


def test_every_code_has_its_row():
    assert set(envelope.REFUSALS) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_every_refusal_is_the_vendors(door, code):
    with door.app.test_request_context(PLACE):
        answer = envelope.render(problem(code))
    assert (answer.status_code, answer.content_type) == (envelope.REFUSALS[code], "application/json")
    [one] = answer.get_json()["errors"]
    assert set(one) == {"detail"}
    assert one["detail"]


def test_several_faults_are_several_entries(door):
    with door.app.test_request_context(PLACE):
        answer = envelope.render(problem(Code.INVALID, reason="a; b", errors=["a: wrong", "b: wrong"]))
    assert answer.get_json() == {"errors": [{"detail": "a: wrong"}, {"detail": "b: wrong"}]}


@pytest.mark.parametrize(("method", "path"), [("GET", PLACE), ("PUT", PLACE), ("POST", "/backoffice/operations/x")])
def test_405(door, mine, method, path):
    door.run(Row(method, path, mine, status=405, sends={"Allow": bool}, shows=refusal("method")))


def test_500_without_a_trace(door, mine, monkeypatch):
    def broken(_records):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(door.room.records), "now", broken)
    answer = send(door, mine, status=500)
    assert b"secret detail" not in answer.get_data()
    assert re.search(r"\(error [0-9a-f]{32}\)", answer.get_json()["errors"][0]["detail"])


def test_503_with_retry_after(door, mine, monkeypatch):
    def down(*_):
        raise RecordsDown("Redis is away")

    monkeypatch.setattr(type(door.room.records), "commit", down)
    send(door, mine, status=503, sends={"Retry-After": lambda seconds: int(seconds) > 0}, shows=refusal("right now"))

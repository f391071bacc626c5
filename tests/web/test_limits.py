"""How many requests a principal may send, and how many wrong passwords."""

import re
from dataclasses import replace

import pytest

from app.core.errors import Code, RecordsDown, UploadError
from app.core.policy import Scope
from app.records.quota import RedisQuota
from app.web import limits
from app.web.dialect import EXTENSION
from tests.dialects.house import Door, Row
from tests.dialects.pictures import picture

NONE = "/v1/operations/none"
ME, PASSWORD = "me@acme", "open sesame"


@pytest.fixture
def make(tmp_path):
    doors = []

    def make(**env):
        doors.append(Door(tmp_path, **env))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def door(make):
    """Two requests an hour at each of the doors."""
    return make(SLIPWAY_V1_REQUESTS_PER_HOUR="2", SLIPWAY_WDESK_REQUESTS_PER_HOUR="2")


def statuses(door, who, times=4, path=NONE):
    return [door.send("GET", path, who).status_code for _ in range(times)]


# ---------------------------------------------------------------- who is charged


def test_a_principal_has_so_many_requests_and_then_429(door):
    assert statuses(door, door.key()) == [404, 404, 429, 429]


def test_everybody_has_requests_of_his_own(door):
    first, second, foreign = door.key(), door.key(), door.key("other")
    for who in (first, second, foreign):
        assert statuses(door, who, 3) == [404, 404, 429]


def test_every_dialect_has_windows_of_its_own(door):
    who = door.key()
    assert statuses(door, who, 3) == [404, 404, 429]
    assert statuses(door, who, 3, "/wdesk/operations/none") == [404, 404, 429]


def test_a_token_is_charged_to_its_client(door):
    client, secret = door.client_of()
    form = {"client_id": client, "client_secret": secret, "grant_type": "client_credentials"}
    tokens = [door.send("POST", "/wdesk/oauth2/token", None, form) for _ in range(5)]
    assert [answer.status_code for answer in tokens] == [200] * 5
    spoken = [{"Authorization": f"Bearer {answer.get_json()['access_token']}"} for answer in tokens]
    assert [door.send("GET", "/wdesk/operations/none", who).status_code for who in spoken] == [404, 404, 429, 429, 429]


def test_strangers_are_not_counted(door):
    who = door.key()
    for headers in ({}, {"Authorization": "Bearer sk_acme_forged"}):
        assert statuses(door, headers) == [401] * 4
    assert statuses(door, who, 3) == [404, 404, 429]


def test_a_missing_scope_costs_as_much(door):
    who = door.key(role="viewer")
    assert [door.send("POST", "/v1/uploads", who, b"x").status_code for _ in range(3)] == [403, 403, 429]


def test_a_signed_url_and_health_cost_nothing(door):
    who = door.key()
    url = door.run(Row("POST", "/v1/uploads", who, {"filename": "a.png"}, 202)).get_json()["upload"]["uploadUrl"]
    assert statuses(door, who, 2) == [404, 429]
    door.run(Row("PUT", url, {}, picture(), 202))
    door.run(Row("GET", "/healthz", who))


def test_who_is_refused_leaves_nothing_behind(door):
    who = door.key()
    statuses(door, who, 2)
    before = set(door._redis().keys("up:*"))
    door.run(Row("POST", "/v1/uploads", {**who, "Content-Type": "image/png"}, picture(), 429))
    assert set(door._redis().keys("up:*")) == before


def test_one_request_is_charged_once_however_often_it_is_asked_who_speaks(door):
    header = door.key()["Authorization"]
    with door.app.test_request_context(NONE):
        guard = door.app.extensions[EXTENSION].access
        for _ in range(5):
            assert guard.bearer(header) == guard.by_key(header.removeprefix("Bearer "))
        assert limits.allowance().of("hour").remaining == 1


def test_who_was_refused_stays_refused_for_the_rest_of_the_request(door):
    header = door.key()["Authorization"]
    statuses(door, {"Authorization": header}, 2)
    with door.app.test_request_context(NONE):
        guard = door.app.extensions[EXTENSION].access
        for _ in range(2):
            with pytest.raises(UploadError) as refused:
                guard.bearer(header)
            assert refused.value.code is Code.RATE_LIMITED


def test_what_belongs_to_no_dialect_is_not_charged(door):
    header = door.key()["Authorization"]
    for _ in range(5):
        with door.app.test_request_context("/elsewhere"):
            assert door.app.extensions[EXTENSION].access.bearer(header).tenant == "acme"
            assert limits.allowance() is None


def test_scopes_are_asked_for_as_before(door):
    guard = door.app.extensions[EXTENSION].access
    guard.require(door.principal(), Scope.ADMIN)
    with pytest.raises(UploadError) as refused:
        guard.require(replace(door.principal(), scopes=frozenset()), Scope.ADMIN)
    assert refused.value.code is Code.FORBIDDEN


def test_without_redis_the_answer_is_503(door, monkeypatch):
    who = door.key()

    def down(*_):
        raise RecordsDown("gone")

    monkeypatch.setattr(RedisQuota, "spend", down)
    door.run(Row("GET", NONE, who, status=503, sends={"Retry-After": "5"}))


# ---------------------------------------------------------------- what is said


def test_the_refusal_says_when_and_how_many(door):
    who = door.key()
    statuses(door, who, 2)
    answer = door.run(
        Row(
            "GET",
            NONE,
            who,
            status=429,
            sends={"Retry-After": lambda text: 3500 < int(text) <= 3600, "Content-Type": "application/problem+json"},
            shows={"code": "rate_limited", "limit": 2, "retry_after": lambda wait: 3500 < wait <= 3600},
        )
    )
    assert re.fullmatch(r'"second";r=99\d;t=1, "hour";r=0;t=3[56]\d\d', answer.headers["RateLimit"])


def test_a_vendor_says_it_in_its_own_form(door):
    who = door.key()
    statuses(door, who, 2, "/wdesk/operations/none")
    door.run(
        Row(
            "GET",
            "/wdesk/operations/none",
            who,
            status=429,
            sends={"Retry-After": lambda text: 3500 < int(text) <= 3600},
            shows={"code": "429TooManyRequests", "message": lambda text: "try again" in text},
        )
    )


def test_every_answer_says_how_many_are_left(door):
    who = door.key()
    first = door.run(Row("GET", NONE, who, status=404))
    assert first.headers["RateLimit-Policy"] == '"second";q=1000;w=1, "hour";q=2;w=3600'
    assert re.fullmatch(r'"second";r=999;t=1, "hour";r=1;t=3[56]\d\d', first.headers["RateLimit"])
    made = door.run(Row("POST", "/v1/uploads", {**who, "Content-Type": "image/png"}, picture(), 202))
    assert '"hour";r=0;' in made.headers["RateLimit"]


@pytest.mark.parametrize(("path", "status"), [(NONE, 401), ("/healthz", 200), ("/none", 404)])
def test_nothing_is_said_to_strangers(door, path, status):
    door.run(Row("GET", path, status=status, sends={"RateLimit": None, "RateLimit-Policy": None}))


def test_no_limit_is_no_window(make):
    door = make(SLIPWAY_V1_REQUESTS_PER_HOUR="0", SLIPWAY_V1_REQUESTS_PER_SECOND="0")
    door.run(Row("GET", NONE, door.key(), status=404, sends={"RateLimit": None, "RateLimit-Policy": None}))
    door = make(SLIPWAY_V1_REQUESTS_PER_HOUR="0", SLIPWAY_V1_REQUESTS_PER_SECOND="7")
    door.run(Row("GET", NONE, door.key(), status=404, sends={"RateLimit-Policy": '"second";q=7;w=1'}))


# ---------------------------------------------------------------- passwords


@pytest.fixture
def knock(make):
    """Tries a password from an address: the refusal's code, or None for somebody who is let in."""
    door = make()
    door.access.add_user("acme", ME, "editor", PASSWORD)

    def knock(password, name=ME, address="192.0.2.1"):
        with door.app.test_request_context(NONE, environ_overrides={"REMOTE_ADDR": address}):
            try:
                assert door.app.extensions[EXTENSION].access.by_password(name, password).owner == name
            except UploadError as refusal:
                return refusal.code
            return None

    return knock


def test_wrong_passwords_are_counted(knock):
    assert [knock(f"guess {number}") for number in range(11)] == [Code.UNAUTHENTICATED] * 10 + [Code.RATE_LIMITED]
    assert knock(PASSWORD) is Code.RATE_LIMITED  # or a guesser would learn that this one was right


def test_right_passwords_are_not(knock):
    assert {knock(PASSWORD) for _ in range(30)} == {None}
    assert [knock("wrong") for _ in range(9)] == [Code.UNAUTHENTICATED] * 9
    assert knock(PASSWORD) is None


def test_a_guesser_locks_out_nobody_elsewhere(knock):
    for number in range(11):
        knock(f"guess {number}")
    assert knock(PASSWORD, address="192.0.2.2") is None
    assert knock("guess", name="somebody else") is Code.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["", "nobody", "x" * 5000, "\u0000", "a/b/192.0.2.1"])
def test_a_name_that_nobody_has_is_counted_the_same(knock, name):
    assert [knock("guess", name=name) for _ in range(11)] == [Code.UNAUTHENTICATED] * 10 + [Code.RATE_LIMITED]


def test_a_login_is_charged_as_a_request(make):
    door = make(SLIPWAY_V1_REQUESTS_PER_HOUR="2")
    door.access.add_user("acme", ME, "editor", PASSWORD)
    guard = door.app.extensions[EXTENSION].access
    for left in (1, 0):
        with door.app.test_request_context(NONE):
            guard.by_password(ME, PASSWORD)
            assert limits.allowance().of("hour").left == left
    with door.app.test_request_context(NONE), pytest.raises(UploadError) as refused:
        guard.by_password(ME, PASSWORD)
    assert refused.value.code is Code.RATE_LIMITED


# ---------------------------------------------------------------- on every answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/usage", None, 200),
        ("POST", "/v1/uploads", {"filename": "a.png", "size": 10}, 202),
        ("GET", "/v1/assets/none", None, 404),
        ("POST", "/v1/uploads", b"", 400),
        ("POST", "/v1/uploads", {"size": "many"}, 422),
        ("POST", "/v1/uploads", {"filename": "a.png", "size": 10**12}, 413),
        ("POST", "/v1/uploads", {"filename": "a.png", "size": 11_000}, 507),
    ],
)
def test_whoever_is_known_is_told_how_he_stands(make, method, path, body, status):
    door = make(SLIPWAY_QUOTA_BYTES="10KB")
    found = door.run(Row(method, path, door.key(), body, status))
    assert found.headers["RateLimit-Policy"] == '"second";q=1000;w=1, "hour";q=1000000;w=3600'
    assert re.fullmatch(r'"second";r=\d+;t=[01], "hour";r=999999;t=\d+', found.headers["RateLimit"])


def test_429_names_what_is_used_up_in_the_words_of_the_draft(door):
    who = door.key()
    statuses(door, who, 2)
    answer = door.run(Row("GET", NONE, who, status=429, shows={"code": "rate_limited", "violated-policies": ["hour"]}))
    assert answer.get_json()["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    left = dict(re.findall(r'"(\w+)";r=\d+;t=(\d+)', answer.headers["RateLimit"]))
    assert int(answer.headers["Retry-After"]) >= int(left["hour"])

"""Browsers of other origins: who is let in, what their pages may read, and that every answer says so."""

import pytest

from app.core.errors import RecordsDown
from app.records.redis_records import RedisRecords
from app.web.cors import EXPOSED
from tests.dialects.house import Door, Row
from tests.dialects.pictures import picture

OURS, OTHER = "https://app.example", "https://evil.example"
NEEDED = {  # by whom
    *("Location", "Operation-Location", "ETag", "Retry-After", "Preference-Applied", "RateLimit", "RateLimit-Policy"),
    *("Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable"),
    *("X-Contentful-Request-Id", "X-Contentful-RateLimit-Reset", "X-Contentful-RateLimit-Second-Remaining", "X-AppId"),
}


@pytest.fixture
def make(tmp_path):
    doors = []

    def make(origins=f"{OURS},http://[::1]:3000,capacitor://localhost", **env):
        doors.append(Door(tmp_path, SLIPWAY_CORS_ORIGINS=origins, **env))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def door(make):
    return make()


def allowed(answer):
    return answer.headers.get_all("Access-Control-Allow-Origin")


def varies(answer):
    return [word.strip() for value in answer.headers.get_all("Vary") for word in value.split(",")].count("Origin")


def preflight(door, path, method, headers="", origin=OURS):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return door.send("OPTIONS", path, {**asked, "Access-Control-Request-Headers": headers} if headers else asked)


# ---------------------------------------------------------------- every answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/v1/operations/none", 401),
        ("GET", "/wdesk/operations/none", 401),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/v1/uploads", 405),
        ("POST", "/wdesk/oauth2/token", 400),
        ("PUT", "/transfers/acme/none", 403),
    ],
)
def test_an_answer_without_credentials_can_be_read(door, method, path, status):
    answer = door.run(Row(method, path, {"Origin": OURS}, status=status))
    assert allowed(answer) == [OURS]
    assert varies(answer) == 1


@pytest.mark.parametrize("mount", ["/v1", "/wdesk"])
def test_errors_of_every_kind_can_be_read(make, monkeypatch, mount):
    door = make(SLIPWAY_V1_REQUESTS_PER_HOUR="3", SLIPWAY_WDESK_REQUESTS_PER_HOUR="3")
    who = {**door.key(), "Origin": OURS}
    answers = [door.send("GET", f"{mount}/operations/none", who)]
    with monkeypatch.context() as patch:
        patch.setattr(RedisRecords, "get", lambda *_: 1 / 0)
        answers.append(door.send("GET", f"{mount}/operations/none", who))
    with monkeypatch.context() as patch:
        patch.setattr(RedisRecords, "get", lambda *_: (_ for _ in ()).throw(RecordsDown("gone")))
        answers.append(door.send("GET", f"{mount}/operations/none", who))
    answers.append(door.send("GET", f"{mount}/operations/none", who))
    assert [answer.status_code for answer in answers] == [404, 500, 503, 429]
    assert [allowed(answer) for answer in answers] == [[OURS]] * 4


def test_a_file_that_is_too_large_is_refused_readably(door):
    who = {**door.key(), "Origin": OURS, "Content-Type": "image/png"}
    answer = door.run(Row("POST", "/v1/uploads", who, b"x", 413, environ={"CONTENT_LENGTH": "75000001"}))
    assert allowed(answer) == [OURS]


def test_a_page_may_read_what_its_client_needs(door):
    answer = door.send("POST", "/v1/uploads", {**door.key(), "Origin": OURS, "Content-Type": "image/png"}, picture())
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= NEEDED
    assert exposed == set(EXPOSED)
    assert {"Location", "Retry-After", "RateLimit"} <= exposed & {name for name, _ in answer.headers}


def test_no_answer_allows_cookies(make):
    for door in (make(), make("*")):
        for answer in (door.send("GET", "/healthz", {"Origin": OURS, "Cookie": "a=b"}), preflight(door, "/v1/uploads", "POST")):
            assert "Access-Control-Allow-Credentials" not in answer.headers


# ---------------------------------------------------------------- preflights


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/uploads", "/wdesk/content/images/upload", "/transfers/acme/x", "/nowhere", "/v1/nowhere", "/readyz"])
def test_a_preflight_is_let_through_to_every_door(door, path, method):
    headers = "authorization,content-type,if-match,prefer,x-api-key,x-contentful-version,tus-resumable,upload-offset"
    answer = preflight(door, path, method, headers)
    assert answer.status_code == 204
    assert allowed(answer) == [OURS]
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == set(headers.split(","))
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert varies(answer) == 1


def test_a_preflight_of_a_stranger_allows_nothing(door):
    answer = preflight(door, "/v1/uploads", "POST", "authorization", OTHER)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert varies(answer) == 1


@pytest.mark.parametrize("headers", [{}, {"Origin": OURS}, {"Access-Control-Request-Method": "GET"}])
def test_options_of_another_kind_are_the_doors_own(door, headers):
    assert door.send("OPTIONS", "/v1/uploads", headers).headers["Allow"]
    assert door.send("OPTIONS", "/nowhere", headers).status_code == 404


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize("origin", [OURS, "http://[::1]:3000", "capacitor://localhost"])
def test_an_origin_that_is_configured_is_let_in(door, origin):
    assert allowed(door.send("GET", "/healthz", {"Origin": origin})) == [origin]


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        "null",
        "*",
        "http://app.example",
        "https://app.example.evil.example",
        "https://app.example:8443",
        "https://appxexample",
        "https://evil.example/https://app.example",
        "http://:3000",
        "http://1:3000",
        "",
    ],
)
def test_another_is_not(door, origin):
    answer = door.send("GET", "/healthz", {"Origin": origin})
    assert allowed(answer) == []
    assert varies(answer) == 1


def test_an_answer_to_no_browser_says_that_it_would_differ(door):
    answer = door.send("GET", "/healthz")
    assert allowed(answer) == []
    assert varies(answer) == 1


def test_a_single_origin_varies_too(make):
    assert varies(make(OURS).send("GET", "/healthz", {"Origin": OURS})) == 1


@pytest.mark.parametrize("origins", ["*", f"{OURS},*"])
def test_a_star_lets_every_page_in_and_says_so(make, origins):
    door = make(origins)
    for origin in (OURS, OTHER, "null"):
        assert allowed(door.send("GET", "/healthz", {"Origin": origin})) == ["*"]
    assert allowed(preflight(door, "/v1/uploads", "POST", "authorization", OTHER)) == ["*"]
    assert allowed(door.send("GET", "/healthz")) == ["*"]
    assert varies(door.send("GET", "/healthz", {"Origin": OURS})) == 0


def test_without_origins_nobody_is_let_in(tmp_path):
    door = Door(tmp_path)
    answer = door.send("GET", "/healthz", {"Origin": OURS})
    assert not [name for name, _ in answer.headers if name.startswith(("Access-Control", "Vary"))]
    assert preflight(door, "/v1/uploads", "POST").headers["Allow"]
    door.close()

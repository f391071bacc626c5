"""The Contentful door: every row of its table of errors, and the headers that go with them."""

from __future__ import annotations

import re

import pytest

from app.core.errors import Code, RecordsDown, StoreDown, problem
from app.dialects.contentful import envelope
from tests.dialects.contentful.speak import JSON, MASTER, RAW, SPACE, asset, at, processed, refusal, upload, url_of, version
from tests.dialects.house import Row, bearer, has
from tests.dialects.pictures import picture

ID = re.compile(r"[0-9a-f]{32}")


def test_every_code_has_its_row():
    assert set(envelope.REFUSALS) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_every_refusal_is_the_vendors(door, code):
    with door.app.test_request_context("/contentful/spaces/acme"):
        answer = envelope.render(problem(code))
    told, wanted = answer.get_json(), envelope.REFUSALS[code]
    assert (answer.status_code, answer.content_type, told["sys"]) == (wanted.status, JSON, {"type": "Error", "id": wanted.id})
    assert ID.fullmatch(told["requestId"])
    assert answer.headers["X-Contentful-Request-Id"] == told["requestId"]
    assert ("message" in told) is (wanted.id != "VersionMismatch")
    shapes = {403: lambda d: d["reasons"], 404: lambda d: isinstance(d, str), 422: lambda d: d["errors"][0]["name"]}
    assert shapes.get(wanted.status, lambda d: d is None)(told.get("details"))


ROUTES = [
    ("POST", f"{SPACE}/uploads"),
    ("GET", f"{MASTER}/uploads/x"),
    ("DELETE", f"{SPACE}/uploads/x"),
    ("POST", f"{MASTER}/assets"),
    ("GET", f"{MASTER}/assets"),
    ("GET", f"{MASTER}/public/assets"),
    ("PUT", f"{MASTER}/assets/x"),
    ("GET", f"{MASTER}/assets/x"),
    ("DELETE", f"{MASTER}/assets/x"),
    ("PUT", f"{MASTER}/assets/x/files/en-US/process"),
    ("PUT", f"{MASTER}/assets/x/published"),
    ("DELETE", f"{MASTER}/assets/x/archived"),
    ("GET", f"{SPACE}/operations/x"),
    ("GET", SPACE),
    ("GET", MASTER),
    ("GET", "/contentful/spaces"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("headers", [{}, bearer("CFPAT-forged"), {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}])
def test_401(door, method, path, headers):
    shows = refusal("AccessTokenInvalid", message=bool, details=None)
    door.run(Row(method, path, headers, b"x" if method in {"POST", "PUT"} else None, 401, {"WWW-Authenticate": bool}, shows))


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in ROUTES if method != "GET"])
def test_403_for_who_may_only_look(door, method, path):
    viewer = door.key(role="viewer")
    shows = refusal("AccessDenied", details=has(reasons=lambda r: isinstance(r, list) and r))
    door.run(Row(method, path, viewer | RAW, {"fields": {}} if "assets" in path else b"x", 403, shows=shows))


def test_who_may_only_look_does(door, mine):
    made, viewer = processed(door, mine), door.key(role="viewer")
    for path in (f"{MASTER}/assets", at(made), f"{SPACE}/uploads/{upload(door, mine)}", SPACE):
        door.run(Row("GET", path, viewer))


def test_any_token_of_the_tenant_will_do(door):
    client, secret = door.client_of()
    form = {"client_id": client, "client_secret": secret, "grant_type": "client_credentials"}
    token = bearer(door.send("POST", "/wdesk/oauth2/token", None, form).get_json()["access_token"])
    made = processed(door, token)
    assert made["sys"]["createdBy"]["sys"]["id"] == client
    assert door.run(Row("GET", url_of(made))).get_data() == picture()


@pytest.mark.parametrize("path", ["/contentful", "/contentful/", "/contentful/x", f"{MASTER}/entries", f"{SPACE}/assets/x/y"])
def test_404_for_what_is_not_served(door, mine, path):
    door.run(Row("GET", path, mine, status=404, sends={"Content-Type": JSON, "X-Contentful-Request-Id": bool}, shows=refusal("NotFound")))


@pytest.mark.parametrize(("method", "path"), [("PATCH", f"{MASTER}/assets/x"), ("POST", f"{MASTER}/assets/x/published"), ("PUT", SPACE)])
def test_405(door, mine, method, path):
    door.run(Row(method, path, mine, status=405, sends={"Allow": bool, "Content-Type": JSON}, shows=refusal("MethodNotAllowed")))


def test_each_request_has_its_id(door, mine):
    told = [door.run(Row("GET", SPACE, mine)).headers["X-Contentful-Request-Id"] for _ in range(3)]
    assert len(set(told)) == 3


def test_500_names_the_id_that_the_log_has(door, mine, monkeypatch, caplog):
    def broken(*_, **__):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(door.house.documents), "document", broken)
    answer = door.run(Row("GET", f"{MASTER}/assets/x", mine, status=500, shows=refusal("ServerError")))
    assert b"secret detail" not in answer.get_data()
    assert answer.get_json()["requestId"] in [getattr(record, "error_id", None) for record in caplog.records]
    assert answer.headers["X-Contentful-Request-Id"] == answer.get_json()["requestId"]


def test_503_with_retry_after(door, mine, monkeypatch):
    def down(*_):
        raise RecordsDown("Redis is away")

    monkeypatch.setattr(type(door.room.records), "commit", down)
    for path, headers, sent in ((f"{SPACE}/uploads", RAW, picture()), (f"{MASTER}/assets", {}, {"fields": {}})):
        door.run(Row("POST", path, mine | headers, sent, 503, {"Retry-After": lambda v: int(v) > 0}, refusal("ServiceUnavailable")))


def test_503_from_the_store_keeps_no_upload(door, mine, monkeypatch):
    def down(*_, **__):
        raise StoreDown("full")

    with monkeypatch.context() as patch:
        patch.setattr(type(door.house.store), "write", down)
        door.run(Row("POST", f"{SPACE}/uploads", mine | RAW, picture(), 503, {"Retry-After": bool}, refusal("ServiceUnavailable")))
    assert door.house.library.uploads(door.principal(), "contentful") == []


# ---------------------------------------------------------------- rate limits

LIMITS = [f"X-Contentful-RateLimit-{name}" for name in ("Second-Limit", "Second-Remaining", "Hour-Limit", "Hour-Remaining", "Reset")]


def test_the_management_api_tells_its_limits_and_the_upload_api_does_not(open_door):
    door = open_door(SLIPWAY_CONTENTFUL_REQUESTS_PER_SECOND="7", SLIPWAY_CONTENTFUL_REQUESTS_PER_HOUR="36000")
    mine = door.key()
    told = [door.run(Row("GET", f"{MASTER}/assets", mine)).headers[name] for name in LIMITS]
    assert [told[0], told[2], told[4]] == ["7", "36000", "0"]
    assert all(0 <= int(remaining) < int(limit) for remaining, limit in ((told[1], told[0]), (told[3], told[2])))
    answer = door.run(Row("POST", f"{SPACE}/uploads", mine | RAW, picture(), 201))
    assert not set(LIMITS) & set(answer.headers.keys())


def test_429_says_when_there_is_room_again(open_door):
    door = open_door(SLIPWAY_CONTENTFUL_REQUESTS_PER_HOUR="2")
    mine = door.key()
    for _ in range(2):
        door.run(Row("GET", SPACE, mine))
    seconds = lambda v: 0 < int(v) <= 3600  # noqa: E731 - a row's judgement
    sends = {"X-Contentful-RateLimit-Reset": seconds, "Retry-After": seconds, "X-Contentful-RateLimit-Hour-Remaining": "0"}
    door.run(Row("GET", f"{MASTER}/assets", mine, status=429, sends=sends, shows=refusal("RateLimitExceeded", message=bool)))
    sends = {"X-Contentful-RateLimit-Reset": seconds}
    door.run(Row("POST", f"{SPACE}/uploads", mine | RAW, picture(), 429, sends, refusal("RateLimitExceeded")))
    door.run(Row("GET", SPACE, door.key()))


def test_a_files_url_is_not_charged(door, mine):
    """What has no Authorization is not charged: a file's URL."""
    made = processed(door, mine)
    answer = door.run(Row("GET", url_of(made)))
    assert not set(LIMITS) & set(answer.headers.keys())


def test_a_conditional_get(door, mine):
    made = asset(door, mine)
    etag = door.run(Row("GET", at(made), mine)).headers["ETag"]
    door.run(Row("GET", at(made), mine | {"If-None-Match": etag}, status=304))
    door.run(Row("PUT", at(made), mine | version(1) | {"If-None-Match": etag}, {"fields": {}}))
    assert door.run(Row("GET", at(made), mine | {"If-None-Match": etag})).headers["ETag"] != etag

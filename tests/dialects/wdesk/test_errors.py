"""The Wdesk door: every row of its table of errors."""

from __future__ import annotations

import re

import pytest

from app.core.errors import Code, Moved, RecordsDown, StoreDown, problem
from app.dialects.wdesk import envelope
from tests.dialects.house import CHUNKED, Row, digest_field, says
from tests.dialects.pictures import picture
from tests.dialects.wdesk.speak import ENDPOINTS, FAMILIES, image_of, initiate, refusal, slowly, token, uploaded


def test_every_code_has_its_row():
    assert set(envelope.REFUSALS) == set(Code)
    assert set(envelope.REFUSALS.values()) <= set(envelope.NAMES)


@pytest.mark.parametrize("code", Code)
def test_every_refusal_is_the_vendors(door, code):
    with door.app.test_request_context("/wdesk/operations/x"):
        answer = envelope.render(problem(code))
    status = envelope.REFUSALS[code]
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    assert answer.get_json()["code"] == f"{status}{envelope.NAMES[status]}"
    assert answer.get_json()["message"]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "No valid API token provided"),
        (403, "The API token does not have permissions to perform the request"),
        (404, "The requested resource could not be found"),
        (500, "The server encountered an unexpected condition that prevented it from fulfilling the request"),
        (503, "The server cannot handle the request due to a temporary overload or scheduled maintenance"),
    ],
)
def test_where_there_is_no_better_reason_the_page_says_it(door, status, message):
    code = {401: Code.UNAUTHENTICATED, 403: Code.FORBIDDEN, 404: Code.GONE, 500: Code.INTERNAL, 503: Code.UNAVAILABLE}[status]
    with door.app.test_request_context():
        assert envelope.render(problem(code)).get_json()["message"] == message


UNKNOWN = "0190d6e5-0000-7000-8000-000000000000"


@FAMILIES
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/operations/{UNKNOWN}"),
        ("GET", "/operations/x"),
        ("GET", "/operations/" + "x" * 300),
        ("GET", f"/operations/{UNKNOWN}/imageUploadResults"),
        ("GET", f"/content/images/{UNKNOWN.replace('-', '')}"),
        ("GET", f"/content/images/{UNKNOWN}"),
        ("GET", "/content/images/x"),
        ("PATCH", f"/content/images/{UNKNOWN.replace('-', '')}"),
        ("GET", "/no/such/path"),
        ("GET", "/"),
    ],
)
def test_404_for_what_is_unknown(door, mine, family, method, path):
    body = {"usage": "a"} if method == "PATCH" else None
    shows = {"code": "404NotFound", "message": "The requested resource could not be found"}
    door.run(Row(method, family + path, mine, body, 404, {"Content-Type": "application/json"}, shows))


@FAMILIES
@pytest.mark.parametrize(("method", "path", "_scope"), ENDPOINTS[1:])
def test_404_for_what_is_another_tenants(door, places, family, method, path, _scope):
    stranger = token(door, tenant="other")
    body = {"PUT": picture(), "PATCH": {"usage": "a"}}.get(method)
    door.run(Row(method, path.format(family=family, **places), stranger, body, 404, shows=refusal(404)))


def test_404_for_another_owners_upload_url_and_the_owner_is_none_the_worse(door, mine):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], token(door, name="colleague"), picture(), 404, shows=refusal(404)))
    door.run(Row("PUT", promise["uploadUrl"], mine, picture()))


def test_any_valid_token_of_the_same_owner_will_do_on_the_put(door, mine):
    promise = initiate(door, mine)
    door.pass_time(599.5)
    door.run(Row("PUT", promise["uploadUrl"], mine, picture(), 401))
    door.run(Row("PUT", promise["uploadUrl"], token(door), picture()))


@pytest.mark.parametrize(
    "twist",
    [
        lambda url: url.replace("sig=", "sig=0"),
        lambda url: re.sub(r"expire=\d+", "expire=99999999999", url),
        lambda url: url.partition("?")[0],
        lambda url: re.sub(r"/blobs/[^/]+/", "/blobs/b3RoZXI/", url),
        lambda url: re.sub(r"(/blobs/[^/]+/)[^?]+", r"\1%FF", url),
    ],
)
def test_404_for_an_upload_url_that_we_never_gave(door, mine, twist):
    promise = initiate(door, mine)
    door.run(Row("PUT", twist(promise["uploadUrl"]), mine, picture(), 404, shows=refusal(404)))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "acknowledged"}))


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/wdesk/content/images/upload"), ("POST", "/wdesk/operations/x"), ("GET", "/wdesk/oauth2/token")]
)
def test_405_in_the_vendors_form(door, mine, method, path):
    door.run(Row(method, path, mine, status=405, sends={"Allow": bool}, shows={"code": "405MethodNotAllowed"}))


def test_400_and_failed_for_a_put_of_nothing(door, mine):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine, b"", 400, {"Content-Type": "application/json"}, refusal(400, "empty")))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "failed", "details": says("EmptyBody", "image")}))
    door.run(Row("PUT", promise["uploadUrl"], mine, picture(), 409, shows=refusal(409)))


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "75000001"}, None])
def test_400_and_failed_for_a_put_over_the_limit(open_door, environ):
    door = open_door() if environ else open_door(SLIPWAY_WDESK_MAX_BYTES="50")
    who = token(door)
    promise = initiate(door, who)
    door.run(Row("PUT", promise["uploadUrl"], who, picture(), 400, shows=refusal(400, "limit"), environ=environ or CHUNKED))
    door.run(Row("GET", promise["operationLocation"], who, shows={"status": "failed", "details": says("TooLarge")}))


def test_as_many_bytes_as_the_limit_are_taken(open_door):
    door = open_door(SLIPWAY_WDESK_MAX_BYTES=str(len(picture())))
    who = token(door)
    door.run(Row("GET", uploaded(door, who)["operationLocation"], who, shows={"status": "completed"}))


def test_409_for_a_second_put(door, mine):
    promise = uploaded(door, mine)
    for again in (picture(), picture(shade=1), b""):
        door.run(Row("PUT", promise["uploadUrl"], mine, again, 409, shows=refusal(409)))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_409_for_a_second_put_that_is_refused_while_the_first_is_being_judged(door, mine):
    door.jobs.hold = True
    promise = uploaded(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine, b"x", 409, environ={"CONTENT_LENGTH": "75000001"}))
    door.jobs.run()
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_409_for_a_parallel_put_and_the_first_goes_on(door, mine):
    promise, second = initiate(door, mine), []
    answer = slowly(door, promise, mine, picture(), lambda: second.append(door.send("PUT", promise["uploadUrl"], mine, picture(shade=2))))
    assert (answer.status_code, second[0].status_code, second[0].get_json()["code"]) == (200, 409, "409Conflict")
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_a_put_that_is_refused_too_late_does_not_end_the_operation(door, mine):
    """It found the upload open, and was refused when another had finished it."""
    promise = uploaded(door, mine)
    who = door.access.bearer(mine["Authorization"])
    with pytest.raises(Moved, match="finished"):
        door.house.reception.cancel(door.house.library.operation(who, promise["operationId"]), problem(Code.EMPTY))


def test_a_client_that_leaves_may_put_again(door, mine):
    promise = initiate(door, mine)
    answer = door.send("PUT", promise["uploadUrl"], mine, picture(), {"CONTENT_LENGTH": str(len(picture()) + 1)})
    assert answer.status_code == 400
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "acknowledged"}))
    door.run(Row("PUT", promise["uploadUrl"], mine, picture(shade=3)))
    image = image_of(door, mine, promise)
    got = door.run(Row("GET", f"/wdesk/content/images/{image}", mine)).get_json()["downloadUrl"]
    assert door.run(Row("GET", got, mine)).get_data() == picture(shade=3)


@pytest.mark.parametrize("span", ["bytes 0-99/1000", "bytes 0-99/100", "nonsense", ""])
def test_400_for_a_piece_of_the_file_and_the_whole_may_follow(door, mine, span):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine | {"Content-Range": span}, picture()[:100], 400, shows=refusal(400, "Content-Range")))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "acknowledged"}))
    door.run(Row("PUT", promise["uploadUrl"], mine, picture()))


def test_a_declared_digest_is_verified(door, mine):
    promise = initiate(door, mine)
    door.run(
        Row("PUT", promise["uploadUrl"], mine | {"Content-Digest": digest_field(b"other")}, picture(), 400, shows=refusal(400, "digest"))
    )
    door.run(Row("PUT", promise["uploadUrl"], mine | {"Content-Digest": digest_field(picture())}, picture()))


def test_500_without_a_trace(door, mine, monkeypatch):
    def broken(_records):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(door.room.records), "now", broken)
    answer = door.run(Row("POST", "/wdesk/content/images/upload", mine, status=500))
    assert answer.get_json()["message"].startswith("The server encountered an unexpected condition")
    assert b"secret detail" not in answer.get_data()
    assert re.fullmatch(r"[0-9a-f]{32}", answer.get_json()["details"][0]["message"])


def test_503_with_retry_after(door, mine, monkeypatch):
    def down(*_):
        raise RecordsDown("Redis is away")

    monkeypatch.setattr(type(door.room.records), "commit", down)
    answer = door.run(Row("POST", "/wdesk/content/images/upload", mine, status=503, sends={"Retry-After": lambda v: int(v) > 0}))
    assert answer.get_json() == {"code": "503ServiceUnavailable", "message": envelope.PAGE[503]}


def test_503_from_the_store_fails_nothing(door, mine, monkeypatch):
    def down(*_, **__):
        raise StoreDown("full")

    promise = initiate(door, mine)
    with monkeypatch.context() as patch:
        patch.setattr(type(door.house.store), "write", down)
        door.run(Row("PUT", promise["uploadUrl"], mine, picture(), 503, {"Retry-After": bool}, refusal(503)))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "acknowledged"}))
    door.run(Row("PUT", promise["uploadUrl"], mine, picture()))

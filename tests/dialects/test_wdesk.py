"""The Wdesk door, row by row of what is published of it: token, initiate, PUT, poll, results, image, use, errors, limits."""

from __future__ import annotations

import io
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from app.core.errors import Code, Moved, RecordsDown, problem
from app.dialects.wdesk import envelope
from tests.dialects.house import BASE, CHUNKED, Row, basic, bearer, digest_field, has, says
from tests.dialects.pictures import picture

NEW, OLD = "/wdesk", "/wdesk/prototype/platform"
FAMILIES = pytest.mark.parametrize("family", [NEW, OLD])
TOKEN_PATHS = ["/wdesk/oauth2/token", "/wdesk/iam/v1/oauth2/token"]
HEX32 = re.compile(r"[0-9a-f]{32}")


def token(door, tenant="acme", role="editor", name="default", scope=None):
    client_id, secret = door.client_of(tenant, role, name)
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    return bearer(door.client.post("/wdesk/oauth2/token", data=form).get_json()["access_token"])


@pytest.fixture
def mine(door):
    return token(door)


def initiate(door, who, family=NEW, body=None):
    return door.run(Row("POST", f"{family}/content/images/upload", who, body, 202)).get_json()


def uploaded(door, who, content=None, family=NEW, name=None):
    promise = initiate(door, who, family, {"fileName": name} if name else None)
    door.run(Row("PUT", promise["uploadUrl"], who, content or picture()))
    return promise


def image_of(door, who, promise):
    found = door.run(Row("GET", promise["operationLocation"] + "/imageUploadResults", who)).get_json()
    return found["data"][0]["image"]


def refusal(status, *words):
    """A row's judgement of an error: the vendor's form, and these words in the message."""
    return {"code": f"{status}{envelope.NAMES[status]}", "message": says(*words)}


# ---------------------------------------------------------------- 1. auth


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


ENDPOINTS = [
    ("POST", "{family}/content/images/upload", "file:write"),
    ("GET", "{family}/operations/{operation}", None),
    ("GET", "{family}/operations/{operation}/imageUploadResults", "file:read"),
    ("GET", "{family}/content/images/{image}", "file:read"),
    ("PATCH", "{family}/content/images/{image}", "file:write"),
    ("PUT", "{put}", "file:write"),
    ("GET", "{download}", "file:read"),
]


@pytest.fixture
def places(door, mine):
    """A finished upload's URLs, and an uploadUrl that still waits."""
    promise = uploaded(door, mine)
    image = image_of(door, mine, promise)
    download = door.run(Row("GET", f"/wdesk/content/images/{image}", mine)).get_json()["downloadUrl"]
    return {"operation": promise["operationId"], "image": image, "put": initiate(door, mine)["uploadUrl"], "download": download}


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


# ---------------------------------------------------------------- 2. initiate


@FAMILIES
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (None, None),
        (None, "application/json"),
        (b'{"fileName": "a.png"}', "application/json"),
        (b'{"fileName": "a.png"}', "application/x-www-form-urlencoded"),
        (b'{"fileName": "a.png", "later": {"more": 1}}', "application/json"),
    ],
)
def test_initiate(door, mine, family, body, content_type):
    headers = mine | ({"Content-Type": content_type} if content_type else {})
    shown = door.run(
        Row(
            "POST",
            f"{family}/content/images/upload",
            headers,
            body,
            202,
            sends={"Content-Type": "application/json", "Retry-After": lambda v: 1 <= int(v) <= 60},
        )
    )
    promise = shown.get_json()
    assert set(promise) == {"uploadUrl", "operationId", "operationLocation"}
    assert shown.headers["Location"] == promise["operationLocation"] == f"{BASE}{family}/operations/{promise['operationId']}"
    url = urlsplit(promise["uploadUrl"])
    assert url.path.startswith("/wdesk/s/blob-storage/api/v1/blobs/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["action"] == "upload"
    assert int(query["expire"]) == pytest.approx(door.room.records.now() + 600, abs=5)
    assert query["sig"]


def test_initiate_with_a_chunked_body_of_nothing(door, mine):
    door.run(Row("POST", "/wdesk/content/images/upload", mine, b"", 202, environ=CHUNKED))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", ["JSON"]),
        (b"fileName=a.png", ["JSON"]),
        (b"[]", ["object"]),
        (b"{}", ["fileName"]),
        (b'{"fileName": ""}', ["fileName"]),
        (b'{"fileName": null}', ["fileName"]),
        (b'{"fileName": 7}', ["fileName"]),
        (b'{"fileName": "a\\u0000.png"}', ["NUL"]),
        (b'{"fileName": "' + b"a" * 256 + b'"}', ["255"]),
        (b'{"fileName": "' + b"a" * 1_100_000 + b'"}', ["1048576"]),
    ],
)
def test_initiate_refused(door, mine, body, words):
    headers = mine | {"Content-Type": "application/json"}
    door.run(Row("POST", "/wdesk/content/images/upload", headers, body, 400, {"Content-Type": "application/json"}, refusal(400, *words)))


@pytest.mark.parametrize(
    ("path", "deprecated"),
    [
        ("/wdesk/prototype/platform/content/images/upload", True),
        ("/wdesk/content/images/upload", False),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_deprecation_is_announced_on_the_old_family_whatever_the_answer(door, mine, path, deprecated, known):
    answer = door.send("POST", path, mine if known else None)
    assert answer.status_code == (202 if known else 401)
    assert answer.headers.get("Deprecation") == ("@1770854400" if deprecated else None)
    assert answer.headers.get("Sunset") == ("Sun, 31 Jan 2027 00:00:00 GMT" if deprecated else None)
    links = answer.headers.get("Link", "")
    assert ('rel="deprecation"' in links) is deprecated
    assert (f'<{BASE}/wdesk/content/images/upload>; rel="successor-version"' in links) is deprecated


# ---------------------------------------------------------------- 2. upload, poll, results, image


@FAMILIES
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_all_the_way(door, mine, family, kind):
    promise = initiate(door, mine, family, {"fileName": "my picture.bin"})
    waiting = door.run(Row("GET", promise["operationLocation"], mine, sends={"Retry-After": lambda v: 1 <= int(v) <= 60})).get_json()
    assert waiting["status"] == "acknowledged"
    assert "resourceUrl" not in waiting
    assert "details" not in waiting

    assert door.run(Row("PUT", promise["uploadUrl"], mine, picture(kind))).get_data() == b""

    done = door.run(
        Row("GET", promise["operationLocation"], mine, sends={"Retry-After": None, "Content-Type": "application/json"})
    ).get_json()
    assert set(done) == {"id", "status", "created", "updated", "originalRequest", "resourceUrl"}
    assert (done["id"], done["status"]) == (promise["operationId"], "completed")
    assert done["resourceUrl"] == f"{promise['operationLocation']}/imageUploadResults"
    assert done["created"]["user"] == {"id": "acme:default"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", done[x]["dateTime"]) for x in ("created", "updated"))
    assert datetime.fromisoformat(done["created"]["dateTime"]) <= datetime.fromisoformat(done["updated"]["dateTime"])
    UUID(done["originalRequest"])

    results = door.run(Row("GET", done["resourceUrl"], mine)).get_json()
    assert set(results) == {"data"}
    [result] = results["data"]
    assert result["type"] == "image"
    assert HEX32.fullmatch(result["image"])

    shown = door.run(Row("GET", f"{family}/content/images/{result['image']}", mine)).get_json()
    assert set(shown) == {"id", "fileName", "mimeType", "downloadUrl"}
    assert (shown["id"], shown["fileName"], shown["mimeType"]) == (result["image"], "my picture.bin", f"image/{kind.lower()}")
    assert urlsplit(shown["downloadUrl"]).path.startswith("/wdesk/")
    got = door.run(
        Row("GET", shown["downloadUrl"], mine, sends={"Content-Type": f"image/{kind.lower()}", "X-Content-Type-Options": "nosniff"})
    )
    assert got.get_data() == picture(kind)


@pytest.mark.parametrize(
    "declared", [None, "application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain", "no type"]
)
def test_the_put_takes_raw_bytes_of_any_declared_type(door, mine, declared):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine | ({"Content-Type": declared} if declared else {}), picture()))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_the_put_takes_a_chunked_body(door, mine):
    promise = initiate(door, mine)
    door.run(Row("PUT", promise["uploadUrl"], mine, picture(), environ=CHUNKED))
    door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed"}))


def test_a_file_without_a_name_is_called_after_what_it_is(door, mine):
    image = image_of(door, mine, uploaded(door, mine, picture("JPEG")))
    door.run(Row("GET", f"/wdesk/content/images/{image}", mine, shows={"fileName": "image.jpg", "mimeType": "image/jpeg"}))


@pytest.mark.parametrize(
    ("query", "status", "images"),
    [
        ("", 200, 1),
        ("?$maxpagesize=1", 200, 1),
        ("?$maxpagesize=1000", 200, 1),
        ("?$next=0", 200, 1),
        ("?$next=1", 200, 0),
        ("?other=1", 200, 1),
    ]
    + [
        (f"?${name}={value}", 400, 0)
        for name, value in (("maxpagesize", 0), ("maxpagesize", 1001), ("maxpagesize", "x"), ("next", "x"), ("next", -1))
    ],
)
@FAMILIES
def test_pages_of_results(door, mine, family, query, status, images):
    where = f"{family}/operations/{uploaded(door, mine)['operationId']}/imageUploadResults{query}"
    answer = door.run(Row("GET", where, mine, status=status))
    assert len(answer.get_json().get("data", [])) == images


def test_there_are_no_results_before_the_end(door, mine):
    promise = initiate(door, mine)
    door.run(Row("GET", f"{promise['operationLocation']}/imageUploadResults", mine, status=404, shows=refusal(404)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no image at all", "NotAnImage"),
        (picture()[:-20], "Truncated"),
        (b"%PDF-1.4 and so on", "TypeNotAllowed"),
        (picture("TIFF"), "TypeNotAllowed"),
    ],
)
def test_what_is_wrong_with_the_image_is_told_by_the_operation(door, mine, content, code):
    promise = uploaded(door, mine, content)
    failed = {
        "status": "failed",
        "resourceUrl": None,
        "details": lambda d: d[0]["code"] == code and d[0]["message"] and d[0]["target"],
    }
    door.run(Row("GET", promise["operationLocation"], mine, sends={"Retry-After": None}, shows=failed))


def test_fifty_megapixels_are_the_limit(open_door):
    door = open_door(SLIPWAY_WDESK_MAX_PIXELS="48")
    who = token(door)
    door.run(Row("GET", uploaded(door, who, picture(width=8, height=6))["operationLocation"], who, shows={"status": "completed"}))
    over = uploaded(door, who, picture(width=7, height=7))
    door.run(Row("GET", over["operationLocation"], who, shows={"status": "failed", "details": says("TooManyPixels", "49", "48")}))


# ---------------------------------------------------------------- 3. errors


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


class Slow(io.RawIOBase):
    """A body in two halves; `between` happens before the second."""

    def __init__(self, content: bytes, between) -> None:
        half = len(content) // 2
        self.pieces = [content[:half], content[half:]]
        self.between = between

    def readable(self):
        return True

    def readinto(self, room):
        if len(self.pieces) == 1 and self.between:
            self.between, between = None, self.between
            between()
        piece = self.pieces.pop(0) if self.pieces else b""
        room[: len(piece)] = piece
        return len(piece)


def slowly(door, promise, who, content, between):
    environ = {"wsgi.input": Slow(content, between), "CONTENT_LENGTH": str(len(content))}
    return door.send("PUT", promise["uploadUrl"], who, None, environ)


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


# ---------------------------------------------------------------- 4. limits


def test_ten_minutes_and_not_a_second_more(door, mine):
    in_time, late = initiate(door, mine), initiate(door, mine)
    door.pass_time(590)
    door.run(Row("PUT", in_time["uploadUrl"], token(door), picture()))
    door.pass_time(11)
    door.run(Row("PUT", late["uploadUrl"], token(door), picture(), 409, shows=refusal(409, "deadline")))
    door.sweep()
    who = token(door)
    door.run(Row("GET", in_time["operationLocation"], who, shows={"status": "completed"}))
    failed = {"status": "failed", "resourceUrl": None, "details": says("UploadExpired", "deadline")}
    door.run(Row("GET", late["operationLocation"], who, sends={"Retry-After": None}, shows=failed))
    door.run(Row("PUT", late["uploadUrl"], who, picture(), 409, shows=refusal(409)))


def test_a_put_that_runs_past_the_ten_minutes_is_cut(door):
    who = token(door)
    promise = initiate(door, who)
    answer = slowly(door, promise, who, picture(), lambda: door.pass_time(601))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "409Conflict")
    door.sweep()
    door.run(Row("GET", promise["operationLocation"], token(door), shows={"status": "failed"}))


def test_the_image_is_gone_after_24_hours_from_completion(door, mine):
    image = image_of(door, mine, uploaded(door, mine))
    where = f"/wdesk/content/images/{image}"
    download = door.run(Row("GET", where, mine)).get_json()["downloadUrl"]
    door.pass_time(24 * 3600 - 5)
    door.run(Row("GET", where, token(door)))
    door.pass_time(10)
    for sweep in (lambda: None, door.sweep, lambda: door.pass_time(1000), door.sweep):
        sweep()
        who = token(door)
        door.run(Row("GET", where, who, status=404, shows=refusal(404)))
        door.run(Row("GET", download, who, status=404, shows=refusal(404)))
        door.run(Row("PATCH", where, who, {"usage": "late"}, 404))


@FAMILIES
def test_used_images_stay(door, mine, family):
    image = image_of(door, mine, uploaded(door, mine))
    where = f"{family}/content/images/{image}"
    shown = door.run(Row("PATCH", where, mine, {"usage": "document 7, figure 1"})).get_json()
    assert shown == door.run(Row("GET", where, mine)).get_json()
    door.run(Row("PATCH", where, mine, {"usage": "document 7, figure 1"}))
    door.run(Row("PATCH", where, mine, {"usage": "another place"}, 409, shows=refusal(409, "used")))
    door.pass_time(48 * 3600)
    door.sweep()
    door.run(Row("GET", where, token(door)))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"usage": ""}', b'{"usage": 1}', b'{"usage": "' + b"u" * 513 + b'"}'])
def test_a_use_that_names_none(door, mine, body):
    image = image_of(door, mine, uploaded(door, mine))
    door.run(Row("PATCH", f"/wdesk/content/images/{image}", mine, body, 400, shows=refusal(400)))


def test_the_native_door_keeps_the_image_too(door, mine):
    image = UUID(image_of(door, mine, uploaded(door, mine)))
    door.run(Row("PATCH", f"/v1/assets/{image}", mine, {"usage": "elsewhere"}, shows={"kept": True}))
    door.run(Row("PATCH", f"/wdesk/content/images/{image.hex}", mine, {"usage": "here"}, 409))


def test_equal_bytes_twice_are_two_images(door, mine):
    first, second = (image_of(door, mine, uploaded(door, mine)) for _ in range(2))
    assert first != second
    door.run(Row("PATCH", f"/wdesk/content/images/{first}", mine, {"usage": "kept"}))
    door.pass_time(25 * 3600)
    door.sweep()
    door.pass_time(1000)
    door.sweep()
    who = token(door)
    door.run(Row("GET", f"/wdesk/content/images/{second}", who, status=404))
    got = door.run(Row("GET", f"/wdesk/content/images/{first}", who)).get_json()["downloadUrl"]
    assert door.run(Row("GET", got, who)).get_data() == picture()


@pytest.mark.parametrize("status", ["acknowledged", "queued", "cancelled"])
def test_the_states_between(door, mine, status):
    door.jobs.hold = True
    promise = initiate(door, mine)
    if status != "acknowledged":
        door.run(Row("PUT", promise["uploadUrl"], mine, picture()))
    if status == "cancelled":
        who = door.access.bearer(mine["Authorization"])
        door.house.reception.cancel(door.house.library.operation(who, promise["operationId"]))
    final = status == "cancelled"
    door.run(
        Row(
            "GET",
            promise["operationLocation"],
            mine,
            sends={"Retry-After": None if final else bool},
            shows={"status": status, "details": None},
        )
    )


def test_the_created_user_is_the_owner(door):
    who = token(door, name="somebody")
    door.run(Row("GET", initiate(door, who)["operationLocation"], who, shows={"created": has(user={"id": "acme:somebody"})}))

"""The native door, bytes in: one body, a form, digests, limits, names."""

from __future__ import annotations

import io

import pytest

from app.core.renditions import Spec
from tests.dialects.house import BASE, CHUNKED, Row, bearer, digest_field, has, says
from tests.dialects.pictures import picture

UPLOADS = "/v1/uploads"
PNG = {"Content-Type": "image/png"}
PROBLEM = {"Content-Type": "application/problem+json"}


def nothing_left(door):
    """No upload is open, and no byte is staged."""
    return door.house.store.staged_before(-1.0) is not None and not list(door.house.store.staged_before(-1.0))


# ---------------------------------------------------------------- who speaks


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer wrong", "Bearer sk_acme_wrong", "Bearer st_wrong", "Basic YTpi", "Token x"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", UPLOADS),
        ("GET", "/v1/uploads/x"),
        ("DELETE", "/v1/uploads/x"),
        ("POST", "/v1/uploads/x/parts"),
        ("POST", "/v1/uploads/x/complete"),
        ("GET", "/v1/operations/x"),
        ("POST", "/v1/operations/x/cancel"),
        ("DELETE", "/v1/operations/x"),
        ("GET", "/v1/assets/x"),
        ("PATCH", "/v1/assets/x"),
        ("DELETE", "/v1/assets/x"),
        ("GET", "/v1/assets/x/content"),
    ],
)
def test_401_without_a_key(door, method, path, sent):
    headers = {} if sent is None else {"Authorization": sent}
    sends = PROBLEM | {"WWW-Authenticate": says("Bearer")}
    door.run(Row(method, path, headers, status=401, sends=sends, shows={"code": "unauthenticated", "status": 401}))


def test_401_with_a_revoked_key(door):
    secret, credential = door.access.add_key("acme", "editor")
    door.access.revoke_key(credential.id)
    door.run(Row("POST", UPLOADS, bearer(secret) | PNG, picture(), 401))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", UPLOADS, "uploads:write"),
        ("DELETE", "/v1/uploads/x", "uploads:write"),
        ("POST", "/v1/operations/x/cancel", "operations:cancel"),
        ("PATCH", "/v1/assets/x", "assets:write"),
        ("DELETE", "/v1/assets/x", "assets:delete"),
    ],
)
def test_403_names_the_scope_that_a_viewer_lacks(door, method, path, scope):
    door.run(Row(method, path, door.key(role="viewer"), status=403, sends=PROBLEM, shows={"code": "forbidden", "scope": scope}))


# ---------------------------------------------------------------- one body


@pytest.mark.parametrize("environ", [{}, CHUNKED])
@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("JPEG", "image/jpg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("PNG", None),
        ("PNG", "application/octet-stream"),
        ("PNG", "application/x-www-form-urlencoded"),
        ("PNG", "image/jpeg"),
    ],
)
def test_a_body_all_the_way(door, mine, environ, kind, declared):
    headers = mine | ({"Content-Type": declared} if declared else {})
    sends = {"Retry-After": lambda v: int(v) > 0, "Content-Type": "application/json"}
    promise = door.run(Row("POST", UPLOADS, headers, picture(kind), 202, sends, environ=environ))
    op = promise.get_json()
    assert promise.headers["Location"] == promise.headers["Operation-Location"] == f"{BASE}/v1/operations/{op['id']}"
    done = door.run(Row("GET", promise.headers["Location"], mine, shows={"status": "completed", "kind": "ingest"})).get_json()
    asset = door.run(Row("GET", done["resourceUrl"], mine)).get_json()
    measured = {"mediaType": f"image/{kind.lower()}", "width": 8, "height": 6, "frames": 1, "size": len(picture(kind)), "kept": False}
    assert {name: asset[name] for name in measured} == measured
    assert asset["digest"].startswith("sha256:")
    assert asset["filename"] == {"JPEG": "image.jpg"}.get(kind, f"image.{kind.lower()}")
    got = door.run(Row("GET", asset["contentUrl"], mine, sends={"Content-Type": asset["mediaType"]}))
    assert got.get_data() == picture(kind)


@pytest.mark.parametrize(
    ("headers", "body", "environ", "status", "shows"),
    [
        (PNG, b"", {}, 400, {"code": "empty_body"}),
        (PNG, b"", CHUNKED, 400, {"code": "empty_body"}),
        ({"Content-Type": "text/html"}, b"x", {}, 415, {"code": "unsupported_media_type", "media_type": "text/html"}),
        ({"Content-Type": "image/svg+xml"}, b"<svg/>", {}, 415, {"code": "unsupported_media_type"}),
        (PNG, b"x", {"CONTENT_LENGTH": "75000001"}, 413, {"code": "too_large", "limit": 75_000_000}),
        (PNG, b"x", {"CONTENT_LENGTH": "x"}, 400, {"code": "bad_request"}),
        (PNG, b"x", {"CONTENT_LENGTH": "2"}, 408, {"code": "timeout"}),
    ],
)
def test_a_body_refused(door, mine, headers, body, environ, status, shows):
    door.run(Row("POST", UPLOADS, mine | headers, body, status, PROBLEM, shows | {"status": status}, environ))
    if status != 408:
        assert nothing_left(door)


def test_too_large_without_a_length_and_nothing_is_kept(open_door):
    door = open_door(SLIPWAY_V1_MAX_BYTES="100")
    who = door.key() | PNG
    door.run(Row("POST", UPLOADS, who, bytes(101), 413, PROBLEM, {"code": "too_large", "limit": 100}, CHUNKED))
    assert nothing_left(door)
    door.run(Row("POST", UPLOADS, who, bytes(100), 202, environ=CHUNKED))


@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        (digest_field(picture()), 202, None),
        (digest_field(picture(), "sha512"), 202, None),
        (f"md5=:AAAA:, {digest_field(picture())}", 202, None),
        ("md5=:AAAA:", 202, None),
        (digest_field(b"other"), 400, "digest_mismatch"),
        (digest_field(b"other", "sha512"), 400, "digest_mismatch"),
        (f"{digest_field(picture())}, {digest_field(b'other', 'sha512')}", 400, "digest_mismatch"),
        ("sha-256=not a digest", 400, "bad_request"),
        ("sha-256=:AAAA:", 400, "bad_request"),
        ("ü", 400, "bad_request"),
    ],
)
def test_digests_of_a_body(door, mine, field, value, status, code):
    door.run(Row("POST", UPLOADS, mine | PNG | {field: value}, picture(), status, shows={"code": code}))
    assert nothing_left(door)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no image", "not_an_image"),
        (picture()[:-20], "truncated"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type_not_allowed"),
    ],
)
def test_what_is_wrong_inside_is_told_by_the_operation(door, mine, content, code):
    where = door.run(Row("POST", UPLOADS, mine | PNG, content, 202)).headers["Location"]
    door.run(
        Row("GET", where, mine, sends={"Retry-After": None}, shows={"status": "failed", "problem": has(code=code), "resourceUrl": None})
    )


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\\\Temp\\\\a.png", "a.png"),
        ("ta\u202egnp.exe", "tagnp.exe"),
        ("a\r\nb.png", "ab.png"),
        ("фото.png", "фото.png"),
        ("a" * 255, "a" * 255),
    ],
)
def test_names_are_cleaned(door, mine, said, kept):
    where = door.run(Row("POST", UPLOADS, mine, {"filename": said}, 202)).get_json()
    assert where["upload"]["filename"] == kept


@pytest.mark.parametrize("said", ["a\0b.png", "a" * 256, "..", "/", "\u202e", " "])
def test_names_refused(door, mine, said):
    door.run(Row("POST", UPLOADS, mine, {"filename": said}, 422, PROBLEM, {"code": "bad_filename"}))


@pytest.mark.parametrize(
    ("query", "header", "kept"),
    [
        ("", None, "image.png"),
        ("?filename=q.png", None, "q.png"),
        ("", 'attachment; filename="h.png"', "h.png"),
        ("", "attachment; filename*=UTF-8''%D1%84.png", "ф.png"),
        ("?filename=q.png", 'attachment; filename="h.png"', "q.png"),
    ],
)
def test_where_the_name_of_a_body_comes_from(door, mine, query, header, kept):
    headers = mine | PNG | ({"Content-Disposition": header} if header else {})
    where = door.run(Row("POST", UPLOADS + query, headers, picture(), 202)).headers["Location"]
    resource = door.run(Row("GET", where, mine)).get_json()["resourceUrl"]
    door.run(Row("GET", resource, mine, shows={"filename": kept}))


# ---------------------------------------------------------------- forms


def form(door, who, environ=None, headers=None, **fields):
    return door.client.post(
        UPLOADS, data=fields, content_type="multipart/form-data", headers=who | (headers or {}), base_url=BASE, environ_overrides=environ
    )


@pytest.mark.parametrize("declared", ["image/png", "application/octet-stream", "image/jpeg"])
def test_a_form_all_the_way(door, mine, declared):
    answer = form(door, mine, note="before", file=(io.BytesIO(picture()), "../f.png", declared), after="x")
    assert answer.status_code == 202
    done = door.run(Row("GET", answer.headers["Location"], mine, shows={"status": "completed"})).get_json()
    asset = door.run(Row("GET", done["resourceUrl"], mine, shows={"filename": "f.png", "mediaType": "image/png"})).get_json()
    assert door.run(Row("GET", asset["contentUrl"], mine)).get_data() == picture()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"note": "no file"}, 400, "bad_request"),
        ({"file": (io.BytesIO(b""), "f.png", "image/png")}, 400, "empty_body"),
        ({"file": (io.BytesIO(b"x"), "f.html", "text/html")}, 415, "unsupported_media_type"),
        ({"file": (io.BytesIO(b"x"), "a" * 256, "image/png")}, 422, "bad_filename"),
        ({"a": (io.BytesIO(picture()), "a.png", "image/png"), "b": (io.BytesIO(picture()), "b.png", "image/png")}, 400, "bad_request"),
    ],
)
def test_a_form_refused(door, mine, fields, status, code):
    answer = form(door, mine, **fields)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert nothing_left(door)


def test_a_form_that_is_too_large(open_door):
    door = open_door(SLIPWAY_V1_MAX_BYTES="100")
    answer = form(door, door.key(), file=(io.BytesIO(bytes(101)), "f.png", "image/png"))
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert nothing_left(door)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"--b\r\nContent-Disposition: form-data; name=f; filename=f.png\r\n\r\nxy"])
def test_a_form_that_is_malformed(door, mine, body):
    door.run(Row("POST", UPLOADS, mine | {"Content-Type": "multipart/form-data; boundary=b"}, body, 400, PROBLEM))
    assert nothing_left(door)


def test_a_form_without_a_boundary(door, mine):
    door.run(Row("POST", UPLOADS, mine | {"Content-Type": "multipart/form-data"}, b"x", 400, PROBLEM, {"code": "bad_request"}))


def test_what_an_asset_takes_counts_its_renditions(door):
    who = door.key()
    made = door.send("POST", "/v1/uploads", {**who, "Content-Type": "image/png"}, picture())
    place = door.send("GET", made.headers["Location"], who).get_json()["resourceUrl"]
    before = door.send("GET", place, who).get_json()
    assert before["storedBytes"] == before["size"] == len(picture())
    of = door.house.library.asset(door.principal(), before["id"])
    spec = Spec(width=8, media_type="image/gif")
    door.house.rendering.request(of, spec)
    rendition = door.house.rendering.found(of, spec)
    assert door.send("GET", place, who).get_json()["storedBytes"] == before["size"] + rendition.facts.size

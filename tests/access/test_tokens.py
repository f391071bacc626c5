"""The token endpoint: what is sent -> status, error or scope."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import Access, TokenServer
from app.core.policy import Principal, Scope
from tests.services.keyring import MemoryKeyring

READ = frozenset({Scope.UPLOADS_READ, Scope.ASSETS_READ, Scope.OPERATIONS_READ})
WRITE = frozenset({Scope.UPLOADS_WRITE, Scope.ASSETS_WRITE})
SCOPES = {"file:read": READ, "file:write": WRITE, "file:all": READ | WRITE}
ID, SECRET = "demo:default", "s3cr-et_x"
GRANT = {"grant_type": "client_credentials"}
POST = {**GRANT, "client_id": ID, "client_secret": SECRET}


def basic(text, scheme="Basic"):
    raw = text if isinstance(text, bytes) else text.encode()
    return {"Authorization": f"{scheme} {base64.b64encode(raw).decode()}"}


def issue(keyring, form, headers=None, method="POST"):
    return TokenServer(keyring).issue(method, form, headers or {}, lifetime=599, scopes=SCOPES, default_scope="file:read file:write")


@pytest.fixture
def client(access):
    access.add_client("demo", ID, "editor", SECRET)
    return access


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        (POST, {}),
        (GRANT, basic(f"{ID}:{SECRET}")),
        (GRANT, basic(f"{ID}:{SECRET}", "basic")),
        (GRANT, basic(f"demo%3Adefault:{SECRET}")),
        (POST, basic(f"{ID}:{SECRET}")),
        (POST, {"Authorization": "Bearer st_the_last_one"}),
        ({**POST, "scope": "file:read file:write"}, {}),
        ({**POST, "scope": ""}, {}),
        ({**POST, "resource": "\N{SNOWMAN}" * 5_000, "audience": None}, {}),
    ],
)
def test_a_client_gets_a_token(client, keyring, form, headers):
    status, body, answer_headers = issue(keyring, form, headers)
    token = body.pop("access_token")
    assert (status, body) == (200, {"expires_in": 599, "scope": "file:read file:write", "token_type": "Bearer"})
    assert answer_headers["Cache-Control"] == "no-store"
    assert client.bearer(f"Bearer {token}") == Principal("demo", ID, READ | WRITE)
    assert token not in repr(keyring.tokens)
    (kept,) = keyring.tokens.values()
    assert (kept.issued_at, kept.expires_at, kept.metadata) == (1_000.0, 1_599.0, {"scope": "file:read file:write"})


@pytest.mark.parametrize(
    ("role", "asked", "granted", "scopes"),
    [
        ("editor", "file:read", "file:read", READ),
        ("editor", "file:write  file:write", "file:write", WRITE),
        ("editor", "file:all", "file:all", READ | WRITE),
        ("viewer", None, "file:read", READ),
        ("viewer", "file:read file:write", "file:read", READ),
        ("viewer", "file:write", None, None),
        ("viewer", "file:all", None, None),
        ("editor", "file:delete", None, None),
        ("editor", "file:read admin", None, None),
    ],
)
def test_the_scope_is_what_was_asked_for_and_the_role_covers(access, keyring, role, asked, granted, scopes):
    access.add_client("demo", ID, role, SECRET)
    status, body, _ = issue(keyring, POST if asked is None else {**POST, "scope": asked})
    if granted is None:
        assert (status, body["error"], keyring.tokens) == (400, "invalid_scope", {})
    else:
        assert (status, body["scope"]) == (200, granted)
        assert access.by_token(body["access_token"]).scopes == scopes


NOT_THE_CLIENT = (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "headers", "expected"),
    [
        pytest.param({**POST, "client_secret": "wrong"}, {}, NOT_THE_CLIENT, id="wrong secret"),
        pytest.param({**POST, "client_id": "demo:other"}, {}, NOT_THE_CLIENT, id="unknown client"),
        pytest.param({**POST, "client_id": "revoked"}, {}, NOT_THE_CLIENT, id="revoked client"),
        pytest.param({**GRANT, "client_id": ID}, {}, NOT_THE_CLIENT, id="no secret"),
        pytest.param(GRANT, {}, NOT_THE_CLIENT, id="nothing"),
        pytest.param(GRANT, basic(f"{ID}:wrong"), NOT_THE_CLIENT, id="basic, wrong secret"),
        pytest.param(GRANT, basic("nobody:x"), NOT_THE_CLIENT, id="basic, unknown"),
        pytest.param(GRANT, basic(ID.replace(":", "")), NOT_THE_CLIENT, id="basic, no colon"),
        pytest.param(GRANT, basic(b"\xff\xfe\x00:\x80"), NOT_THE_CLIENT, id="basic, binary"),
        pytest.param(GRANT, {"Authorization": "Basic !!!"}, NOT_THE_CLIENT, id="basic, no base64"),
        pytest.param(GRANT, {"Authorization": "Basic"}, NOT_THE_CLIENT, id="basic, nothing"),
        pytest.param(GRANT, basic("x" * 100_000), NOT_THE_CLIENT, id="basic, huge"),
        pytest.param(GRANT, {"Authorization": "Bearer x"}, NOT_THE_CLIENT, id="another scheme"),
        pytest.param(POST, basic(f"{ID}:wrong"), NOT_THE_CLIENT, id="a wrong header is not saved by a good body"),
        pytest.param({**POST, "grant_type": "password"}, {}, (400, "unsupported_grant_type"), id="another grant"),
        pytest.param({**POST, "grant_type": "Client_Credentials"}, {}, (400, "unsupported_grant_type"), id="case"),
        pytest.param({"client_id": ID, "client_secret": SECRET}, {}, (400, "invalid_request"), id="no grant"),
        pytest.param({}, {}, (400, "invalid_request"), id="empty"),
        pytest.param({**POST, "grant_type": ["client_credentials"] * 2}, {}, (400, "invalid_request"), id="grant twice"),
        pytest.param({**POST, "scope": {"a": 1}}, {}, (400, "invalid_request"), id="JSON object as scope"),
        pytest.param({**POST, "client_id": 5}, {}, (400, "invalid_request"), id="number as id"),
        pytest.param({**POST, "client_secret": None}, {}, (400, "invalid_request"), id="null as secret"),
        pytest.param({**POST, "client_secret": "x" * 100_000}, {}, (400, "invalid_request"), id="huge"),
        pytest.param({**POST, "client_id": "\x00\n\ud800"}, {}, (400, "invalid_request"), id="binary"),
    ],
)
def test_everybody_else_gets_an_error_of_rfc_6749(client, keyring, form, headers, expected):
    client.add_client("demo", "revoked", "editor", SECRET)
    client.revoke_client("revoked")
    status, body, answer_headers = issue(keyring, form, headers)
    assert (status, body["error"]) == expected
    assert answer_headers.get("WWW-Authenticate", "").startswith("Basic ") is (status == 401)
    assert "access_token" not in body
    assert not keyring.tokens


def test_an_unknown_client_and_a_wrong_secret_look_the_same(client, keyring):
    wrong, unknown = (issue(keyring, {**POST, **change}) for change in ({"client_secret": "wrong"}, {"client_id": "nobody"}))
    assert wrong == unknown


def test_only_post_gives_tokens(client, keyring):
    assert issue(keyring, POST, method="GET")[1]["error"] == "unsupported_grant_type"


def test_two_tokens_of_a_client_are_one_owner(client, keyring):
    tokens = [issue(keyring, POST)[1]["access_token"] for _ in range(2)]
    assert len({client.by_token(token).owner for token in tokens}) == 1
    assert len(set(tokens)) == 2


VALUES = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.sampled_from([ID, SECRET, "client_credentials"]))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(form=st.dictionaries(st.sampled_from([*POST, "scope", "x"]), VALUES), header=st.one_of(st.none(), st.text(), st.binary().map(basic)))
def test_no_input_is_an_error_of_ours(form, header):
    keyring = MemoryKeyring()
    access = Access(keyring)
    access.add_tenant("demo")
    access.add_client("demo", ID, "editor", SECRET)
    headers = header if isinstance(header, dict) else {"Authorization": header or ""}
    status, body, _ = issue(keyring, form, headers)
    assert (status, "access_token" in body) in {(200, True), (400, False), (401, False)}

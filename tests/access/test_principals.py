"""Tenants, keys, clients, users; and what becomes of an Authorization header."""

import pytest

from app.access.hashing import fingerprint
from app.core.credentials import Token
from app.core.errors import Code, UploadError
from app.core.policy import EDITOR, VIEWER, Principal, Scope


def refusal(call, *args):
    with pytest.raises(UploadError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize("name", ["a", "7", "demo", "a-b-", "x" * 63])
def test_a_tenant_is_new_once(access, name):
    assert [access.add_tenant(name), access.add_tenant(name)] == [name != "demo", False]
    assert name in access.tenants()


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a.b", "a/b", "x" * 64, "a\n", "ä", "a b"])
def test_what_is_no_tenant_name(access, name):
    with pytest.raises(ValueError, match="tenant name"):
        access.add_tenant(name)


def test_a_key_is_shown_once_and_only_its_hash_is_kept(access, keyring):
    secret, kept = access.add_key("demo", "editor", "laptop")
    prefix, tenant, rest = secret.split("_", 2)
    assert (prefix, tenant, len(rest)) == ("sk", "demo", 43)
    assert (kept.kind, kept.tenant, kept.role, kept.name, kept.secret_hash) == ("key", "demo", "editor", "laptop", fingerprint(secret))
    assert access.credentials("demo", "key") == [kept]
    assert secret not in repr(keyring.kept)


@pytest.mark.parametrize(("tenant", "role"), [("nobody", "editor"), ("demo", "owner"), ("demo", ""), ("", "editor")])
@pytest.mark.parametrize("make", ["add_key", "add_client", "add_user"])
def test_an_unknown_tenant_or_role_gets_no_credential(access, keyring, make, tenant, role):
    args = (tenant, role) if make == "add_key" else (tenant, "somebody", role)
    with pytest.raises(ValueError, match="no such"):
        getattr(access, make)(*args)
    assert not keyring.kept


def test_the_same_secret_is_the_same_key(access, keyring):
    first = access.put_key("demo", "viewer", "secret-of-old", "first")
    keyring.time += 5
    second = access.put_key("demo", "admin", "secret-of-old")
    assert (second.id, second.role, second.name, second.created_at) == (first.id, "admin", "first", first.created_at)
    assert len(access.credentials("demo", "key")) == 1
    with pytest.raises(ValueError, match="another tenant"):
        access.put_key("other", "admin", "secret-of-old")


def test_a_revoked_key_stays_revoked_when_it_is_put_again(access):
    kept = access.put_key("demo", "editor", "secret-of-old")
    assert [access.revoke_key(kept.id), access.revoke_key(kept.id), access.revoke_key("key_unknown")] == [True, False, False]
    access.put_key("demo", "editor", "secret-of-old")
    assert refusal(access.by_key, "secret-of-old").code is Code.UNAUTHENTICATED


def test_only_keys_of_the_tenant_are_listed(access):
    access.add_client("demo", "demo:default", "editor")
    access.add_user("demo", "ada", "editor")
    access.add_key("other", "editor")
    _, mine = access.add_key("demo", "editor")
    assert access.credentials("demo", "key") == [mine]


@pytest.mark.parametrize("kind", ["client", "user"])
def test_an_id_of_another_tenant_is_not_taken_over(access, kind):
    add = getattr(access, f"add_{kind}")
    add("demo", "shared", "editor")
    with pytest.raises(ValueError, match="another tenant"):
        add("other", "shared", "admin")


@pytest.mark.parametrize(("role", "scopes"), [("viewer", VIEWER), ("editor", EDITOR), ("admin", frozenset(Scope))])
def test_a_key_speaks_as_itself_with_the_scopes_of_its_role(access, role, scopes):
    secret, kept = access.add_key("demo", role)
    assert access.by_key(secret) == Principal("demo", kept.id, scopes)


# ---------------------------------------------------------------- the header


@pytest.fixture
def key(access):
    return access.add_key("demo", "editor")


@pytest.fixture
def token(access, keyring):
    access.add_client("demo", "demo:default", "editor")
    keyring.put_token(fingerprint("st_good"), Token(Principal("demo", "demo:default", VIEWER), 1_000.0, 1_599.0))
    return "st_good"


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}"])
def test_a_key_or_a_token_in_the_header(access, key, token, form):
    assert access.bearer(form.format(key[0])) == Principal("demo", key[1].id, EDITOR)
    assert access.bearer(form.format(token)) == Principal("demo", "demo:default", VIEWER)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "{key}",
        "Basic {key}",
        "Bearer {key} {key}",
        "Bearer {key},Bearer {key}",
        "Bearer {key}x",
        "Bearer " + "x" * 100_000,
        "Bearer st_",
        "Bearer st_forged",
        "Bearer sk_demo_forged",
        "Bearer \xe4\xf6\xff",
        "Bearer \ud800",
        "Bearer {key}\n",
        "Bearer {hash}",
    ],
)
def test_every_other_header_is_unauthenticated(access, key, header):
    shown = header and header.format(key=key[0], hash=key[1].secret_hash) if header and "{" in header else header
    error = refusal(access.bearer, shown)
    assert (error.code, dict(error.problem.facts)) == (Code.UNAUTHENTICATED, {})


def test_a_revoked_key_is_unauthenticated(access, key):
    access.revoke_key(key[1].id)
    assert refusal(access.bearer, f"Bearer {key[0]}").code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("secret", ["demo-client-secret", "anything"])
def test_a_clients_secret_is_no_key(access, secret):
    access.add_client("demo", "demo:default", "editor", secret)
    assert refusal(access.bearer, f"Bearer {secret}").code is Code.UNAUTHENTICATED


def revoked_and_back(access):
    access.revoke_client("demo:default")
    access.add_client("demo", "demo:default", "editor")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda access, _: access.revoke_token("st_good"), id="revoked"),
        pytest.param(lambda access, _: access.revoke_client("demo:default"), id="its client revoked"),
        pytest.param(lambda access, _: access.add_client("demo", "demo:default", "viewer", "x"), id="its client has another role"),
        pytest.param(lambda access, _: revoked_and_back(access), id="its client revoked, and made again"),
        pytest.param(lambda _, keyring: setattr(keyring, "time", 1_599.0), id="expired"),
        pytest.param(lambda _, keyring: keyring.kept.clear(), id="its client gone"),
    ],
)
def test_a_token_ends(access, keyring, token, end):
    keyring.time = 1_598.9
    assert access.by_token(token).owner == "demo:default"
    end(access, keyring)
    assert refusal(access.by_token, token).code is Code.UNAUTHENTICATED


def test_a_token_outlives_a_new_secret_of_its_client(access, keyring, token):
    keyring.time = 1_100.0
    access.add_client("demo", "demo:default", "editor", "a new secret")
    assert access.by_token(token).owner == "demo:default"


@pytest.mark.parametrize("password", ["correct horse", "pässwörd \N{SNOWMAN}", None])
def test_a_user_is_known_by_the_password(access, keyring, password):
    shown = access.add_user("demo", "ada", "viewer", password)
    assert access.by_password("ada", shown) == Principal("demo", "ada", VIEWER)
    assert shown not in repr(keyring.kept)
    for name, wrong in [
        ("ada", shown + "x"),
        ("ada", ""),
        ("ADA", shown),
        ("bob", shown),
        ("ada", keyring.kept["user", "ada"].secret_hash),
    ]:
        assert refusal(access.by_password, name, wrong).code is Code.UNAUTHENTICATED


def test_two_equal_passwords_are_kept_differently(access, keyring):
    access.add_user("demo", "ada", "viewer", "same")
    access.add_user("demo", "bob", "viewer", "same")
    assert keyring.kept["user", "ada"].secret_hash != keyring.kept["user", "bob"].secret_hash


@pytest.mark.parametrize(("scope", "allowed"), [(scope, scope in VIEWER) for scope in Scope])
def test_a_scope_is_required_by_name(access, scope, allowed):
    who = Principal("demo", "k", VIEWER)
    if allowed:
        access.require(who, scope)
    else:
        error = refusal(access.require, who, scope)
        assert (error.code, error.problem.facts["scope"]) == (Code.FORBIDDEN, scope.value)

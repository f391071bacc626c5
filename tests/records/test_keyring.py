"""Tenants, credentials, tokens."""

from dataclasses import replace

import pytest

from app.core.credentials import Credential, Token
from app.core.policy import EDITOR, Principal

KEY = Credential("k1", "key", "acme", "editor", "hash-1", "laptop", 10.0)
CLIENT = Credential("acme:default", "client", "acme", "admin", "hash-2", created_at=5.0)


@pytest.fixture
def keyring(room):
    return room.keyring


def test_tenants_are_added_once_and_listed_sorted(keyring):
    assert [keyring.add_tenant(name) for name in ("zoo", "acme", "zoo")] == [True, True, False]
    assert keyring.tenants() == ["acme", "zoo"]


@pytest.mark.parametrize("credential", [KEY, CLIENT, replace(KEY, kind="user", revoked_at=99.5)])
def test_a_credential_is_found_by_kind_and_id(keyring, credential):
    keyring.put(credential)
    assert keyring.credential(credential.kind, credential.id) == credential
    assert keyring.credential("other", credential.id) is None


@pytest.mark.parametrize(("credential", "found"), [(KEY, KEY), (CLIENT, None), (replace(KEY, kind="user"), None)])
def test_only_an_api_key_is_found_by_its_secret(keyring, credential, found):
    keyring.put(credential)
    assert keyring.by_secret_hash(credential.secret_hash) == found
    assert keyring.by_secret_hash("hash-9") is None


def test_a_replaced_secret_opens_nothing(keyring):
    keyring.put(KEY)
    keyring.put(replace(KEY, secret_hash="hash-new", name=""))
    assert keyring.by_secret_hash("hash-1") is None
    assert keyring.by_secret_hash("hash-new").name == ""


def test_credentials_are_listed_by_tenant_oldest_first(keyring):
    revoked = replace(KEY, id="k2", created_at=7.0, revoked_at=8.0)
    elsewhere = replace(KEY, id="k3", tenant="zoo")
    for credential in (KEY, CLIENT, revoked, elsewhere):
        keyring.put(credential)
    assert keyring.credentials("acme") == [CLIENT, revoked, KEY]
    assert keyring.credentials("nobody") == []
    keyring.put(replace(KEY, tenant="zoo"))
    assert keyring.credentials("acme") == [CLIENT, revoked]


def a_token(keyring, life):
    now = keyring.now()
    return Token(Principal("acme", "me", EDITOR), now, now + life, {"scope": "x"})


def test_a_token_is_kept_until_it_expires(keyring, raw):
    token = a_token(keyring, 60)
    keyring.put_token("t1", token)
    assert keyring.token("t1") == token
    assert 55_000 < raw.pttl("tok:t1") <= 60_000
    raw.set("test:shift", "61")
    assert keyring.token("t1") is None


def test_a_token_can_be_forgotten(keyring):
    keyring.put_token("t1", a_token(keyring, 60))
    keyring.drop_token("t1")
    assert keyring.token("t1") is None
    keyring.drop_token("t1")


@pytest.mark.parametrize("life", [0, -5])
def test_a_token_that_has_expired_is_not_kept(keyring, raw, life):
    keyring.put_token("t1", a_token(keyring, life))
    assert keyring.token("t1") is None
    assert raw.keys("tok:*") == []

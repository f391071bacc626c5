"""Logins of users: tokens that run out, sessions that go on, and everything that ends them."""

from dataclasses import replace

import pytest

from app.access import Sessions
from app.core.errors import Code, UploadError
from app.core.policy import EDITOR, VIEWER, Principal

HOUR, WEEK = 3600.0, 7 * 86400.0


def refusal(call, *args):
    with pytest.raises(UploadError) as caught:
        call(*args)
    return caught.value.problem


@pytest.fixture
def sessions(keyring):
    return Sessions(keyring)


@pytest.fixture
def session(access, sessions):
    access.add_user("demo", "anna", "editor", "her password")
    return sessions.begin(access.by_password("anna", "her password"), HOUR, WEEK)


def test_a_login_gives_a_token_that_speaks_for_the_user(access, keyring, session):
    assert session.who == Principal("demo", "anna", EDITOR)
    assert session.expires_at == keyring.now() + HOUR
    assert access.bearer(f"Bearer {session.token}") == session.who
    assert session.token not in repr(keyring.tokens)
    assert session.refresh_token not in repr(keyring.tokens)


def test_a_token_that_ran_out_is_told_from_one_that_never_was(access, keyring, session):
    keyring.time += HOUR - 1
    assert access.by_token(session.token) == session.who
    keyring.time += 1
    assert refusal(access.by_token, session.token).facts == {"expired_at": int(session.expires_at)}
    assert refusal(access.by_token, session.token + "x").facts == {}
    keyring.time += WEEK
    assert refusal(access.by_token, session.token).facts == {}


def test_the_same_refresh_token_gives_one_token_after_another(access, keyring, sessions, session):
    for _ in range(3):
        keyring.time += 2 * HOUR
        again = sessions.renew(session.refresh_token, HOUR)
        assert (again.who, again.id, again.refresh_token) == (session.who, session.id, session.refresh_token)
        assert access.by_token(again.token) == session.who


def test_no_token_outlives_its_session(access, keyring, sessions, session):
    keyring.time += WEEK - 10
    last = sessions.renew(session.refresh_token, HOUR)
    assert last.expires_at == keyring.now() + 10
    keyring.time += 10
    assert refusal(sessions.renew, session.refresh_token, HOUR).code is Code.UNAUTHENTICATED
    assert refusal(access.by_token, last.token).code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("shown", ["", "rt_", "rt_forged", "st_forged", "{token}", "{key}"])
def test_what_is_no_refresh_token_renews_nothing(access, sessions, session, shown):
    shown = shown.format(token=session.token, key=access.add_key("demo", "editor")[0])
    assert refusal(sessions.renew, shown, HOUR).code is Code.UNAUTHENTICATED


def test_a_refresh_token_speaks_for_nobody(access, session):
    assert refusal(access.bearer, f"Bearer {session.refresh_token}").code is Code.UNAUTHENTICATED
    assert refusal(access.by_token, session.refresh_token).code is Code.UNAUTHENTICATED


def test_the_end_of_a_session_ends_all_its_tokens_and_no_other(access, sessions, session):
    second = sessions.renew(session.refresh_token, HOUR)
    other = sessions.begin(session.who, HOUR, WEEK)
    sessions.end(second.token)
    for gone in (session.token, second.token):
        assert refusal(access.by_token, gone).facts == {}
    assert refusal(sessions.renew, session.refresh_token, HOUR).code is Code.UNAUTHENTICATED
    assert access.by_token(other.token) == session.who
    sessions.end(second.token)
    sessions.end("st_unknown")


@pytest.mark.parametrize("how", ["revoked", "new password"])
def test_a_user_who_is_revoked_or_gets_a_new_password_is_out_at_once(access, keyring, sessions, session, how):
    keyring.time += 1
    if how == "revoked":
        assert [access.revoke_user("anna"), access.revoke_user("anna"), access.revoke_user("nobody")] == [True, False, False]
    else:
        access.add_user("demo", "anna", "editor", "another password")
    assert refusal(access.by_token, session.token).facts == {}
    assert refusal(sessions.renew, session.refresh_token, HOUR).code is Code.UNAUTHENTICATED


def test_who_knows_the_password_of_a_revoked_user_is_told_so(access, keyring, session):
    access.revoke_user("anna")
    assert refusal(access.by_password, "anna", "her password").facts == {"revoked_at": int(keyring.now())}
    assert refusal(access.by_password, "anna", "a guess").facts == {}


def test_a_client_of_the_same_name_is_somebody_else(access, session):
    access.add_client("demo", "anna", "editor")
    access.revoke_client("anna")
    assert access.by_token(session.token) == session.who


def test_the_role_is_the_one_that_the_user_has_now(access, keyring, sessions, session):
    keyring.put(replace(keyring.credential("user", "anna"), role="viewer"))
    assert access.by_token(session.token).scopes == VIEWER

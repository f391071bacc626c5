"""How long the Nomad client may speak: tokens that run out, sessions that end, users who are turned away, and a limit of requests."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.clients.keys import TENANT, access
from tests.clients.narrow import A_SECOND, fresh_key, later, narrow
from tests.clients.nomad.sdk import Raised, Sdk, config

pytestmark = pytest.mark.live

TWO_HOURS = 7200  # a token lives one


@pytest.fixture
def user():
    """Somebody who has not been here before."""
    name = f"{uuid4().hex}@slipway.test"
    return {"username": name, "password": access(narrow()).add_user(TENANT, name, "editor")}


@pytest.fixture
def sdk(user):
    with Sdk(config(narrow(), **user)) as sdk:
        yield sdk


def uploads(sdk) -> list | None:
    return sdk("get_user_uploads", include_completed_uploads=True)


def test_a_token_that_ran_out_is_renewed_and_nobody_sees_it(sdk):
    with later(TWO_HOURS):
        assert (uploads(sdk), sdk.log) == ([], [])


def test_a_session_ends_with_its_logout(sdk):
    sdk("logout")
    assert sdk.log == []
    assert uploads(sdk) is None
    assert "401" in sdk.log[0]


def test_a_user_who_was_turned_away(user, sdk):
    access(narrow()).revoke_user(user["username"])
    assert uploads(sdk) is None
    assert "401" in sdk.log[0]
    with pytest.raises(Raised, match="Login failed during request sending"):
        sdk.begin(config(narrow(), **user))


def test_too_many_requests_are_a_plain_failure():
    with Sdk(config(narrow(), apiKey=fresh_key())) as sdk:
        for _ in range(50 * A_SECOND):
            if uploads(sdk) is None:
                break
        assert "429" in sdk.log[0]

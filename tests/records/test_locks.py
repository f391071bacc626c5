"""One writer at a time, for as long as it renews."""

import pytest

from app.core.timing import LOCK
from tests.records.samples import an_upload

UP = an_upload().ref


@pytest.fixture
def locks(room):
    return room.locks


def test_a_lock_has_one_holder_until_it_is_released(locks):
    token = locks.acquire(UP)
    assert token
    assert locks.acquire(UP) is None
    locks.release(UP, token)
    assert locks.acquire(UP)


@pytest.mark.parametrize("other", [an_upload("u2").ref, an_upload(tenant="other").ref])
def test_locks_of_others_are_others(locks, other):
    assert locks.acquire(UP)
    assert locks.acquire(other)


def test_a_lock_expires_and_renewing_puts_that_off(locks, raw):
    token = locks.acquire(UP)
    (key,) = raw.keys("*")
    assert 0 < raw.pttl(key) <= LOCK * 1000
    raw.pexpire(key, 5000)
    assert locks.renew(UP, token)
    assert raw.pttl(key) > LOCK * 1000 - 5000


def test_a_token_that_was_not_renewed_is_worth_nothing(locks, raw):
    late = locks.acquire(UP)
    raw.delete(*raw.keys("*"))  # as if its time had passed
    assert not locks.renew(UP, late)
    mine = locks.acquire(UP)
    assert not locks.renew(UP, late)
    locks.release(UP, late)
    assert locks.acquire(UP) is None
    assert locks.renew(UP, mine)

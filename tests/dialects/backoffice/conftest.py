"""Somebody with a key."""

from __future__ import annotations

import pytest

from tests.dialects.backoffice.speak import key


@pytest.fixture
def mine(door):
    return key(door)

"""Somebody with a token."""

from __future__ import annotations

import pytest

from tests.dialects.squidex.speak import token


@pytest.fixture
def mine(door):
    return token(door)

"""Somebody with a key."""

from __future__ import annotations

import pytest


@pytest.fixture
def mine(door):
    return door.key()

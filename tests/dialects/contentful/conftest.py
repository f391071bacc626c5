"""Somebody with a key of the space."""

from __future__ import annotations

import pytest


@pytest.fixture
def mine(door):
    return door.key()

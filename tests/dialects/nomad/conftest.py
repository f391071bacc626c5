"""Somebody who logged in."""

from __future__ import annotations

import pytest

from tests.dialects.nomad.speak import user


@pytest.fixture
def anna(door):
    return user(door)

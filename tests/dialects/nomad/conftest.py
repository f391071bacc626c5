"""Somebody who logged in, at a door of his own or at one that stands open for many rows."""

from __future__ import annotations

import pytest

from tests.dialects.house import Door
from tests.dialects.nomad.speak import user


@pytest.fixture
def anna(door):
    return user(door)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A door at which requests are refused, one after another, and somebody who makes them."""
    door = Door(tmp_path_factory.mktemp("standing"))
    yield door, user(door)
    door.close()

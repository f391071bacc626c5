"""Doors to knock at."""

from __future__ import annotations

import pytest

from tests.dialects.house import Door


@pytest.fixture
def open_door(tmp_path):
    """Makes a door: `open_door(packages=…, SLIPWAY_…="…")`."""
    doors = []

    def make(**wanted) -> Door:
        doors.append(Door(tmp_path, **wanted))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def door(open_door) -> Door:
    """A door with everything at its default."""
    return open_door()

import pytest

from tests.dialects.house import Door


@pytest.fixture
def door(tmp_path):
    door = Door(tmp_path)
    yield door
    door.close()

"""Somebody with a token, and what he uploaded."""

from __future__ import annotations

import pytest

from tests.dialects.house import Row
from tests.dialects.wdesk.speak import image_of, initiate, token, uploaded


@pytest.fixture
def mine(door):
    return token(door)


@pytest.fixture
def places(door, mine):
    """A finished upload's URLs, and an uploadUrl that still waits."""
    promise = uploaded(door, mine)
    image = image_of(door, mine, promise)
    download = door.run(Row("GET", f"/wdesk/content/images/{image}", mine)).get_json()["downloadUrl"]
    return {"operation": promise["operationId"], "image": image, "put": initiate(door, mine)["uploadUrl"], "download": download}

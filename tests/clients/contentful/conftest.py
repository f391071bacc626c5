"""What the tests of the Contentful clients share."""

import pytest

from tests.clients.node import Node


@pytest.fixture(scope="module")
def node():
    """The JavaScript client's two major versions, loaded."""
    with Node("contentful/driver.mjs") as node:
        yield node

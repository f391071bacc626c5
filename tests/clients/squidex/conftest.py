"""What the tests of the Squidex client share."""

import pytest

from tests.clients.node import Node
from tests.clients.squidex.app import options


@pytest.fixture(scope="module")
def node():
    """The client's package, loaded."""
    with Node("squidex/driver.mjs") as node:
        yield node


@pytest.fixture(scope="module")
def client(node):
    """A client with the credentials of the app, as a program keeps it."""
    return node.door("client", options())

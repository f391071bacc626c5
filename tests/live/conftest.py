"""What the tests with real processes share."""

import pytest
import redis

from tests.services.seaweed import Seaweed
from tests.services.up import Up

CLOCK = "test:clock"


@pytest.fixture(scope="session")
def seaweed():
    """The S3 server of this test process."""
    with Seaweed() as server:
        yield server


def records_of(up: Up) -> redis.Redis:
    """The embedded Redis of an `up`: db 1, the records."""
    return redis.Redis(unix_socket_path=str(up.data / "redis.sock"), db=1, decode_responses=True)


def broker_of(up: Up) -> redis.Redis:
    """The embedded Redis of an `up`: db 0, the broker."""
    return redis.Redis(unix_socket_path=str(up.data / "redis.sock"), db=0, decode_responses=True)

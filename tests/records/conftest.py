"""The same room over a fake and over a real Redis."""

import fakeredis
import pytest

from app.records import records_over
from app.records.link import connect
from tests.services.redis_server import RedisServer, shared

SHIFT = "test:shift"


@pytest.fixture(params=["fake", "real"])
def make_client(request):
    if request.param == "fake":
        server = fakeredis.FakeServer(version=(6, 2))
        return lambda: fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)
    shared().flush()
    return lambda: connect(shared().url)


@pytest.fixture
def raw(make_client):
    """A look behind the room."""
    return make_client()


@pytest.fixture
def room(make_client):
    room = records_over(make_client, SHIFT)
    yield room
    room.close()


@pytest.fixture
def records(room):
    return room.records


@pytest.fixture
def own_server():
    """A server that the test may pause, kill or fill."""
    with RedisServer(durable=True) as server:
        yield server

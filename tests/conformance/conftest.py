import pytest

from tests.conformance.rooms import Bucket, LocalRoom, MemoryRoom, S3Room, cleared
from tests.services.seaweed import Seaweed


@pytest.fixture(scope="session")
def seaweed():
    with Seaweed() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def bucket(seaweed, tmp_path_factory):
    return Bucket(seaweed, tmp_path_factory.mktemp("spool"))


@pytest.fixture
def s3(bucket):
    with cleared(S3Room(bucket)) as room:
        yield room


@pytest.fixture
def local(tmp_path):
    with cleared(LocalRoom(tmp_path / "store")) as room:
        yield room


@pytest.fixture
def memory():
    with cleared(MemoryRoom()) as room:
        yield room


@pytest.fixture(params=["local", "s3", "memory"])
def room(request):
    return request.getfixturevalue(request.param)

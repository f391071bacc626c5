import pytest

from app.access import Access
from tests.services.keyring import MemoryKeyring


@pytest.fixture
def keyring():
    return MemoryKeyring()


@pytest.fixture
def access(keyring):
    access = Access(keyring)
    access.add_tenant("demo")
    access.add_tenant("other")
    return access

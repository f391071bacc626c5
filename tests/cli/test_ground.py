"""The data folder: whose it is, what is kept in it."""

import io
import json

import pytest
from PIL import Image

from app.access import Access
from app.cli import ground, redis_server
from app.cli.ground import Taken, admit, occupy, picture
from app.core.errors import UploadError
from tests.services.keyring import MemoryKeyring

URL = "http://127.0.0.1:1"


def test_a_folder_has_one_owner(tmp_path):
    occupy(tmp_path)
    with pytest.raises(Taken, match=r"in use by process \d+"):
        occupy(tmp_path)


def test_credentials_are_made_once_and_the_url_is_renewed(tmp_path):
    here = occupy(tmp_path)
    first = dict(here.credentials(URL))
    second = here.credentials("http://elsewhere:2")
    assert second == {**first, "url": "http://elsewhere:2"}
    assert json.loads((tmp_path / "credentials.json").read_text()) == second
    assert len({first["api_key"], first["client_secret"], first["password"]}) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "x", "tenant": "demo"}', "null"])
def test_damaged_credentials_are_said_and_left_alone(tmp_path, text):
    file = tmp_path / "credentials.json"
    file.write_text(text)
    with pytest.raises(Taken, match="damaged"):
        occupy(tmp_path).credentials(URL)
    assert file.read_text() == text


def test_the_credentials_open_the_door_again_and_again(tmp_path):
    access, kept = Access(MemoryKeyring()), occupy(tmp_path).credentials(URL)
    for _ in range(2):
        admit(access, kept)
        assert access.by_key(kept["api_key"]).tenant == "demo"
        assert access.by_password(kept["username"], kept["password"]).tenant == "demo"
    assert len(access.credentials("demo", "key")) == 1


def test_what_was_revoked_stays_revoked(tmp_path):
    access, kept = Access(MemoryKeyring()), occupy(tmp_path).credentials(URL)
    admit(access, kept)
    access.revoke_key(access.credentials("demo", "key")[0].id)
    access.revoke_client(kept["client_id"])
    admit(access, kept)
    with pytest.raises(UploadError):
        access.by_key(kept["api_key"])
    assert access.keyring.credential("client", kept["client_id"]).revoked_at is not None


def test_a_folder_of_a_newer_redis_is_not_begun_anew(tmp_path, monkeypatch):
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    monkeypatch.setattr(redis_server, "version", lambda _: 6)
    with pytest.raises(Taken, match="written by Redis 7 or newer"):
        redis_server.program(tmp_path, tmp_path / "redis.conf", tmp_path / "redis.sock", {})


def test_the_version_of_the_server_is_understood():
    assert redis_server.version(redis_server.find({})) >= 6


def test_the_sample_is_a_sound_picture():
    image = Image.open(io.BytesIO(picture(64)))
    image.load()
    assert (image.format, image.size) == ("PNG", (64, 64))


def test_a_secret_is_kept(tmp_path):
    here = occupy(tmp_path)
    here.secret()
    kept = (tmp_path / "secret").read_text()
    here.secret()
    assert (tmp_path / "secret").read_text() == kept
    assert len(kept) >= 32
    assert ground.TENANT == "demo"

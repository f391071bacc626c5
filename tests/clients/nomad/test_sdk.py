"""PyPI nomad-media-pip 0.1.9, unmodified, in its own Python, against a real `slipway up`.

upload_asset (replace, continue, cancel; into a folder, over an asset, for a content), upload_related_asset, get_user_uploads, get_user_upload_parts,
get_asset, get_asset_details, create_folder_asset, create_placeholder_asset, update_asset, delete_asset, login, refresh_token, and what they are made of:
_start_upload, _upload_complete_asset, _cancel_upload. Its return values say little, so assets and bytes are looked at.

What else it offers for assets (move, copy, share, archive, annotate, transcribe …) belongs to a library of media, not to its uploads, and is not served.
"""

from __future__ import annotations

from random import Random
from uuid import uuid4

import pytest
import requests

from tests.clients.nomad.sdk import Raised, Sdk, config
from tests.services.pictures import photo
from tests.services.up import eventually, shared

pytestmark = pytest.mark.live

UNKNOWN = "0190d6e5-0000-7000-8000-000000000000"
CHUNK = 8 * 1024 * 1024  # the client's choice


@pytest.fixture(scope="module")
def sdk():
    with Sdk(config()) as sdk:
        yield sdk


@pytest.fixture
def put(tmp_path):
    """Writes a file for the client to upload; a name that nobody had before."""

    def write(content: bytes | None = None, name: str = "", ending: str = ".bin"):
        path = tmp_path / (name or f"{uuid4().hex}{ending}")
        path.write_bytes(b"some bytes" if content is None else content)
        return str(path)

    return write


def available(sdk, asset_id: str) -> dict:
    """The asset, when its bytes are where they belong."""
    eventually(lambda: sdk("get_asset", asset_id)["assetStatus"] == "Available", what=f"the asset {asset_id}")
    return sdk("get_asset", asset_id)


def content(asset: dict) -> bytes:
    answer = requests.get(asset["fullUrl"], headers=shared().bearer, timeout=60)
    assert answer.status_code == 200
    return answer.content


def upload(sdk, path: str, option: str = "replace", **named) -> str | None:
    """`upload_asset` with what most calls leave out."""
    return sdk("upload_asset", named.pop("name", None), named.pop("existing", None), named.pop("related", None), option, path, **named)


def mine(sdk, upload_id: str, *, completed: bool = False) -> dict | None:
    return next((one for one in sdk("get_user_uploads", include_completed_uploads=completed) if one["id"] == upload_id), None)


# ---------------------------------------------------------------- a whole upload


@pytest.mark.parametrize(
    "sent",
    [b"", b"x", photo(200, 100, "PNG", seed=41), Random(42).randbytes(CHUNK), Random(43).randbytes(2 * CHUNK + 1)],
    ids=["nothing", "a byte", "picture", "just a part", "three parts"],
)
def test_the_bytes_come_back(sdk, put, sent):
    path = put(sent)
    asset = available(sdk, upload(sdk, path))
    assert (sdk.log, content(asset)) == ([], sent)
    assert asset["displayName"] == path.rpartition("/")[2]


def test_an_asset_as_the_client_sees_it(sdk, put):
    asset_id = upload(sdk, put(photo(seed=44), ending=".jpg"), name="A cat", language_id="de")
    asset = available(sdk, asset_id)
    assert (asset["id"], asset["displayName"], asset["assetType"], asset["storageClass"]) == (asset_id, "A cat", "File", "Standard")
    assert sdk("get_asset_details", asset_id)["id"] == asset_id


def test_three_threads_send_parts(put):
    """As the client does it: its result is not to be trusted, its requests are all understood."""
    sent = Random(45).randbytes(3 * CHUNK)
    with Sdk(config(), threads=3) as sdk:
        asset_id = upload(sdk, put(sent))
        if asset_id is None:  # a part had another length than its place, which the signed URL refuses
            assert any("422" in line for line in sdk.log), sdk.log
        else:
            assert len(content(available(sdk, asset_id))) == len(sent)


# ---------------------------------------------------------------- where it goes


def test_into_a_folder(sdk, put):
    root = sdk("get_asset", available(sdk, upload(sdk, put()))["parentId"])
    assert (root["assetType"], root["displayName"]) == ("Folder", "incoming")
    name = f"Pictures {uuid4().hex}"
    folder = sdk("get_asset", sdk("create_folder_asset", root["id"], name)["id"])
    assert (folder["assetType"], folder["parentId"], folder["displayName"]) == ("Folder", root["id"], name)
    asset = available(sdk, upload(sdk, put(), parent_id=folder["id"]))
    assert asset["parentId"] == folder["id"]


def test_a_parent_that_is_none(sdk, put):
    for parent in (UNKNOWN, available(sdk, upload(sdk, put()))["id"]):
        assert upload(sdk, put(), parent_id=parent) is None
        assert "400" in sdk.log[0]


def test_a_placeholder_waits_for_its_bytes(sdk, put):
    parent = available(sdk, upload(sdk, put()))["parentId"]
    name = f"to come {uuid4().hex}.bin"
    placeholder = sdk("get_asset", sdk("create_placeholder_asset", parent, name)["id"])
    assert (placeholder["assetStatus"], placeholder["displayName"]) == ("Placeholder", name)
    assert upload(sdk, put(b"came"), existing=placeholder["id"]) == placeholder["id"]
    assert content(available(sdk, placeholder["id"])) == b"came"


# ---------------------------------------------------------------- again


def test_replace_keeps_the_asset(sdk, put):
    path = put(b"first")
    first = available(sdk, upload(sdk, path))
    put(b"second", path.rpartition("/")[2])
    assert upload(sdk, path) == first["id"]
    eventually(lambda: content(available(sdk, first["id"])) == b"second", what="the new bytes")


def test_an_asset_is_replaced_by_its_id(sdk, put):
    asset = available(sdk, upload(sdk, put(b"first"), name="stays"))
    assert upload(sdk, put(b"second"), existing=asset["id"], name="ignored") == asset["id"]
    eventually(lambda: content(available(sdk, asset["id"])) == b"second", what="the new bytes")
    assert sdk("get_asset", asset["id"])["displayName"] == "stays"
    assert upload(sdk, put(), existing=UNKNOWN) is None


def test_continue_goes_on_where_it_ended(sdk, put):
    sent = Random(46).randbytes(CHUNK + 5)
    path = put(sent)
    begun = sdk("_start_upload", None, None, None, "replace", path, None, None, None)
    first = begun["parts"][0]
    etag = requests.put(first["url"], data=sent[:CHUNK], timeout=60).headers["ETag"]
    sdk("_upload_asset_part_complete", first["id"], etag)
    assert [part["isCompleted"] for part in sdk("get_user_upload_parts", begun["id"])] == [True, False]

    assert upload(sdk, path, "continue") == begun["assetId"]
    assert content(available(sdk, begun["assetId"])) == sent
    assert (mine(sdk, begun["id"]), mine(sdk, begun["id"], completed=True)["id"]) == (None, begun["id"])


def test_continue_with_another_length(sdk, put):
    path = put(b"ten bytes.")
    sdk("_start_upload", None, None, None, "replace", path, None, None, None)
    put(b"more than ten bytes", path.rpartition("/")[2])
    assert upload(sdk, path, "continue") is None
    assert "400" in sdk.log[0]


def test_cancel_by_the_page(sdk, put):
    """ "Cancel cancels an uploading asset." The client then completes what it cancelled, and believes itself."""
    path = put()
    begun = sdk("_start_upload", None, None, None, "replace", path, None, None, None)
    assert mine(sdk, begun["id"])["assetId"] == begun["assetId"]
    assert upload(sdk, path, "cancel") == begun["assetId"]
    assert "400" in sdk.log[0] or "409" in sdk.log[0]
    assert mine(sdk, begun["id"]) is None


def test_cancel_where_there_is_an_asset(sdk, put):
    path = put()
    available(sdk, upload(sdk, path))
    assert upload(sdk, path, "cancel") is None
    assert "400" in sdk.log[0]


def test_cancelling_twice_or_too_late_harms_nothing(sdk, put):
    begun = sdk("_start_upload", None, None, None, "replace", put(), None, None, None)
    for _ in range(2):
        sdk("_cancel_upload", begun["id"])
        assert sdk.log == []
    path = put(b"done")
    done = sdk("_start_upload", None, None, None, "replace", path, None, None, None)
    upload(sdk, path, "continue")
    sdk("_cancel_upload", done["id"])
    assert sdk.log == []
    assert content(available(sdk, done["assetId"])) == b"done"


# ---------------------------------------------------------------- what goes with an asset


def test_a_related_asset(sdk, put):
    film = available(sdk, upload(sdk, put(b"a film")))
    path = put(b"its words", ending=".vtt")
    related = sdk("upload_related_asset", film["id"], None, "Subtitle", "replace", path, "en")
    assert sdk.log == []
    [kept] = sdk("get_asset_details", film["id"])["relatedAssets"]
    assert (kept["id"], path.rpartition("/")[2] in kept["url"]) == (related, True)
    assert requests.get(kept["url"], headers=shared().bearer, timeout=30).content == b"its words"


def test_an_asset_for_a_content(sdk, put):
    contents = uuid4().hex
    asset_id = upload(sdk, put(b"for a content"), related=contents)
    assert content(available(sdk, asset_id)) == b"for a content"
    assert contents in str(sdk("get_asset_details", asset_id))


def test_a_new_name_and_the_end(sdk, put):
    asset = available(sdk, upload(sdk, put()))
    assert sdk("update_asset", asset["id"], display_name="renamed")["id"] == asset["id"]
    assert sdk("get_asset", asset["id"])["displayName"] == "renamed"
    sdk("delete_asset", asset["id"])
    assert sdk.log == []
    assert sdk("get_asset", asset["id"]) is None
    assert "404" in sdk.log[0]


# ---------------------------------------------------------------- what goes wrong


def test_what_is_not_there(sdk):
    for call in ("get_asset", "get_asset_details", "get_user_upload_parts", "delete_asset", "_cancel_upload", "_upload_complete_asset"):
        assert sdk(call, UNKNOWN) is None
        assert "404" in sdk.log[0], call


@pytest.mark.parametrize(
    ("call", "args"),
    [
        ("duplicate_asset", ()),
        ("archive_asset", ()),
        ("get_asset_metadata_summary", ()),
        ("get_asset_parent_folders", (10,)),
        ("update_asset_language", ("de",)),
    ],
)
def test_what_is_not_served_is_not_found(sdk, put, call, args):
    asset_id = available(sdk, upload(sdk, put()))["id"]
    assert sdk(call, asset_id, *args) is None
    assert "404" in sdk.log[0]


def test_options_that_nobody_knows(sdk, put):
    assert upload(sdk, put(), "overwrite") is None
    assert "400" in sdk.log[0]
    assert upload(sdk, put(), upload_replace_option=["ReplaceEverything"]) is None
    assert "400" in sdk.log[0]


def test_parts_that_are_missing(sdk, put):
    begun = sdk("_start_upload", None, None, None, "replace", put(), None, None, None)
    assert sdk("_upload_complete_asset", begun["id"]) is None
    assert "400" in sdk.log[0]


def test_a_password_that_is_wrong(sdk):
    with pytest.raises(Raised, match="Login info incorrect"), Sdk(config() | {"password": "wrong"}):
        pass


def test_a_forged_token_is_a_plain_failure(put):
    with Sdk(config()) as sdk:
        sdk.keep(token="st_forged")
        assert upload(sdk, put()) is None
        assert "401" in sdk.log[0]


def test_a_session_is_renewed(sdk):
    sdk("refresh_token")
    assert sdk.log == []
    assert sdk("get_user_uploads", include_completed_uploads=False) is not None


def test_a_key_instead_of_a_password(put):
    with Sdk(config(apiKey=shared().credentials["api_key"])) as sdk:
        asset_id = upload(sdk, put(b"with a key"))
        assert content(available(sdk, asset_id)) == b"with a key"

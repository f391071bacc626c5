"""What the Squidex client makes of a limit of requests, and of a file that we are to fetch."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.clients.keys import TENANT, access
from tests.clients.narrow import A_SECOND, Files, narrow
from tests.clients.node import Refused
from tests.clients.squidex.app import file_hash, options
from tests.services.pictures import photo

pytestmark = pytest.mark.live

LOGO = photo(200, 100, "PNG", seed=61)


@pytest.fixture
def distant(node):
    """A client of the house with narrow limits, which has asked for nothing yet."""
    name = f"{TENANT}:{uuid4().hex}"
    return node.door("client", options(narrow(), clientId=name, clientSecret=access(narrow()).add_client(TENANT, name, "editor")))


def test_too_many_requests(distant):
    """This client waits for nothing and tries nothing again."""

    def spend() -> None:
        for _ in range(50 * A_SECOND):
            distant("assets.getTags")

    with pytest.raises(Refused) as thrown:
        spend()
    assert (thrown.value.kind, thrown.value.status) == ("SquidexError", 429)


@pytest.mark.parametrize("call", ["postAsset", "postUpsertAsset", "putAssetContent"])
def test_a_file_that_is_fetched(distant, call):
    name, before = f"{uuid4().hex}.png", []
    with Files(logo=(LOGO, "image/png")) as files:
        given = {"url": f"{files.url}/logo", "name": name}
        if call != "postAsset":
            before = [distant("assets.postAsset", given)["id"] if call == "putAssetContent" else uuid4().hex]
        asset = distant(f"assets.{call}", *before, given)
    assert (asset["fileName"], asset["fileSize"], asset["fileHash"]) == (name, len(LOGO), file_hash(LOGO, name))
    assert (asset["mimeType"], asset["isImage"], asset["fileVersion"]) == ("image/png", True, int(call == "putAssetContent"))
    assert distant("assets.getAssetContentBySlug", asset["id"], {}).bytes == LOGO


def test_a_file_that_cannot_be_fetched(distant, client):
    with Files(logo=(LOGO, "image/png")) as files:
        for who, url in ((distant, f"{files.url}/nothing"), (client, f"{files.url}/logo")):  # the other house asks no machine of its own
            with pytest.raises(Refused) as thrown:
                who("assets.postAsset", {"url": url, "name": "logo.png"})
            assert (thrown.value.kind, thrown.value.body["details"]) == ("SquidexBadRequestError", ["Failed to download file."])

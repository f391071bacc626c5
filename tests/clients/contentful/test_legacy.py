"""npm contentful-management 12 and 11, the nested client, unmodified, against a real `slipway up`.

client: getSpace. space: getEnvironment. environment: createUpload, getUpload, createAsset, createAssetWithId, createAssetFromFiles, getAsset, getAssets,
getAssetsWithCursor, getPublishedAssets, getPublishedAssetsWithCursor, getAssetFromData. upload: delete. asset: processForLocale, processForAllLocales,
update, publish, unpublish, archive, unarchive, delete, isDraft, isPublished, isUpdated, isArchived.
"""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.clients.contentful.space import ENVIRONMENT, NOT_FOUND, QUICK, SPACE, downloaded, file_of, is_an_upload, options
from tests.clients.node import Refused, bytes_, stream
from tests.services.pictures import photo

pytestmark = pytest.mark.live

PICTURE = photo(90, 70, "PNG", seed=11)
STATES = ("isDraft", "isPublished", "isUpdated", "isArchived")


@pytest.fixture(params=["12", "11"])
def environment(request, node):
    """The nested client, walked down to the environment. The older version is nested unless it is told otherwise."""
    how = [{"type": "legacy"}] if request.param == "12" else []
    space = node.door(f"{request.param}.createClient", options(), *how)("getSpace", SPACE)
    assert (space["sys"]["id"], space["sys"]["type"]) == (SPACE, "Space")
    environment = space("getEnvironment", ENVIRONMENT)
    assert (environment["sys"]["id"], environment["sys"]["type"]) == (ENVIRONMENT, "Environment")
    return environment


def processed(environment):
    upload = environment("createUpload", {"file": bytes_(PICTURE)})["sys"]["id"]
    asset = environment("createAsset", {"fields": {"title": {"en-US": "cat"}, "file": {"en-US": file_of(upload)}}})
    return asset("processForAllLocales", QUICK)


def states(asset) -> set[str]:
    return {state for state in STATES if asset(state).value}


def refused(act) -> tuple[str, dict]:
    with pytest.raises(Refused) as thrown:
        act()
    return thrown.value.name, json.loads(thrown.value.message)


@pytest.mark.parametrize("file", [bytes_(PICTURE), stream(PICTURE)], ids=["buffer", "stream"])
def test_an_upload(environment, file):
    upload = environment("createUpload", {"file": file})
    is_an_upload(upload["sys"])
    again = environment("getUpload", upload["sys"]["id"])
    assert again.value == upload.value
    again("delete")  # names the upload where the environment belongs
    name, said = refused(lambda: environment("getUpload", upload["sys"]["id"]))
    assert (name, said["status"], said["details"]) == ("NotFound", 404, NOT_FOUND)


def test_files_become_an_asset(environment):
    fields = {
        "title": {"en-US": "cat"},
        "description": {"en-US": ""},
        "file": {locale: {"contentType": "image/png", "fileName": "cat.png", "file": bytes_(PICTURE)} for locale in ("en-US", "de-DE")},
    }
    done = environment("createAssetFromFiles", {"fields": fields})("processForAllLocales", QUICK)
    assert [downloaded(done["fields"]["file"][locale]["url"]) for locale in ("en-US", "de-DE")] == [PICTURE, PICTURE]


def test_one_locale_after_the_other(environment):
    upload = environment("createUpload", {"file": bytes_(PICTURE)})["sys"]["id"]
    asset_id = uuid4().hex
    fields = {"file": {"en-US": file_of(upload), "de-DE": file_of(upload)}}
    first = environment("createAssetWithId", asset_id, {"fields": fields})("processForLocale", "en-US", QUICK)
    assert ("url" in first["fields"]["file"]["en-US"], "url" in first["fields"]["file"]["de-DE"]) == (True, False)
    second = first("processForLocale", "de-DE", QUICK)
    assert downloaded(second["fields"]["file"]["de-DE"]["url"]) == PICTURE
    assert environment("getAsset", asset_id).value == second.value


def test_the_life_of_an_asset(environment):
    asset = processed(environment)
    assert states(asset) == {"isDraft"}
    asset = asset("publish")
    assert states(asset) == {"isPublished"}
    asset.set("fields.title", {"en-US": "dog"})
    asset = asset("update")
    assert (states(asset), asset["fields"]["title"]) == ({"isPublished", "isUpdated"}, {"en-US": "dog"})
    asset = asset("unpublish")
    assert states(asset) == {"isDraft"}
    asset = asset("archive")
    assert states(asset) == {"isDraft", "isArchived"}
    asset = asset("unarchive")
    assert states(asset) == {"isDraft"}
    asset("delete")
    assert refused(lambda: environment("getAsset", asset["sys"]["id"]))[0] == "NotFound"


def test_an_object_made_from_data_is_an_asset(environment):
    asset = processed(environment)
    data = asset("toPlainObject").value
    again = environment("getAssetFromData", {**data, "fields": {**data["fields"], "title": {"en-US": "made from data"}}})
    assert again("update")["fields"]["title"] == {"en-US": "made from data"}
    assert refused(lambda: asset("update"))[0] == "VersionMismatch"


def test_lists(environment):
    draft, asset = processed(environment), processed(environment)("publish")
    both = {"sys.id[in]": f"{draft['sys']['id']},{asset['sys']['id']}", "order": "sys.createdAt", "limit": 1}
    assert environment("getAssets", both)["total"] == 2
    published = environment("getPublishedAssets", both)
    assert [item["sys"]["id"] for item in published["items"]] == [asset["sys"]["id"]]

    first = environment("getAssetsWithCursor", both)
    second = environment("getAssetsWithCursor", {**both, "pageNext": first["pages"]["next"]})
    assert [page["items"][0]["sys"]["id"] for page in (first, second)] == [draft["sys"]["id"], asset["sys"]["id"]]
    assert environment("getPublishedAssetsWithCursor", both)["items"] == published["items"]
    assert second("items.0.unpublish")["sys"]["version"] == asset["sys"]["version"] + 1  # what is listed has methods


def test_steps_that_do_not_follow(environment):
    asset = processed(environment)
    for step, words in (("unpublish", "Not published"), ("unarchive", "Not archived")):
        name, said = refused(lambda step=step: asset(step))
        assert (name, said["status"], said["message"]) == ("BadRequest", 400, words)
    asset = asset("publish")
    for step, words in (("archive", "Cannot archive published"), ("delete", "Cannot delete published")):
        name, said = refused(lambda step=step: asset(step))
        assert (name, said["status"], said["message"]) == ("BadRequest", 400, words)

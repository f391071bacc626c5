"""npm @squidex/squidex 2.0, unmodified, against a real `slipway up`: every method of its `assets`.

postAsset, postUpsertAsset, putAssetContent, getAsset, getAssets, getAssetsPost, putAsset, putAssetParent, deleteAsset, bulkUpdateAssets, getTags, putTag,
getAssetContent, getAssetContentBySlug (and their Raw forms); postAssetFolder, getAssetFolders, putAssetFolder, putAssetFolderParent, deleteAssetFolder.
"""

from __future__ import annotations

import io
import json
from uuid import uuid4

import pytest
import requests
from PIL import Image

from tests.clients.keys import TENANT, viewers_client
from tests.clients.node import Refused, blob, file
from tests.clients.squidex.app import ROOT, file_hash, options
from tests.services.pictures import photo
from tests.services.up import eventually, shared

pytestmark = pytest.mark.live

UNKNOWN = "0190d6e5-0000-7000-8000-000000000000"
LIMIT = 5 * 1024 * 1024  # of the whole request


def picture(width: int = 120, height: int = 80, fmt: str = "PNG") -> bytes:
    """One that nobody has uploaded before."""
    return photo(width, height, fmt, seed=uuid4().int)


def posted(client, content: bytes | None = None, name: str = "a pic.png", type: str = "image/png", **more):
    return client("assets.postAsset", {"file": file(content or picture(), name, type), **more})


def folder(client, name: str = "Pictures", **more) -> str:
    return client("assets.postAssetFolder", {"folderName": name, **more})["id"]


def content(client, asset, **query) -> bytes:
    return client("assets.getAssetContentBySlug", asset["id"], query).bytes


def refused(act) -> Refused:
    with pytest.raises(Refused) as thrown:
        act()
    return thrown.value


def invalid(act, *details: str) -> None:
    """A refusal as the client reports it: the class, and in the body what its reader needs."""
    thrown = refused(act)
    assert (thrown.kind, thrown.status, thrown.body["message"]) == ("SquidexBadRequestError", 400, "Validation error")
    assert thrown.body["details"] == list(details)


# ---------------------------------------------------------------- uploads


def test_an_image_as_the_client_sees_it(client):
    name, sent = f"{uuid4().hex} Logo.PNG", picture(600, 400)
    asset = posted(client, sent, name).value
    slug = name.lower().replace(" ", "-")
    assert (asset["fileName"], asset["slug"], asset["fileType"], asset["mimeType"]) == (name, slug, "png", "image/png")
    assert (asset["fileHash"], asset["fileSize"], asset["fileVersion"], asset["version"]) == (file_hash(sent, name), len(sent), 0, 0)
    assert (asset["type"], asset["isImage"], asset["pixelWidth"], asset["pixelHeight"]) == ("Image", True, 600, 400)
    assert asset["tags"] == ["type/png", "image", "image/medium"]
    assert asset["metadataText"] == f"600x400px, {len(sent) / 1024:.1f} kB".replace(".0 ", " ")
    assert (asset["parentId"], asset["isProtected"], "meta" in asset) == (ROOT, False, False)
    assert asset["createdBy"] == asset["lastModifiedBy"] == f"client:{shared().credentials['client_id']}"
    assert asset["created"].endswith("Z")
    assert {"self", "update", "move", "upload", "delete", "content", "content/slug"} <= set(asset["links"])
    assert asset["links"]["self"]["href"].endswith(f"/api/apps/{TENANT}/assets/{asset['id']}")
    assert client("assets.getAsset", asset["id"]).value == asset


def test_the_bytes_come_back_by_each_address(client):
    sent = picture()
    asset = posted(client, sent, f"{uuid4().hex}.png")
    assert content(client, asset) == sent
    assert client("assets.getAssetContentBySlug", asset["slug"], {}).bytes == sent
    assert client("assets.getAssetContent", asset["id"], {}).bytes == sent
    link = asset["links"]["content"]["href"]
    assert requests.get(shared().url + link, timeout=30).content == sent  # nobody has to say who he is


@pytest.mark.parametrize(
    ("given", "name", "type", "kind"),
    [
        (file(b"just words", "notes.txt", "text/plain"), "notes.txt", "text/plain", "txt"),
        (blob(b"bytes without a name"), "blob", "application/octet-stream", "blob"),
        (file(b"\x89PNG no picture", "broken.png", "image/png"), "broken.png", "image/png", "png"),
        (file(photo(20, 10, "JPEG", seed=31), "photo.jpeg", "image/jpeg"), "photo.jpeg", "image/jpeg", "jpg"),
        (file(photo(20, 10, "JPEG", seed=32), "lie.png", "image/png"), "lie.png", "image/png", "png"),
    ],
    ids=["text", "blob", "no picture", "jpeg", "declared otherwise"],
)
def test_any_file_is_taken_with_the_type_that_it_says(client, given, name, type, kind):
    asset = client("assets.postAsset", {"file": given, "duplicate": True})
    assert (asset["fileName"], asset["mimeType"], asset["fileType"]) == (name, type, kind)
    assert asset["type"] == ("Image" if name in {"photo.jpeg", "lie.png"} else "Unknown")


def test_the_same_file_again(client):
    sent = picture()
    first = posted(client, sent, "twice.png")
    again = posted(client, sent, "twice.png")
    assert (again["id"], again["meta"]) == (first["id"], {"isDuplicate": "true"})
    for other in (posted(client, sent, "twice.png", duplicate=True), posted(client, sent, "other name.png")):
        assert (other["id"] != first["id"], "meta" in other.value) == (True, False)


def test_an_id_of_the_clients_choice(client):
    chosen = uuid4().hex
    assert posted(client, id=chosen)["id"] == chosen
    thrown = refused(lambda: posted(client, id=chosen))
    assert (thrown.kind, thrown.status, thrown.body["errorCode"]) == ("SquidexConflictError", 409, "OBJECT_CONFLICT")
    assert thrown.body["message"] == f"Entity ({chosen}) already exists."


def test_straight_into_a_folder(client):
    inside = folder(client)
    assert posted(client, parentId=inside)["parentId"] == inside
    invalid(lambda: posted(client, parentId=UNKNOWN), "ParentId: Asset folder does not exist.")


def test_upsert_makes_and_then_replaces(client):
    chosen, first, second = uuid4().hex, picture(), picture(30, 20)
    made = client("assets.postUpsertAsset", chosen, {"file": file(first, "one.png", "image/png"), "parentId": folder(client)})
    assert (made["id"], made["fileVersion"]) == (chosen, 0)
    replaced = client("assets.postUpsertAsset", chosen, {"file": file(second, "two.png", "image/png")})
    assert (replaced["id"], replaced["fileVersion"], replaced["pixelWidth"]) == (chosen, 1, 30)
    assert content(client, made) == second


def test_new_content_keeps_the_name_and_the_old_content(client):
    first, second = picture(), photo(30, 20, "JPEG", seed=uuid4().int)
    asset = posted(client, first, f"{uuid4().hex}.png")
    changed = client("assets.putAssetContent", asset["id"], {"file": file(second, "another.jpg", "image/jpeg")})
    assert (changed["fileName"], changed["fileVersion"], changed["version"]) == (asset["fileName"], 1, asset["version"] + 1)
    assert (changed["mimeType"], changed["fileSize"], changed["pixelWidth"]) == ("image/jpeg", len(second), 30)
    assert content(client, asset) == second
    assert content(client, asset, version=asset["version"]) == first
    assert refused(lambda: client("assets.putAssetContent", UNKNOWN, {"file": file(second, "a.jpg", "image/jpeg")})).status == 404


def test_more_than_the_limit_is_refused(client):
    assert posted(client, bytes(LIMIT - 1024), "large.bin", "application/octet-stream", duplicate=True)["fileSize"] == LIMIT - 1024
    thrown = refused(lambda: posted(client, bytes(LIMIT), "large.bin", "application/octet-stream"))
    assert (thrown.kind, thrown.status) == ("SquidexContentTooLargeError", 413)
    assert (thrown.body["message"], thrown.body["statusCode"]) == (
        f"Request body too large. The max request body size is {LIMIT} bytes.",
        413,
    )


def test_no_file(client):
    invalid(lambda: client("assets.postAsset", {}), "Can only upload one file.")


# ---------------------------------------------------------------- downloads


def test_what_a_download_says(client):
    asset = posted(client, name="what it says.png")
    answer = client("assets.getAssetContentBySlugRaw", asset["id"], {"cache": 60, "download": 1})

    def header(name: str) -> str:
        return answer("raw.headers.get", name).value

    assert header("Content-Type") == "image/png"
    assert header("Cache-Control") == "public,max-age=60"
    assert header("Content-Disposition").startswith("attachment; filename=")
    assert header("ETag") == '"0"'
    assert header("Content-Security-Policy").startswith("script-src 'none'")
    assert answer("value").bytes == content(client, asset)
    plain = client("assets.getAssetContentRaw", asset["id"], {})
    assert plain("raw.headers.get", "Content-Disposition").value.startswith("inline; filename=")


@pytest.mark.parametrize(
    ("query", "fmt", "size"),
    [
        ({"width": 50, "height": 50, "mode": "Crop"}, "PNG", (50, 50)),
        ({"width": 60}, "PNG", (60, 40)),
        ({"width": 60, "height": 60, "mode": "Max", "format": "WEBP"}, "WEBP", (60, 40)),
        ({"format": "JPEG", "quality": 50}, "JPEG", (120, 80)),
    ],
)
def test_renditions(client, query, fmt, size):
    asset = posted(client)
    rendition = client("assets.getAssetContentBySlug", asset["id"], query)
    image = Image.open(io.BytesIO(rendition.bytes))
    assert (image.format, image.size, rendition["type"]) == (fmt, size, f"image/{fmt.lower()}")


def test_a_protected_asset_asks_who_comes(client):
    asset = posted(client)
    guarded = client("assets.putAsset", asset["id"], {"isProtected": True})
    assert guarded["isProtected"] is True
    answer = requests.get(shared().url + asset["links"]["content"]["href"], timeout=30)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (403, "public,max-age=0")
    assert content(client, asset)


# ---------------------------------------------------------------- what is said about an asset


def test_annotations(client):
    slug = uuid4().hex
    asset = posted(client)
    said = {"fileName": "renamed.png", "slug": slug, "tags": ["one", "two"], "metadata": {"alt": "a cat", "rating": 5}}
    changed = client("assets.putAsset", asset["id"], said)
    assert {name: changed[name] for name in said} == said
    assert changed["version"] == asset["version"] + 1
    assert client("assets.getAssetContentBySlug", slug, {}).bytes == content(client, asset)
    assert client("assets.putAsset", asset["id"], {"fileName": "again.png"})["tags"] == ["one", "two"]  # what is not said stays


def test_moving(client):
    asset, inside = posted(client), folder(client)
    moved = client("assets.putAssetParent", asset["id"], {"parentId": inside})
    assert (moved["parentId"], moved["version"]) == (inside, asset["version"] + 1)
    invalid(lambda: client("assets.putAssetParent", asset["id"], {"parentId": UNKNOWN}), "ParentId: Asset folder does not exist.")
    assert client("assets.putAssetParent", asset["id"], {"parentId": ROOT})["parentId"] == ROOT


def test_tags(client):
    tag, renamed = f"t{uuid4().hex}", f"r{uuid4().hex}"
    for _ in range(2):
        client("assets.putAsset", posted(client)["id"], {"tags": [tag]})
    assert client("assets.getTags")[tag] == 2
    assert client("assets.putTag", tag, {"tagName": renamed})[renamed] == 2
    counted = client("assets.getTags").value
    assert (counted.get(tag), counted[renamed]) == (None, 2)


# ---------------------------------------------------------------- lists


@pytest.fixture
def three(client):
    """Three assets of a folder of their own, oldest first."""
    inside = folder(client)
    return [posted(client, name=f"{number}.png", parentId=inside) for number in "abc"]


def ids(page) -> list[str]:
    return [asset["id"] for asset in page["items"]]


def test_lists(client, three):
    inside, all_ids = three[0]["parentId"], [asset["id"] for asset in three]
    whole = client("assets.getAssets", {"parentId": inside})
    assert (whole["total"], sorted(ids(whole))) == (3, sorted(all_ids))
    assert whole["items"][ids(whole).index(all_ids[1])] == three[1].value
    assert sorted(ids(client("assets.getAssets", {"ids": ",".join(all_ids[:2])}))) == sorted(all_ids[:2])
    page = client("assets.getAssets", {"parentId": inside, "$top": 1, "$skip": 1, "$orderby": "fileName desc"})
    assert (page["total"], ids(page)) == (3, [all_ids[1]])
    assert ids(client("assets.getAssets", {"parentId": inside, "$filter": "fileName eq 'c.png'"})) == [all_ids[2]]
    query = {"filter": {"path": "fileName", "op": "startsWith", "value": "a"}}
    assert ids(client("assets.getAssets", {"parentId": inside, "q": json.dumps(query)})) == [all_ids[0]]
    assert len(ids(client("assets.getAssets", {"parentId": inside, "noTotal": True}))) == 3


def test_queries_by_post(client, three):
    inside, all_ids = three[0]["parentId"], [asset["id"] for asset in three]
    assert sorted(ids(client("assets.getAssetsPost", {"ids": all_ids[1:]}))) == sorted(all_ids[1:])
    assert ids(client("assets.getAssetsPost", {"parentId": inside, "oData": "$filter=fileName eq 'b.png'"})) == [all_ids[1]]
    query = {"sort": [{"path": "fileName", "order": "descending"}], "take": 2}
    assert ids(client("assets.getAssetsPost", {"parentId": inside, "q": query})) == all_ids[:0:-1]


# ---------------------------------------------------------------- the end of an asset


def test_a_deleted_asset(client):
    sent = picture()
    asset = posted(client, sent)
    client("assets.deleteAsset", asset["id"], {"checkReferrers": True})
    for call in (
        lambda: client("assets.getAsset", asset["id"]),
        lambda: content(client, asset),
    ):
        assert refused(call).kind == "SquidexNotFoundError"
    assert content(client, asset, deleted=True) == sent


def test_an_asset_deleted_for_good(client):
    asset = posted(client)
    client("assets.deleteAsset", asset["id"], {"permanent": True})
    assert refused(lambda: client("assets.getAsset", asset["id"])).status == 404
    assert refused(lambda: content(client, asset, deleted=True)).status == 404


def test_many_at_once(client):
    annotated, moved, deleted = (posted(client) for _ in range(3))
    inside = folder(client)
    jobs = [
        {"id": annotated["id"], "type": "Annotate", "fileName": "by bulk.png", "tags": ["bulk"]},
        {"id": moved["id"], "type": "Move", "parentId": inside},
        {"id": deleted["id"], "type": "Delete", "permanent": True},
        {"id": UNKNOWN, "type": "Annotate", "fileName": "nobody.png"},
        {"id": moved["id"], "type": "Annotate", "fileName": "late.png", "expectedVersion": 0},
    ]
    rows = client("assets.bulkUpdateAssets", {"jobs": jobs}).value
    assert [(row["jobIndex"], row["id"]) for row in rows] == [(index, job["id"]) for index, job in enumerate(jobs)]
    assert [row.get("error", {}).get("statusCode") for row in rows] == [None, None, None, 404, 412]
    assert client("assets.getAsset", annotated["id"])["fileName"] == "by bulk.png"
    assert client("assets.getAsset", moved["id"])["parentId"] == inside
    assert refused(lambda: client("assets.getAsset", deleted["id"])).status == 404


# ---------------------------------------------------------------- folders


def test_folders(client):
    outer = client("assets.postAssetFolder", {"folderName": "Outer"})
    assert (outer["folderName"], outer["parentId"], outer["version"]) == ("Outer", ROOT, 0)
    inner = client("assets.postAssetFolder", {"folderName": "Inner", "parentId": outer["id"]})
    found = client("assets.getAssetFolders", {"parentId": outer["id"], "scope": "PathAndItems"})
    assert (found["total"], found["items"], [step["id"] for step in found["path"]]) == (1, [inner.value], [outer["id"]])
    assert client("assets.getAssetFolders", {"parentId": outer["id"], "scope": "Path"})["items"] == []
    assert client("assets.getAssetFolders", {"parentId": outer["id"], "scope": "Items"})["path"] == []

    renamed = client("assets.putAssetFolder", inner["id"], {"folderName": "Renamed"})
    assert (renamed["folderName"], renamed["version"]) == ("Renamed", 1)
    assert client("assets.putAssetFolderParent", inner["id"], {"parentId": ROOT})["parentId"] == ROOT
    assert refused(lambda: client("assets.putAssetFolderParent", outer["id"], {"parentId": outer["id"]})).status == 400
    assert refused(lambda: client("assets.putAssetFolder", UNKNOWN, {"folderName": "x"})).kind == "SquidexNotFoundError"


def test_a_deleted_folder_takes_what_is_in_it(client):
    outer = folder(client)
    asset = posted(client, parentId=folder(client, "Inner", parentId=outer))
    client("assets.deleteAssetFolder", outer)
    assert outer not in [found["id"] for found in client("assets.getAssetFolders", {"parentId": ROOT})["items"]]

    def gone() -> bool:
        try:
            client("assets.getAsset", asset["id"])
        except Refused as thrown:
            return thrown.status == 404
        return False

    eventually(gone, 60, "the end of what was in the folder")


# ---------------------------------------------------------------- who comes


def unauthorized(act) -> None:
    """As this client reports it, which wraps its own error in another one."""
    thrown = refused(act)
    assert thrown.kind == "SquidexError"
    assert "Status code: 401" in thrown.message


def test_credentials_that_do_not_do(node):
    unauthorized(lambda: node.door("client", options(clientSecret="wrong"))("assets.getTags"))
    assert refused(lambda: node.door("client", options(appName="nobodys"))("assets.getTags")).kind == "SquidexNotFoundError"
    name, secret = viewers_client()
    reader = node.door("client", options(clientId=name, clientSecret=secret))
    thrown = refused(lambda: posted(reader))
    assert (thrown.kind, thrown.status, thrown.body["statusCode"]) == ("SquidexForbiddenError", 403, 403)
    assert reader("assets.getAssets", {"$top": 1})["links"]


def test_a_token_that_ended(node):
    """The client asks for the next token only where the call that fetched the last one is refused. Its own cache keeps any other for ever:
    so ours live for a month, and after that a program begins anew.
    """
    old = node.door("client", options())
    assert old("getToken").value
    old.set("tokenStore.token", {"accessToken": "st_ended", "expiresIn": 2592000, "expiresAt": 1e15})
    for _ in range(2):
        unauthorized(lambda: posted(old))
    assert posted(node.door("client", options()))["id"]

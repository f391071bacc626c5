"""Assets, folders, placeholders; what is related; and the bytes behind the URLs."""

import uuid

import pytest

from app.core.asset import revised
from tests.dialects.house import BASE, Row, has
from tests.dialects.nomad.speak import (
    ASSET,
    SOME_ID,
    UPLOAD,
    asset,
    begin,
    complete,
    content_of,
    detail,
    mine,
    problem,
    send_parts,
    uploaded,
    user,
)
from tests.dialects.pictures import picture


def incoming(door, who):
    return asset(door, who, uploaded(door, who, b"1", path="to-find-incoming"))["parentId"]


def new(door, who, parent, what, name, status=200):
    field = "displayName" if what == "create-folder" else "assetName"
    return door.run(Row("POST", f"{ASSET}/{parent}/{what}", who, {field: name}, status)).get_json().get("id")


# ---------------------------------------------------------------- shown


def test_an_asset_has_the_vendors_form(door, anna):
    known = uploaded(door, anna, picture(), path="a.png", displayName="Picture")
    shown = asset(door, anna, known)
    assert uuid.UUID(shown["id"]) == uuid.UUID(known)
    assert has(
        displayName="Picture",
        objectKey="incoming/a.png",
        bucketName="acme",
        assetStatus="Available",
        storageClass="Standard",
        assetType="File",
        displayDate=lambda text: text.endswith("Z"),
    )(shown)
    more = detail(door, anna, known)
    assert has(assetId=known, relatedAssets=[], relatedContent=[], availability=[], customAttributes={})(more)
    assert has(width=8, height=6, mediaType="image/png")(more["properties"])


@pytest.mark.parametrize("asset_id", [SOME_ID, "nonsense", "x" * 300, "%00", "a%2Fb"])
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("GET", "/detail"), ("PATCH", ""), ("DELETE", ""), ("POST", "/create-folder")])
def test_what_is_not_there_is_404(standing, asset_id, method, rest):
    door, anna = standing
    body = {"displayName": "x"} if method in {"PATCH", "POST"} else None
    door.run(Row(method, f"{ASSET}/{asset_id}{rest}", anna, body, 404, shows=problem(404)))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "move"),
        ("POST", "duplicate"),
        ("POST", "language"),
        ("GET", "parent-folders"),
        ("GET", "getAssetChildNodes"),
        ("POST", "transcribe"),
    ],
)
def test_what_is_not_served_is_a_plain_404(standing, method, path):
    door, anna = standing
    door.run(Row(method, f"{ASSET}/{SOME_ID}/{path}", anna, status=404, shows=problem(404)))


def test_what_came_through_another_door_is_not_an_asset_here(door, anna):
    key = door.key()
    op = door.send("POST", "/v1/uploads", key | {"Content-Type": "image/png"}, picture()).get_json()
    other = door.run(Row("GET", f"/v1/operations/{op['id']}", key)).get_json()["resourceUrl"].rpartition("/")[2]
    asset(door, anna, other, 404)
    body = {"contentLength": 1, "uploadOverwriteOption": "replace", "existingAssetId": other}
    door.run(Row("POST", f"{UPLOAD}/start", anna, body, 400, shows=problem(400, "existingAssetId")))


def test_another_tenant_sees_nothing(door, anna):
    known, olga = uploaded(door, anna, b"1"), user(door, "olga", "other")
    for method, rest in (("GET", ""), ("GET", "/detail"), ("DELETE", ""), ("PATCH", "")):
        door.run(Row(method, f"{ASSET}/{known}{rest}", olga, {} if method == "PATCH" else None, 404))
    assert uploaded(door, olga, b"2") != known


# ---------------------------------------------------------------- bytes


def test_the_bytes_are_read_with_the_seal_alone(door, anna):
    known = uploaded(door, anna, picture(), path="My picture é.png")
    url = asset(door, anna, known)["fullUrl"]
    assert url.startswith(f"{BASE}/nomad/content/")
    assert url.endswith("/My%20picture%20%C3%A9.png")
    got = door.run(Row("GET", url, sends={"Content-Type": "image/png", "X-Content-Type-Options": "nosniff"}))
    assert got.get_data() == picture()
    part = door.run(Row("GET", url, {"Range": "bytes=0-3"}, status=206))
    assert part.get_data() == picture()[:4]


def test_a_seal_is_good_for_one_file_and_an_hour_and_credentials_of_the_tenant_for_all(door, anna):
    url = asset(door, anna, uploaded(door, anna, b"one", path="1"))["fullUrl"]
    other = asset(door, anna, uploaded(door, anna, b"two", path="2"))
    seal = url.split("/")[-2]
    stolen = other["fullUrl"].replace(other["fullUrl"].split("/")[-2], seal)
    for broken in (stolen, url.replace(seal, "0-0"), url.replace(seal, "x"), url.replace(seal, "9999999999-" + seal.partition("-")[2])):
        door.run(Row("GET", broken, status=401, shows=problem(401)))
        door.run(Row("GET", broken, user(door, "olga", "other"), status=404))
        assert door.run(Row("GET", broken, anna)).get_data() in {b"one", b"two"}
    door.pass_time(3700)
    door.run(Row("GET", url, status=401))
    assert door.run(Row("GET", url, user(door))).get_data() == b"one"


def test_the_bytes_of_another_door_are_not_served_here(door, anna):
    key = door.key()
    op = door.send("POST", "/v1/uploads", key | {"Content-Type": "image/png"}, picture()).get_json()
    other = door.run(Row("GET", f"/v1/operations/{op['id']}", key)).get_json()["resourceUrl"].rpartition("/")[2]
    door.run(Row("GET", f"/nomad/content/acme/{other}/0-0/a.png", anna, status=404))


# ---------------------------------------------------------------- related


def related(door, who, owner, content, **more):
    begun = begin(door, who, len(content), related=True, existingAssetId=owner, **more)
    send_parts(door, who, begun, content)
    complete(door, who, begun)
    return begun["assetId"]


@pytest.mark.parametrize("name", ["en.srt", "my subtitle.srt", "é ü.srt", "50%.srt", "a#b?c.srt", "a&b=c;d.srt"])
def test_a_related_asset_is_found_by_its_name_in_the_url(door, anna, name):
    film = uploaded(door, anna, b"film")
    known = related(door, anna, film, b"1\n00:00", path=name, newRelatedAssetMetadataType="subtitle", languageId="en-GB")
    [shown] = detail(door, anna, film)["relatedAssets"]
    assert (shown["id"], shown["metadataType"], shown["title"], shown["language"]["id"]) == (known, "subtitle", name, "en-GB")
    assert name in shown["url"]
    assert door.run(Row("GET", shown["fullUrl"])).get_data() == b"1\n00:00"
    whole = asset(door, anna, known)
    assert (whole["objectKey"], whole["parentId"]) == (f"related/{film}/{name}", None)


def test_the_relation_is_one_way_and_ends_with_the_asset(door, anna):
    film, other = uploaded(door, anna, b"film"), uploaded(door, anna, b"other", path="b")
    known = related(door, anna, film, b"sub", path="en.srt")
    assert detail(door, anna, other)["relatedAssets"] == []
    assert detail(door, anna, known)["relatedAssets"] == []
    door.run(Row("DELETE", f"{ASSET}/{film}", anna, shows={"id": film}))
    door.house.emptying.empty_folders()
    asset(door, anna, known, 404)
    asset(door, anna, other)


def test_a_related_asset_is_replaced_by_its_name_or_its_id(door, anna):
    film, other = uploaded(door, anna, b"film"), uploaded(door, anna, b"other", path="b")
    known = related(door, anna, film, b"one", path="en.srt")
    assert related(door, anna, film, b"two", path="en.srt") == known
    assert related(door, anna, film, b"three", path=None, relatedAssetId=known, newRelatedAssetMetadataType="cc") == known
    assert content_of(door, anna, known) == b"three"
    assert [each["metadataType"] for each in detail(door, anna, film)["relatedAssets"]] == ["cc"]
    for owner, wrong in ((other, known), (film, other), (film, SOME_ID)):
        body = {"contentLength": 1, "uploadOverwriteOption": "replace", "existingAssetId": owner, "relatedAssetId": wrong}
        door.run(Row("POST", f"{UPLOAD}/start-related-asset", anna, body, 400, shows=problem(400, "relatedAssetId")))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"relativePath": "a", "contentLength": 1}, "existingAssetId"),
        ({"existingAssetId": SOME_ID, "relativePath": "a", "contentLength": 1}, "existingAssetId"),
        ({"existingAssetId": "{film}", "contentLength": 1}, "relativePath"),
        ({"existingAssetId": "{film}", "relativePath": "a"}, "contentLength"),
        ({"existingAssetId": "{film}", "relativePath": "a", "contentLength": 1, "uploadOverwriteOption": "x"}, "uploadOverwriteOption"),
    ],
)
def test_what_a_related_start_cannot_be(standing, body, word):
    door, anna = standing
    film = uploaded(door, anna, b"film", path="film")
    sent = {name: film if value == "{film}" else value for name, value in body.items()}
    door.run(Row("POST", f"{UPLOAD}/start-related-asset", anna, sent, 400, shows=problem(400, word)))


def test_numbers_as_text_a_fraction_and_a_field_of_old_do_no_harm(door, anna):
    film = uploaded(door, anna, b"film")
    body = {
        "contentLength": "21000000",
        "chunkSize": "20971520.0",
        "existingAssetId": film,
        "relativePath": "a",
        "createTranscribeRelatedAsset": "false",
    }
    assert len(door.run(Row("POST", f"{UPLOAD}/start-related-asset", anna, body)).get_json()["parts"]) == 2
    huge = {**body, "contentLength": 300 * 1024**3, "chunkSize": 300 * 1024**3 / 10_000}
    assert len(door.run(Row("POST", f"{UPLOAD}/start-related-asset", anna, huge)).get_json()["parts"]) == 10_000


# ---------------------------------------------------------------- folders and placeholders


def test_folders_are_made_shown_renamed_and_filled(door, anna):
    parent = incoming(door, anna)
    made = new(door, anna, parent, "create-folder", "Season 1")
    assert new(door, anna, parent, "create-folder", "Season 1") == made
    assert has(displayName="Season 1", assetType="Folder", parentId=parent, objectKey="incoming/Season 1/")(asset(door, anna, made))
    inside = uploaded(door, anna, b"1", path="a", parentId=made)
    assert asset(door, anna, uploaded(door, anna, b"2", path="Season 1/b"))["parentId"] == made
    door.run(Row("PATCH", f"{ASSET}/{made}", anna, {"displayName": "Season One"}, shows={"id": made}))
    assert asset(door, anna, inside)["objectKey"] == "incoming/Season One/a"
    assert has(assetId=made, relatedAssets=[])(detail(door, anna, made))
    bucket = asset(door, anna, parent)["parentId"]
    assert asset(door, anna, new(door, anna, bucket, "create-folder", "Archive"))["objectKey"] == "Archive/"


def test_a_folder_is_deleted_with_all_that_lies_in_it(door, anna):
    parent = incoming(door, anna)
    made = new(door, anna, parent, "create-folder", "x")
    deep = uploaded(door, anna, b"1", path="y/z/a", parentId=made)
    door.run(Row("DELETE", f"{ASSET}/{made}", anna, shows={"id": made}))
    asset(door, anna, made, 404)
    door.run(Row("DELETE", f"{ASSET}/{made}", anna, status=404))
    for _ in range(3):
        door.house.emptying.empty_folders()
    asset(door, anna, deep, 404)
    body = {"contentLength": 1, "uploadOverwriteOption": "replace", "relativePath": "a", "parentId": made}
    door.run(Row("POST", f"{UPLOAD}/start", anna, body, 400, shows=problem(400, "parentId")))


def test_an_upload_into_a_folder_that_is_deleted_meanwhile_fails(door, anna):
    made = new(door, anna, incoming(door, anna), "create-folder", "x")
    begun = begin(door, anna, 1, parentId=made)
    send_parts(door, anna, begun, b"1")
    door.run(Row("DELETE", f"{ASSET}/{made}", anna))
    complete(door, anna, begun, 404)


@pytest.mark.parametrize("what", ["create-folder", "create-placeholder"])
@pytest.mark.parametrize("name", [None, "", "x" * 256, 7, "..", "a\0b", ["x"]])
def test_what_is_no_name(standing, what, name):
    door, anna = standing
    new(door, anna, incoming(door, anna), what, name, 400)


def test_a_file_is_no_folder(door, anna):
    known = uploaded(door, anna, b"1")
    new(door, anna, known, "create-folder", "x", 400)
    new(door, anna, known, "create-placeholder", "x", 400)


def test_a_placeholder_is_filled_by_an_upload_to_its_name_or_its_id(door, anna):
    parent = incoming(door, anna)
    for number, by in enumerate(("name", "id")):
        made = new(door, anna, parent, "create-placeholder", f"film{number}.mp4")
        assert has(assetStatus="Placeholder", fullUrl=None, displayName=f"film{number}.mp4", contentLength=None)(asset(door, anna, made))
        new(door, anna, parent, "create-placeholder", f"film{number}.mp4", 400)
        assert uploaded(door, anna, b"film", path=f"film{number}.mp4", **({"existingAssetId": made} if by == "id" else {})) == made
        assert has(assetStatus="Available")(asset(door, anna, made))


def test_an_upload_under_way_has_its_id_taken_by_a_placeholder_of_its_name(door, anna):
    begun = begin(door, anna, 4, option="cancel")
    parent = asset(door, anna, begun["assetId"])["parentId"]
    assert new(door, anna, parent, "create-placeholder", "a.bin") == begun["assetId"]
    send_parts(door, anna, begun, b"rest")
    complete(door, anna, begun)
    assert content_of(door, anna, begun["assetId"]) == b"rest"


# ---------------------------------------------------------------- changed and deleted


def test_what_is_known_of_an_asset_is_changed_field_by_field(door, anna):
    known = uploaded(door, anna, b"1", displayName="First")
    sent = {
        "displayName": "Second",
        "displayDate": "2026-11-30T12:00:00Z",
        "availableStartDate": None,
        "availableEndDate": "2027-01-01",
        "customProperties": {"a": 1, "b": {"deep": True}, "c": "x"},
    }
    door.run(Row("PATCH", f"{ASSET}/{known}", anna, sent, shows={"id": known}))
    door.run(Row("PATCH", f"{ASSET}/{known}", anna, dict.fromkeys(sent) | {"CUSTOMPROPERTIES": {"a": None, "c": "y"}}))
    shown = detail(door, anna, known)
    assert has(displayName="Second", displayDate="2026-11-30T12:00:00Z", customAttributes={"b": {"deep": True}, "c": "y"})(shown)
    assert shown["availability"] == [{"availableStartDate": None, "availableEndDate": "2027-01-01", "isInherited": False}]
    assert shown["objectKey"] == "incoming/a.bin"
    assert uploaded(door, anna, b"2") == known
    assert has(displayName="Second", customAttributes={"b": {"deep": True}, "c": "y"})(detail(door, anna, known))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"displayDate": "yesterday"}, "displayDate"),
        ({"availableEndDate": 7}, "availableEndDate"),
        ({"displayName": "x" * 256}, "displayName"),
        ({"customProperties": [1]}, "customProperties"),
        ({"customProperties": {"a": "x" * 70_000}}, "customProperties"),
        ([], "JSON"),
        (b"", "JSON"),
    ],
)
def test_what_an_asset_cannot_become(standing, body, word):
    door, anna = standing
    known = uploaded(door, anna, b"1")
    door.run(Row("PATCH", f"{ASSET}/{known}", anna, body, 400, shows=problem(400, word)))


def test_a_deleted_asset_is_gone_and_its_place_is_free(door, anna):
    known = uploaded(door, anna, b"1")
    url = asset(door, anna, known)["fullUrl"]
    door.run(Row("DELETE", f"{ASSET}/{known}", anna, shows={"id": known}))
    for method in ("GET", "DELETE"):
        door.run(Row(method, f"{ASSET}/{known}", anna, status=404))
    door.run(Row("GET", url, status=404))
    assert uploaded(door, anna, b"2") != known


@pytest.mark.parametrize("by", ["this door", "another"])
def test_who_was_about_to_replace_a_deleted_asset_begins_anew(door, anna, by):
    known = uploaded(door, anna, b"1")
    begun = begin(door, anna, 1)
    if by == "this door":
        door.run(Row("DELETE", f"{ASSET}/{known}", anna))
        assert mine(door, anna) == []
    else:
        door.house.library.delete(door.house.library.any_asset(door.principal(), known))
    again = begin(door, user(door, "ben"), 1)
    assert again["assetId"] != known
    complete(door, anna, begun, 400)
    mine_again = begin(door, anna, 1, option="continue")
    assert (mine_again["id"] != begun["id"], mine_again["assetId"]) == (True, again["assetId"])
    send_parts(door, anna, mine_again, b"2")
    complete(door, anna, mine_again)
    assert content_of(door, anna, again["assetId"]) == b"2"


def promised(open_door):
    """A door, somebody there, and the upload that he completed and then never asked about again."""
    door = open_door(SLIPWAY_NOMAD_PATIENCE="0.01")
    who = user(door)
    begun = begin(door, who, 4)
    send_parts(door, who, begun, b"rest")
    door.jobs.hold = True
    complete(door, who, begun, 202)
    assert has(assetStatus="Assembling")(asset(door, who, begun["assetId"]))
    return door, who, begun


def test_what_came_to_nothing_is_not_assembled_for_ever(open_door):
    door, who, begun = promised(open_door)
    up = door.house.library.upload(door.principal(), begun["id"])
    door.house.store.discard(up.staged)
    door.jobs.run()
    asset(door, who, begun["assetId"], 404)


def test_what_was_deleted_with_its_folder_is_not_assembled_again(open_door):
    door, who, begun = promised(open_door)
    door.jobs.run()
    door.run(Row("DELETE", f"{ASSET}/{asset(door, who, begun['assetId'])['parentId']}", who))
    for _ in range(3):
        door.house.emptying.empty_folders()
    asset(door, who, begun["assetId"], 404)


def test_who_was_about_to_replace_an_asset_that_lost_its_name_is_told_so(door, anna):
    known = uploaded(door, anna, b"1")
    of = door.house.library.any_asset(door.principal(), known)
    door.house.library.revise(of, revised, drop=of.aliases)
    begin(door, anna, 1, existingAssetId=known)
    door.run(Row("DELETE", f"{ASSET}/{known}", anna))
    assert mine(door, anna) == []


def test_the_bucket_and_what_is_being_uploaded_are_neither_changed_nor_deleted(door, anna):
    begun = begin(door, anna, 4)
    parent = asset(door, anna, begun["assetId"])["parentId"]
    for each in (begun["assetId"], asset(door, anna, parent)["parentId"]):
        door.run(Row("DELETE", f"{ASSET}/{each}", anna, status=400, shows=problem(400)))
        door.run(Row("PATCH", f"{ASSET}/{each}", anna, {"displayName": "x"}, 400, shows=problem(400)))
    assert mine(door, anna) == [begun["id"]]

"""The start call: every field of its page, what cannot be, JSON and form, and the overwrite options."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.asset import revised
from app.core.policy import DAY
from tests.dialects.house import Row, has
from tests.dialects.nomad.speak import (
    ASSET,
    CHUNK,
    SOME_ID,
    UPLOAD,
    asset,
    begin,
    complete,
    confirm,
    content_of,
    detail,
    form,
    mine,
    problem,
    put,
    send_parts,
    uploaded,
    user,
)

START, RELATED = f"{UPLOAD}/start", f"{UPLOAD}/start-related-asset"
CLIENT = {  # exactly what nomad-media-pip 0.1.9 sends
    "displayName": "f.bin",
    "contentLength": 30_000_000,
    "uploadOverwriteOption": "replace",
    "chunkSize": 8_388_608,
    "relativePath": "f.bin",
    "parentId": None,
    "existingAssetId": None,
    "relatedContentId": None,
    "languageId": None,
    "uploadReplaceOptions": None,
}


def without(*names, **more):
    return {name: value for name, value in {**CLIENT, **more}.items() if name not in names}


def test_the_body_of_the_client_gives_parts_of_its_size(door, anna):
    begun = door.run(Row("POST", START, anna, CLIENT)).get_json()
    assert set(begun) == {"id", "assetId", "etag", "url", "contentLength", "startDate", "parts"}
    assert uuid.UUID(begun["id"]) != uuid.UUID(begun["assetId"])
    assert (begun["etag"], begun["contentLength"]) == (None, 30_000_000)
    assert begun["startDate"].endswith("Z")
    spans = [(p["partNumber"], p["startingPosition"], p["endingPosition"], p["isCompleted"]) for p in begun["parts"]]
    assert spans == [
        (1, 0, 8_388_607, False),
        (2, 8_388_608, 16_777_215, False),
        (3, 16_777_216, 25_165_823, False),
        (4, 25_165_824, 29_999_999, False),
    ]
    assert len({uuid.UUID(p["id"]) for p in begun["parts"]}) == 4
    assert all(p["url"].startswith("http://slipway.test/transfers/") and "signature=" in p["url"] for p in begun["parts"])


@pytest.mark.parametrize(
    "body",
    [
        {name.upper(): value for name, value in CLIENT.items()},
        {name.lower(): value for name, value in CLIENT.items()},
        without(contentLength="30000000", chunkSize="8388608"),
        without(contentLength=30_000_000.0, chunkSize=8_388_607.5),
        without("chunkSize"),
        without("relativePath", file="f.bin"),
        without(somethingNew={"deep": [1]}),
        without("displayName", "parentId", "existingAssetId", "relatedContentId", "languageId", "uploadReplaceOptions"),
        without(uploadReplaceOptions=[]),
        without(parentId="", languageId="", existingAssetId=""),
    ],
)
def test_names_in_any_case_numbers_as_text_and_what_may_be_missing(standing, body):
    door, anna = standing
    begun = door.run(Row("POST", START, anna, body)).get_json()
    assert [p["startingPosition"] for p in begun["parts"]] == [0, 8_388_608, 16_777_216, 25_165_824]
    door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel", anna))


@pytest.mark.parametrize("option", ["replace", "Replace", "REPLACE", "continue", "Cancel", "assetReplace", "AssetReplace"])
def test_every_option_begins_where_nothing_is(door, anna, option):
    assert len(begin(door, anna, 10, option=option)["parts"]) == 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (without("uploadOverwriteOption"), "uploadOverwriteOption"),
        (without(uploadOverwriteOption="overwrite"), "uploadOverwriteOption"),
        (without(uploadOverwriteOption=1), "uploadOverwriteOption"),
        (without(uploadOverwriteOption=["replace"]), "uploadOverwriteOption"),
        (without("relativePath"), "file"),
        (without(relativePath="/"), "relativePath"),
        (without(relativePath="../f.bin"), "relativePath"),
        (without(relativePath="a/../../f.bin"), "relativePath"),
        (without(relativePath="f\0.bin"), "relativePath"),
        (without(relativePath="dir/"), "relativePath"),
        (without(relativePath="dir\\"), "relativePath"),
        (without(relativePath="x" * 256), "255"),
        (without(relativePath="a/" * 600), "relativePath"),
        (without(relativePath=7), "relativePath"),
        (without("contentLength"), "contentLength"),
        (without(contentLength=-1), "contentLength"),
        (without(contentLength="x"), "contentLength"),
        (without(contentLength=True), "contentLength"),
        (without(contentLength=5.5), "contentLength"),
        (without(contentLength="5.5"), "contentLength"),
        (without(contentLength="1_000"), "contentLength"),
        (without(contentLength="\N{ARABIC-INDIC DIGIT FIVE}"), "contentLength"),
        (without(contentLength=[1]), "contentLength"),
        (without(contentLength=10**30), "contentLength"),
        (without(contentLength="9" * 5000), "contentLength"),
        (without(contentLength=1e300), "contentLength"),
        (without(chunkSize=0), "chunkSize"),
        (without(chunkSize=5 * 1024 * 1024 - 1), "chunkSize"),
        (without(chunkSize=6 * 1024**3, contentLength=12 * 1024**3), "chunkSize"),
        (without(contentLength=10_000 * 8_388_608 + 1), "chunkSize"),
        (without("chunkSize", contentLength=10_000 * 8_388_608 + 1), "chunkSize"),
        (without(contentLength=6 * 1024**4, chunkSize=4 * 1024**3), "larger"),
        (without(displayName="x" * 256), "displayName"),
        (without(displayName="a\nb"), "displayName"),
        (without(displayName={}), "displayName"),
        (without(parentId=SOME_ID), "parentId"),
        (without(parentId="nonsense"), "parentId"),
        (without(parentId="x" * 5000), "parentId"),
        (without(parentId=7), "parentId"),
        (without(existingAssetId=SOME_ID), "existingAssetId"),
        (without(existingAssetId="x/../y"), "existingAssetId"),
        (without(relatedContentId="x" * 120), "content"),
        (without(languageId="x" * 200), "languageId"),
        (without(uploadReplaceOptions=["ReplaceEverything"]), "uploadReplaceOptions"),
        (without(uploadReplaceOptions=[7]), "uploadReplaceOptions"),
        (without(uploadReplaceOptions={"a": 1}), "uploadReplaceOptions"),
        ([CLIENT], "JSON object"),
        (b"", "uploadOverwriteOption"),
        (b'{"contentLength": 1e999}', "uploadOverwriteOption"),
        (b'{"contentLength": NaN}', "JSON"),
        (b'{"displayName": "\\udc00"}', "JSON"),
        (b"\xff", "JSON"),
    ],
)
def test_what_cannot_be_is_400_and_says_which_field(standing, body, word):
    door, anna = standing
    door.run(Row("POST", START, anna | {"Content-Type": "application/json"}, body, 400, shows=problem(400, word)))
    assert mine(door, anna) == []


@pytest.mark.parametrize(
    ("length", "chunk", "count"),
    [(10, 1, None), (10, 10, 1), (10, 100, 1), (CHUNK, CHUNK, 1), (CHUNK + 1, CHUNK, 2), (10_000 * CHUNK, CHUNK, 10_000)],
)
def test_a_small_chunk_will_do_for_one_part_and_ten_thousand_parts_are_the_limit(door, anna, length, chunk, count):
    body = without(contentLength=length, chunkSize=chunk)
    answer = door.run(Row("POST", START, anna, body, 200 if count else 400))
    assert count is None or len(answer.get_json()["parts"]) == count


def test_an_empty_file_is_one_part_without_bytes(door, anna):
    begun = begin(door, anna, 0)
    [part] = begun["parts"]
    assert (part["partNumber"], part["startingPosition"], part["endingPosition"], part["isCompleted"]) == (1, 0, -1, False)
    complete(door, anna, begun, 400)
    assert door.send("PUT", part["url"], {}, b"x").status_code == 422
    confirm(door, anna, part, put(door, part, b""))
    again = begin(door, anna, 0, option="continue")
    assert (again["id"], again["parts"][0]["isCompleted"]) == (begun["id"], True)
    complete(door, anna, begun)
    shown = asset(door, anna, begun["assetId"])
    assert (shown["contentLength"], shown["assetStatus"]) == (0, "Available")
    assert content_of(door, anna, begun["assetId"]) == b""
    door.run(Row("GET", shown["fullUrl"], {"Range": "bytes=0-"}, status=416))
    assert uploaded(door, anna, b"no longer") == begun["assetId"]


# ---------------------------------------------------------------- where it goes


def test_without_a_parent_it_goes_to_incoming_and_the_path_is_appended(door, anna):
    first = asset(door, anna, uploaded(door, anna, b"1", path="a.txt"))
    second = asset(door, anna, uploaded(door, anna, b"2", path=r"one\two//./b.txt"))
    third = asset(door, anna, uploaded(door, anna, b"3", path="/one/c.txt", parentId=first["parentId"]))
    incoming = asset(door, anna, first["parentId"])
    assert (incoming["displayName"], incoming["assetType"], incoming["objectKey"]) == ("incoming", "Folder", "incoming/")
    assert (first["objectKey"], second["objectKey"], third["objectKey"]) == (
        "incoming/a.txt",
        "incoming/one/two/b.txt",
        "incoming/one/c.txt",
    )
    two = asset(door, anna, second["parentId"])
    assert two["parentId"] == third["parentId"]
    bucket = asset(door, anna, incoming["parentId"])
    assert (bucket["assetType"], bucket["parentId"]) == ("Bucket", None)
    at_the_root = asset(door, anna, uploaded(door, anna, b"4", path="d.txt", parentId=bucket["id"]))
    assert (at_the_root["objectKey"], at_the_root["parentId"]) == ("d.txt", bucket["id"])


def test_a_folder_of_another_door_is_no_parent(door, anna):
    other = door.house.folders.create(door.principal(), "squidex", "theirs")
    door.run(Row("POST", START, anna, without(parentId=other.id), 400, shows=problem(400, "parentId")))
    asset(door, anna, other.id, 404)


def test_a_file_is_no_parent(door, anna):
    old = uploaded(door, anna, b"1")
    door.run(Row("POST", START, anna, without(parentId=old), 400, shows=problem(400, "parentId")))


@pytest.mark.parametrize(("told", "name"), [(None, "a.bin"), ("My film", "My film"), ("Grüße \N{SNOWMAN}", "Grüße \N{SNOWMAN}")])
def test_the_display_name_is_the_files_unless_it_is_told(door, anna, told, name):
    shown = asset(door, anna, uploaded(door, anna, b"1", path="deep/a.bin", displayName=told))
    assert (shown["displayName"], shown["objectKey"]) == (name, "incoming/deep/a.bin")


def test_the_language_is_the_systems_unless_it_is_told(open_door):
    door = open_door(SLIPWAY_LANGUAGE="sv")
    who = user(door)
    assert asset(door, who, uploaded(door, who, b"1"))["languageId"] == "sv"
    assert asset(door, who, uploaded(door, who, b"2", path="b", languageId="0b5c"))["languageId"] == "0b5c"


def test_related_content_is_kept_shown_and_asked_for(door, anna):
    ids = [
        uploaded(door, anna, b"1", relatedContentId="episode-7", displayName=name, parentId=SOME_ID, path=None)
        for name in ("a.png", "b.png")
    ]
    assert detail(door, anna, ids[0])["relatedContent"] == [{"id": "episode-7", "description": None}]
    shown = asset(door, anna, ids[1])
    assert (shown["relatedContentId"], shown["objectKey"], shown["parentId"]) == ("episode-7", "content/episode-7/b.png", None)
    asked = door.run(Row("GET", f"{ASSET}?relatedContentId=episode-7", anna, shows={"totalItemCount": 2})).get_json()
    assert {item["id"] for item in asked["items"]} == set(ids)
    door.run(Row("GET", f"{ASSET}?relatedContentId=other", anna, shows={"items": [], "totalItemCount": 0}))
    door.run(Row("GET", ASSET, anna, status=400, shows=problem(400, "relatedContentId")))


def test_related_content_without_any_name_is_enough(door, anna):
    begun = door.run(Row("POST", START, anna, without("relativePath", "displayName", relatedContentId="episode-7"))).get_json()
    assert asset(door, anna, begun["assetId"])["objectKey"] == "content/episode-7/episode-7"


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ({"displayName": "a.png", "relativePath": "../b.png"}, "a.png"),
        ({"displayName": None, "relativePath": "/"}, "episode-7"),
        ({"displayName": None, "relativePath": "deep/b.png"}, "b.png"),
        ({"displayName": ".."}, "episode-7"),
        ({"displayName": "..", "relatedContentId": "a/.."}, "file"),
    ],
)
def test_the_name_of_what_belongs_to_a_content(door, anna, named, name):
    body = without(**{"relatedContentId": "episode-7", **named})
    begun = door.run(Row("POST", START, anna, body)).get_json()
    assert asset(door, anna, begun["assetId"])["objectKey"].rpartition("/")[2] == name


@pytest.mark.parametrize(
    "ignored", [{"relativePath": "../b.png"}, {"relativePath": "/"}, {"relativePath": "dir/"}, {"parentId": "nonsense"}]
)
def test_parent_and_path_are_ignored_where_an_asset_is_named(door, anna, ignored):
    old = uploaded(door, anna, b"old")
    assert begin(door, anna, 3, **{"path": None, "existingAssetId": old, **ignored})["assetId"] == old
    body = {"contentLength": 3, "existingAssetId": old, "relatedAssetId": None, **ignored}
    door.run(Row("POST", RELATED, anna, body, 400, shows=problem(400, "relativePath")))


# ---------------------------------------------------------------- what is there already


def test_continue_gives_the_same_upload_with_its_parts_marked(door, anna):
    content = b"x" * CHUNK + b"rest"
    begun = begin(door, anna, len(content))
    put(door, begun["parts"][1], content)
    again = begin(door, anna, len(content), option="continue", displayName="whatever")
    assert (again["id"], again["assetId"]) == (begun["id"], begun["assetId"])
    assert [p["isCompleted"] for p in again["parts"]] == [False, True]
    assert [p["id"] for p in again["parts"]] == [p["id"] for p in begun["parts"]]
    confirm(door, anna, again["parts"][0], put(door, again["parts"][0], content))
    assert complete(door, anna, again).get_json()["items"] == [{"id": begun["assetId"]}]
    assert content_of(door, anna, begun["assetId"]) == content


def test_continue_with_another_length_is_400(door, anna):
    begun = begin(door, anna, 10)
    door.run(
        Row(
            "POST",
            START,
            anna,
            without(contentLength=11, relativePath="a.bin", uploadOverwriteOption="continue"),
            400,
            shows=problem(400, "10"),
        )
    )
    assert mine(door, anna) == [begun["id"]]


def test_continue_begins_anew_where_nothing_is_unfinished(door, anna):
    first = uploaded(door, anna, b"first")
    again = begin(door, anna, 6, option="continue")
    assert again["assetId"] == first
    send_parts(door, anna, again, b"second")
    assert content_of(door, anna, first) == b"first"
    complete(door, anna, again)
    assert content_of(door, anna, first) == b"second"


def bookings(door):
    return door.house.documents.list(door.principal(), "nomad").total


def test_a_booking_ends_with_the_last_upload_to_its_place(door, anna):
    ben, known = user(door, "ben"), [uploaded(door, anna, b"1")]
    assert bookings(door) == 0
    begun, bens = begin(door, anna, 1), begin(door, ben, 1)
    door.run(Row("POST", f"{UPLOAD}/{begun['id']}/cancel", anna))
    assert bookings(door) == 1
    send_parts(door, ben, bens, b"2")
    complete(door, ben, bens)
    assert (bookings(door), bens["assetId"]) == (0, known[0])


def test_what_is_left_of_expired_uploads_goes_with_a_later_start(door, anna):
    for name in "abc":
        begin(door, anna, 1, path=name)
    door.pass_time(DAY / 2)
    begin(door, user(door), 1, path="d")
    assert bookings(door) == 4
    door.pass_time(DAY / 2 + 60)
    anna = user(door)
    begin(door, anna, 1, path="e")
    assert bookings(door) == 2
    assert len(mine(door, anna)) == 2


def test_an_asset_that_lost_its_name_is_still_replaced_by_its_id(door, anna):
    old = uploaded(door, anna, b"old")
    of = door.house.library.any_asset(door.principal(), old)
    door.house.library.revise(of, revised, drop=of.aliases)
    assert uploaded(door, anna, b"new", existingAssetId=old) == old
    assert content_of(door, anna, old) == b"new"
    assert uploaded(door, anna, b"another") != old


def test_what_expired_is_not_continued(door, anna):
    begun = begin(door, anna, 10)
    door.pass_time(DAY + 1)
    anna = user(door)
    assert begin(door, anna, 10, option="continue")["id"] != begun["id"]
    assert len(mine(door, anna)) == 1


@pytest.mark.parametrize("option", ["replace", "assetReplace"])
def test_replace_cancels_what_is_unfinished_and_begins_anew(door, anna, option):
    begun = begin(door, anna, 10)
    again = begin(door, anna, 11, option=option)
    assert (again["id"] != begun["id"], again["assetId"]) == (True, begun["assetId"])
    assert mine(door, anna) == [again["id"]]
    complete(door, anna, begun, 400)
    send_parts(door, anna, again, b"x" * 11)
    complete(door, anna, again)


def test_the_old_bytes_are_served_until_the_new_ones_are_there(door, anna):
    old = uploaded(door, anna, b"old", displayName="Title")
    for more in ({"option": "replace"}, {"option": "assetReplace", "existingAssetId": old, "path": "ignored.bin", "parentId": SOME_ID}):
        begun = begin(door, anna, 3, displayName="Other", **more)
        assert begun["assetId"] == old
        send_parts(door, anna, begun, b"new")
        assert content_of(door, anna, old) in {b"old", b"new"}
        complete(door, anna, begun)
        assert content_of(door, anna, old) == b"new"
        assert has(displayName="Title", objectKey="incoming/a.bin")(asset(door, anna, old))


def test_the_same_place_by_its_path_and_by_its_asset(door, anna):
    old = uploaded(door, anna, b"old")
    begun = begin(door, anna, 3, existingAssetId=old)
    assert begin(door, anna, 3, option="continue")["id"] == begun["id"]
    assert begin(door, anna, 3, option="continue", existingAssetId=old, path="other")["id"] == begun["id"]


@pytest.mark.parametrize("option", ["continue", "replace", "cancel"])
def test_the_same_place_by_the_asset_that_is_promised(door, anna, option):
    begun = begin(door, anna, 3, path="dir/a.bin")
    again = begin(door, anna, 3, option=option, existingAssetId=begun["assetId"], path=None)
    assert ((again["id"] == begun["id"]), again["assetId"]) == (option != "replace", begun["assetId"])
    assert mine(door, anna) == ([] if option == "cancel" else [again["id"]])
    ben = begin(door, user(door, "ben"), 3, path="dir/a.bin")
    door.run(Row("POST", START, user(door, "olga", "other"), without(existingAssetId=ben["assetId"]), 400, shows=problem(400)))
    if option != "cancel":
        send_parts(door, anna, again, b"new")
        complete(door, anna, again)
        assert has(assetStatus="Available", objectKey="incoming/dir/a.bin")(asset(door, anna, begun["assetId"]))


def test_upper_and_lower_case_are_different_places(door, anna):
    assert uploaded(door, anna, b"1", path="a.bin") != uploaded(door, anna, b"2", path="A.bin")


def test_cancel_ends_what_is_unfinished_and_begins_nothing(door, anna):
    begun = begin(door, anna, 10)
    put(door, begun["parts"][0], b"x" * 10)
    answer = begin(door, anna, 99, option="cancel")
    assert (answer["id"], answer["parts"]) == (begun["id"], [])
    assert mine(door, anna) == []
    assert not door.house.store._staged
    asset(door, anna, begun["assetId"], 404)
    assert begin(door, anna, 10, option="cancel")["id"] != begun["id"]


def test_cancel_is_400_where_a_finished_file_is(door, anna):
    old = uploaded(door, anna, b"old")
    for more in ({}, {"existingAssetId": old}):
        body = without(relativePath="a.bin", uploadOverwriteOption="cancel", **more)
        door.run(Row("POST", START, anna, body, 400, shows=problem(400, "a.bin")))
    assert content_of(door, anna, old) == b"old"


def test_an_upload_of_somebody_else_is_neither_continued_nor_cancelled(door, anna):
    ben, other = user(door, "ben"), user(door, "olga", "other")
    begun = begin(door, anna, 10)
    bens = begin(door, ben, 10, option="continue")
    assert (bens["id"] != begun["id"], bens["assetId"]) == (True, begun["assetId"])
    assert begin(door, other, 10, option="continue")["assetId"] != begun["assetId"]
    begin(door, ben, 10, option="cancel")
    assert begin(door, anna, 10, option="continue")["id"] == begun["id"]
    again = begin(door, ben, 3)
    send_parts(door, ben, again, b"ben")
    complete(door, ben, again)
    assert begin(door, anna, 10, option="continue")["id"] == begun["id"]
    send_parts(door, anna, begun, b"annas file")
    complete(door, anna, begun)
    assert content_of(door, ben, begun["assetId"]) == b"annas file"


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["ReplaceDisplayName"], {"displayName": "Second"}),
        (["replacelanguage"], {"languageId": "fi"}),
        (["ReplaceDisplayDate"], {"displayDate": "other"}),
        ("ReplaceDisplayName, ReplaceLanguage", {"displayName": "Second", "languageId": "fi"}),
        (["RecreateThumbnail", "RecreatePreview", "RecreateSubtitles", "RecreateTranscodes"], {}),
        (None, {}),
    ],
)
def test_what_of_the_asset_is_replaced_with_its_bytes(door, anna, options, changed):
    old = uploaded(door, anna, b"old", displayName="First", languageId="de")
    before = asset(door, anna, old)
    door.pass_time(100)
    uploaded(door, anna, b"new", displayName="Second", languageId="fi", uploadReplaceOptions=options)
    after = asset(door, anna, old)
    told = {name: after[name] for name in ("displayName", "displayDate", "languageId") if after[name] != before[name]}
    assert set(told) == set(changed)
    assert all(changed[name] in {"other", value} for name, value in told.items())
    assert content_of(door, anna, old) == b"new"


@pytest.mark.parametrize("option", ["continue", "replace", "cancel"])
def test_starts_at_the_same_moment_leave_one_upload(door, anna, option):
    def one(_):
        return begin(door, anna, 10, option=option)

    with ThreadPoolExecutor(6) as pool:
        begun = list(pool.map(one, range(6)))
    running = mine(door, anna)
    assert len(running) <= 1
    assert option == "cancel" or len(running) == 1
    assert option != "continue" or {up["id"] for up in begun} == set(running)
    assert len({up["assetId"] for up in begun if up["id"] in running}) <= 1


# ---------------------------------------------------------------- forms


def posted(door, who, parts, status=200, **more):
    kind, body = form(*parts)
    return door.run(Row("POST", START, who | kind, body, status, **more))


def test_a_form_with_the_file_stages_it_at_once(door, anna):
    content = b"y" * CHUNK + b"rest"
    parts = [
        ("displayName", "Film"),
        ("uploadOverwriteOption", "replace"),
        ("file", content, "film.bin"),
        ("chunkSize", str(CHUNK)),
        ("languageId", "fi"),
    ]
    begun = posted(door, anna, parts).get_json()
    assert [p["isCompleted"] for p in begun["parts"]] == [True, True]
    assert begun["contentLength"] == len(content)
    complete(door, anna, begun)
    assert content_of(door, anna, begun["assetId"]) == content
    assert has(displayName="Film", languageId="fi", objectKey="incoming/film.bin")(asset(door, anna, begun["assetId"]))


def test_a_form_in_the_order_of_the_page_says_behind_the_file_where_it_goes(door, anna):
    folder = door.run(
        Row("POST", f"{ASSET}/{asset(door, anna, uploaded(door, anna, b'1'))['parentId']}/create-folder", anna, {"displayName": "x"})
    )
    inside = folder.get_json()["id"]
    parts = [("uploadOverwriteOption", "Replace"), ("file", b"bytes", "f.bin"), ("parentId", inside), ("languageId", "")]
    begun = posted(door, anna, parts).get_json()
    complete(door, anna, begun)
    assert asset(door, anna, begun["assetId"])["parentId"] == inside


def test_a_form_may_come_without_the_file_itself(door, anna):
    parts = [
        ("UPLOADOVERWRITEOPTION", "replace"),
        ("file", "dir/f.bin"),
        ("contentLength", "5"),
        ("uploadReplaceOptions", "ReplaceLanguage"),
    ]
    begun = posted(door, anna, [*parts, ("uploadReplaceOptions", "RecreatePreview")]).get_json()
    send_parts(door, anna, begun, b"bytes")
    complete(door, anna, begun)
    assert asset(door, anna, begun["assetId"])["objectKey"] == "incoming/dir/f.bin"


def test_a_path_that_ends_with_a_slash_is_the_folder_for_the_file_of_a_form(door, anna):
    parts = [("uploadOverwriteOption", "replace"), ("relativePath", "films/"), ("file", b"bytes", "f.bin")]
    begun = posted(door, anna, parts).get_json()
    assert asset(door, anna, begun["assetId"])["objectKey"] == "incoming/films/f.bin"


def test_an_empty_file_in_a_form(door, anna):
    begun = posted(door, anna, [("uploadOverwriteOption", "replace"), ("file", b"", "f.bin")]).get_json()
    assert [p["isCompleted"] for p in begun["parts"]] == [True]
    complete(door, anna, begun)
    assert content_of(door, anna, begun["assetId"]) == b""


def test_a_form_goes_on_where_parts_are_missing(door, anna):
    content = b"z" * CHUNK + b"rest"
    begun = begin(door, anna, len(content), path="f.bin")
    put(door, begun["parts"][0], content)
    parts = [("uploadOverwriteOption", "continue"), ("file", content, "f.bin")]
    again = posted(door, anna, parts).get_json()
    assert (again["id"], [p["isCompleted"] for p in again["parts"]]) == (begun["id"], [True, True])
    posted(door, anna, [parts[0], ("file", content + b"!", "f.bin")], 400, shows=problem(400, "contentLength"))
    cancelled = posted(door, anna, [("uploadOverwriteOption", "cancel"), parts[1]]).get_json()
    assert (cancelled["id"], cancelled["parts"]) == (begun["id"], [])


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([("uploadOverwriteOption", "replace"), ("contentLength", "5")], "file"),
        ([("uploadOverwriteOption", "replace"), ("file", "f.bin")], "contentLength"),
        ([("file", b"x", "f.bin")], "uploadOverwriteOption"),
        ([("uploadOverwriteOption", "replace"), ("uploadOverwriteOption", "cancel"), ("file", b"x", "f.bin")], "uploadOverwriteOption"),
        ([("uploadOverwriteOption", "replace"), ("picture", b"x", "f.bin")], "file"),
        ([("uploadOverwriteOption", "replace"), ("file", b"x", "f"), ("file", b"x", "g")], "more than one file"),
        ([("uploadOverwriteOption", "replace"), ("file", b"x", "..")], "relativePath"),
        ([("uploadOverwriteOption", "replace"), ("file", b"x", "f"), ("parentId", SOME_ID)], "parentId"),
    ],
)
def test_what_a_form_cannot_be(standing, parts, word):
    door, anna = standing
    posted(door, anna, parts, 400, shows=problem(400, word))
    assert mine(door, anna) == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"])
def test_a_form_that_is_none(standing, kind):
    door, anna = standing
    body = form(("uploadOverwriteOption", "replace"))[1]
    door.run(Row("POST", START, anna | {"Content-Type": kind}, body, 400, shows=problem(400)))


def test_the_limit_holds_for_a_form_too(open_door):
    door = open_door(SLIPWAY_NOMAD_MAX_BYTES="10")
    who = user(door)
    parts = [("uploadOverwriteOption", "replace"), ("file", b"x" * 11, "f.bin")]
    posted(door, who, parts, 400, shows=problem(400, "larger"))
    posted(door, who, parts[::-1], 400, shows=problem(400, "larger"))
    posted(door, who, [parts[0], ("file", b"x" * 10, "f.bin")])
    kind, body = form(*parts)
    door.run(Row("POST", START, who | kind, body, 400, shows=problem(400, "larger"), environ={"CONTENT_LENGTH": str(3 * 1024 * 1024)}))


def test_the_same_as_plain_form_fields(door, anna):
    sent = {name: value for name, value in CLIENT.items() if value is not None}
    answer = door.client.post(START, headers=anna, data=sent, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, len(json.loads(answer.get_data())["parts"])) == (200, 4)

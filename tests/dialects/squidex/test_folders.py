"""Folders, and the tags of an app."""

from __future__ import annotations

import pytest

from tests.dialects.house import Row
from tests.dialects.squidex.speak import ASSETS, ROOT, asset, folder, refusal, token

FOLDERS = f"{ASSETS}/folders"
NO_NAME = "FolderName: Folder name is required."


def listed(door, who, query=""):
    return door.run(Row("GET", FOLDERS + query, who)).get_json()


def names(entries):
    return [each["folderName"] for each in entries]


def test_a_new_folder_is_told_exactly(door, mine):
    answer = door.run(Row("POST", f"{FOLDERS}/", mine, {"folderName": " Pictures "}, 201, sends={"ETag": '"0"'}))
    told = answer.get_json()
    at = f"/squidex/api/apps/acme/assets/folders/{told['id']}"
    assert told == {
        "id": told["id"],
        "parentId": ROOT,
        "folderName": "Pictures",
        "version": 0,
        "_links": {
            "update": {"href": at, "method": "PUT"},
            "move": {"href": f"{at}/parent", "method": "PUT"},
            "delete": {"href": at, "method": "DELETE"},
        },
    }
    assert answer.headers["Location"] == f"http://slipway.test/squidex/api/apps/acme/assets/folders?parentId={ROOT}"


def test_folders_lie_in_one_another(door, mine):
    top = folder(door, mine, "top")
    middle = folder(door, mine, "middle", top["id"])
    folder(door, mine, "leaf", middle["id"])
    folder(door, mine, "beside")
    told = listed(door, mine, f"?parentId={middle['id']}")
    assert (names(told["items"]), names(told["path"]), told["total"]) == (["leaf"], ["top", "middle"], 1)
    assert sorted(told["_links"]) == ["create", "self"]
    assert names(listed(door, mine, f"?PARENTID={ROOT}")["items"]) == ["top", "beside"]
    everywhere = listed(door, mine)
    assert (sorted(names(everywhere["items"])), everywhere["path"]) == (["beside", "leaf", "middle", "top"], [])


@pytest.mark.parametrize(
    ("scope", "items", "path"),
    [("PathAndItems", ["leaf"], ["top"]), ("pathanditems", ["leaf"], ["top"]), ("Path", [], ["top"]), ("Items", ["leaf"], [])],
)
def test_the_scope_says_what_is_listed(door, mine, scope, items, path):
    top = folder(door, mine, "top")
    folder(door, mine, "leaf", top["id"])
    told = listed(door, mine, f"?parentId={top['id']}&scope={scope}")
    assert (names(told["items"]), names(told["path"])) == (items, path)


def test_a_scope_that_is_none_is_refused(door, mine):
    door.run(Row("GET", f"{FOLDERS}?scope=All", mine, status=400, shows=refusal(400, "The value 'All' is not valid.")))


@pytest.mark.parametrize("wanted", ["nowhere", "%00", "x" * 300])
def test_what_lies_in_no_folder_is_nothing(door, mine, wanted):
    told = listed(door, mine, f"?parentId={wanted}")
    assert (told["items"], told["path"], told["total"]) == ([], [], 0)


def test_a_folder_gets_another_name_and_another_place(door, mine):
    first, second = folder(door, mine, "1"), folder(door, mine, "2")
    at = f"{FOLDERS}/{second['id']}"
    door.run(Row("PUT", at, mine, {"folderName": "two"}, shows={"folderName": "two", "version": 1}, sends={"ETag": '"1"'}))
    door.run(Row("PUT", f"{at}/parent", mine, {"parentId": first["id"]}, shows={"parentId": first["id"], "version": 2}))
    assert names(listed(door, mine, f"?parentId={first['id']}")["items"]) == ["two"]
    door.run(Row("PUT", f"{at}/parent/", mine, {}, shows={"parentId": ROOT, "version": 3}))
    assert names(listed(door, mine, f"?parentId={ROOT}")["items"]) == ["1", "two"]


def test_a_folder_does_not_move_into_itself_or_its_child(door, mine):
    top = folder(door, mine, "top")
    leaf = folder(door, mine, "leaf", top["id"])
    for target in (leaf["id"], top["id"]):
        said = refusal(400, "ParentId: Cannot add folder to its own child.")
        door.run(Row("PUT", f"{FOLDERS}/{top['id']}/parent", mine, {"parentId": target}, 400, shows=said))
    said = refusal(400, "ParentId: Asset folder does not exist.")
    door.run(Row("PUT", f"{FOLDERS}/{top['id']}/parent", mine, {"parentId": "nowhere"}, 400, shows=said))


@pytest.mark.parametrize(
    ("method", "below", "body"), [("PUT", "", {"folderName": "x"}), ("PUT", "/parent", {"parentId": None}), ("DELETE", "", None)]
)
def test_if_match_guards_a_folder(door, mine, method, below, body):
    top = folder(door, mine, "top")
    at = f"{FOLDERS}/{folder(door, mine, 'leaf', top['id'])['id']}{below}"
    door.run(Row(method, at, mine | {"If-Match": '"7"'}, body, 412, shows=refusal(412, errorCode="OBJECT_VERSION_CONFLICT")))
    door.run(Row(method, at, mine | {"If-Match": '"0"'}, body, 204 if method == "DELETE" else 200))


def test_a_deleted_folder_takes_along_what_lies_in_it(door, mine):
    top = folder(door, mine, "top")
    leaf = folder(door, mine, "leaf", top["id"])
    inside, outside = asset(door, mine, b"1", "1.txt", query=f"?parentId={leaf['id']}"), asset(door, mine, b"2", "2.txt")
    door.run(Row("DELETE", f"{FOLDERS}/{top['id']}/", mine, status=204))
    door.run(Row("DELETE", f"{FOLDERS}/{top['id']}", mine, status=404, shows=refusal(404)))
    assert listed(door, mine)["items"] == []
    for _ in range(3):
        door.sweep()
    door.run(Row("GET", f"{ASSETS}/{inside['id']}", mine, status=404))
    door.run(Row("GET", f"{ASSETS}/{outside['id']}", mine))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, NO_NAME),
        ({"folderName": ""}, NO_NAME),
        ({"folderName": "  "}, NO_NAME),
        ({"folderName": None}, NO_NAME),
        ({"folderName": 7}, None),
        ({"folderName": "x" * 256}, None),
        ({"folderName": "a\0b"}, None),
        ({"folderName": "x", "parentId": "nowhere"}, "ParentId: Asset folder does not exist."),
        ({"folderName": "x", "parentId": 7}, None),
    ],
)
def test_what_is_no_folder_is_refused(door, mine, sent, said):
    shows = refusal(400, said) if said else {"message": "Validation error"}
    door.run(Row("POST", FOLDERS, mine, sent, 400, shows=shows))
    if "parentId" not in sent:
        door.run(Row("PUT", f"{FOLDERS}/{folder(door, mine)['id']}", mine, sent, 400, shows=shows))


@pytest.mark.parametrize("id", ["none", "x" * 300, "%00"])
@pytest.mark.parametrize(("method", "below"), [("PUT", ""), ("PUT", "/parent"), ("DELETE", "")])
def test_a_folder_that_never_was_is_not_found(door, mine, method, below, id):
    door.run(Row(method, f"{FOLDERS}/{id}{below}", mine, {"folderName": "x"} if method == "PUT" else None, 404, shows=refusal(404)))


def test_another_apps_folder_is_not_found(door, mine):
    theirs = door.house.folders.create(door.principal("other"), "squidex", "theirs")
    door.run(Row("DELETE", f"{FOLDERS}/{theirs.id}", mine, status=404))
    assert listed(door, mine)["items"] == []


# ---------------------------------------------------------------- tags

TAGS = f"{ASSETS}/tags"


def tags(door, who):
    return door.run(Row("GET", TAGS, who)).get_json()


def test_tags_are_counted(door, mine):
    first, second = asset(door, mine), asset(door, mine, b"text", "a.txt", "text/plain")
    assert tags(door, mine) == {"image": 1, "image/small": 1, "type/png": 1, "type/txt": 1}
    door.run(Row("PUT", f"{ASSETS}/{second['id']}", mine, {"tags": ["image", "mine"]}))
    door.run(Row("DELETE", f"{ASSETS}/{first['id']}", mine, status=204))
    assert tags(door, mine) == {"image": 1, "mine": 1}


def test_a_renamed_tag_is_renamed_for_all_and_for_those_to_come(door, mine):
    made = asset(door, mine)
    told = door.run(Row("PUT", f"{TAGS}/type%2Fpng", mine, {"tagName": "pngs"})).get_json()
    assert told == {"image": 1, "image/small": 1, "pngs": 1}
    assert door.run(Row("GET", f"{ASSETS}/{made['id']}", mine)).get_json()["tags"] == ["pngs", "image", "image/small"]
    assert asset(door, mine, name="second.png")["tags"] == ["pngs", "image", "image/small"]
    found = door.run(Row("GET", f"{ASSETS}?$filter=tags eq 'pngs'", mine)).get_json()
    assert found["total"] == 2
    told = door.run(Row("GET", f"{ASSETS}/{made['id']}", mine)).get_json()
    assert told["version"] == 0


def test_a_tag_is_set_by_its_new_name_and_renamed_again(door, mine):
    made = asset(door, mine)
    door.run(Row("PUT", f"{TAGS}/image", mine, {"tagName": "picture"}))
    door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, {"tags": ["picture", "mine"]}, shows={"tags": ["picture", "mine"]}))
    door.run(Row("PUT", f"{TAGS}/picture/", mine, {"tagName": "photo"}))
    door.run(Row("PUT", f"{TAGS}/mine", mine, {"tagName": "photo"}))
    assert tags(door, mine) == {"photo": 1}
    door.run(Row("PUT", f"{TAGS}/photo", mine, {"tagName": "image"}))
    assert tags(door, mine) == {"image": 1}


def test_tags_belong_to_their_app(door, mine):
    asset(door, mine)
    door.run(Row("PUT", f"{TAGS}/image", mine, {"tagName": "picture"}))
    other = token(door, "other")
    assert door.run(Row("GET", "/squidex/api/apps/other/assets/tags", other)).get_json() == {}


@pytest.mark.parametrize("sent", [{}, {"tagName": ""}, {"tagName": "  "}, {"tagName": None}, {"tagName": 7}, {"tagName": "x" * 256}])
def test_a_name_that_is_none_is_refused(door, mine, sent):
    door.run(Row("PUT", f"{TAGS}/image", mine, sent, 400, shows={"message": "Validation error"}))


def test_a_tag_that_nobody_has_is_renamed_for_those_to_come(door, mine):
    assert door.run(Row("PUT", f"{TAGS}/nobody%20has", mine, {"tagName": "some"})).get_json() == {}

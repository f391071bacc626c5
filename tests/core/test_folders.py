"""Folders: places, their names, their ends; and documents, as far as they stand alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core import asset, document
from app.core.alias import alias_ref
from app.core.errors import Code, Moved, UploadError
from app.core.policy import EDITOR, Principal
from app.core.refs import Kind
from app.core.target import Target
from tests.core.worlds import ACME, ANY_FILE, BetweenReadAndWrite, Meanwhile, World

FOR_EVER = replace(ANY_FILE, asset_ttl=None)
OTHER = Principal("other", "key", EDITOR)


@pytest.fixture
def world(door):
    return World(door)


def refused(call, code: Code) -> None:
    with pytest.raises(UploadError) as refusal:
        call()
    assert refusal.value.code is code


def names(world, parent=None, who=ACME) -> list[str]:
    return [folder.name for folder in world.folders.inside(who, "v1", parent).items]


def put(world, content: bytes, parent: str | None = None):
    return world.asset_of(world.sent(content, policy=FOR_EVER, target=Target(parent=parent)))


def test_folders_lie_in_folders(world):
    a = world.folders.create(ACME, "v1", "a")
    b = world.folders.create(ACME, "v1", "b", a.id)
    world.folders.create(ACME, "v1", "c", a.id)
    assert (names(world), names(world, a.id), names(world, b.id)) == (["a"], ["b", "c"], [])
    assert [folder.name for folder in world.folders.path(b)] == ["a", "b"]
    assert names(world, who=OTHER) == []
    refused(lambda: world.folders.folder(OTHER, a.id), Code.NOT_FOUND)


@pytest.mark.parametrize("parent", ["nowhere", "x" * 1000])
def test_nothing_is_made_in_a_folder_that_is_not_there(world, parent):
    refused(lambda: world.folders.create(ACME, "v1", "a", parent), Code.NOT_FOUND)


def test_an_id_is_given_once(world):
    world.folders.create(ACME, "v1", "a", id="f")
    refused(lambda: world.folders.create(ACME, "v1", "b", id="f"), Code.EXISTS)


def test_a_path_is_made_once_whoever_asks(world):
    leaf = world.folders.ensure(ACME, "v1", ["a", "b"])
    assert world.folders.ensure(ACME, "v1", ["a", "b"]).id == leaf.id
    assert world.folders.ensure(ACME, "v1", ["b"], leaf.parent).id == leaf.id
    assert world.folders.ensure(ACME, "v1", []) is None
    assert (names(world), names(world, leaf.parent)) == (["a"], ["b"])


def test_two_that_make_one_path_at_once_get_one_folder(world):
    made = []
    raced = BetweenReadAndWrite(world.records, (Kind.FOLDER, Kind.ALIAS), lambda: made.append(world.folders.ensure(ACME, "v1", ["a"])))
    mine = replace(world.folders, records=raced).ensure(ACME, "v1", ["a"])
    assert raced.done
    assert mine.id == made[0].id
    assert names(world) == ["a"]


def test_a_folder_that_was_renamed_or_moved_is_no_longer_at_its_path(world):
    a, b = (world.folders.ensure(ACME, "v1", [name]) for name in "ab")
    world.folders.rename(a, "c")
    world.folders.move(b, a.id)
    fresh = [world.folders.ensure(ACME, "v1", [name]).id for name in "ab"]
    assert a.id not in fresh
    assert b.id not in fresh


def test_a_folder_cannot_lie_in_itself(world):
    a = world.folders.create(ACME, "v1", "a")
    b = world.folders.create(ACME, "v1", "b", a.id)
    for to in (a.id, b.id):
        refused(lambda to=to: world.folders.move(a, to), Code.INVALID)
    assert world.folders.move(b, None).parent is None


def test_folders_that_move_into_one_another_at_once_make_no_ring(world):
    a, b = (world.folders.create(ACME, "v1", name) for name in "ab")
    c = world.folders.create(ACME, "v1", "c", b.id)
    raced = BetweenReadAndWrite(world.records, (Kind.FOLDER, Kind.FOLDER), lambda: world.folders.move(b, a.id))
    refused(lambda: replace(world.folders, records=raced).move(a, c.id), Code.INVALID)
    assert raced.done
    assert [folder.name for folder in world.folders.path(world.fresh(c))] == ["a", "b", "c"]


def test_nothing_moves_into_what_is_being_deleted(world):
    a, of = (world.folders.create(ACME, "v1", name) for name in "ab")
    inside = world.folders.create(ACME, "v1", "c", a.id)
    world.folders.delete(a)
    refused(lambda: world.folders.move(of, inside.id), Code.NOT_FOUND)
    assert names(world) == ["b"]


def test_a_version_that_is_named_must_stand(world):
    a = world.folders.create(ACME, "v1", "a")
    for change in (
        lambda: world.folders.rename(a, "b", version=7),
        lambda: world.folders.move(a, None, version=7),
        lambda: world.folders.delete(a, version=7),
    ):
        refused(change, Code.PRECONDITION)
    assert world.folders.rename(a, "b", version=0).version == 1


def test_what_lies_in_a_deleted_folder_goes_with_it(world):
    a = world.folders.create(ACME, "v1", "a")
    b = world.folders.ensure(ACME, "v1", ["b", "c"], a.id)
    assets = [put(world, b"one", a.id), put(world, b"two", b.id)]
    stays = put(world, b"three")
    world.folders.delete(a)
    assert names(world) == []
    refused(lambda: world.folders.folder(ACME, a.id), Code.GONE)
    refused(lambda: world.folders.create(ACME, "v1", "x", a.id), Code.GONE)
    for _ in range(3):
        world.house.emptying.empty_folders()
    for gone in assets:
        refused(lambda gone=gone: world.library.asset(ACME, gone.id), Code.GONE)
    world.sweep_all()
    assert [world.rests(each.blob) for each in (*assets, stays)] == [False, False, True]
    assert world.records.gone(a.ref)
    assert world.records.get(alias_ref("acme", b.alias)) is None
    assert world.indexed() == {}


def test_a_folder_that_is_called_like_a_door_is_not_its_root(world):
    stays = put(world, b"one")
    world.folders.create(ACME, "v1", "a")
    namesake = world.folders.create(ACME, "wdesk", "b", id="v1")
    assert (names(world, "v1"), world.library.assets(ACME, "v1", "v1").total) == ([], 0)
    world.folders.delete(namesake)
    world.sweep_all()
    assert names(world) == ["a"]
    assert world.content(world.library.asset(ACME, stays.id)) == b"one"


def test_an_asset_does_not_move_into_a_folder_that_is_being_deleted(world):
    a = world.folders.create(ACME, "v1", "a")
    of = put(world, b"one")
    raced = BetweenReadAndWrite(world.records, (Kind.ASSET, Kind.FOLDER), lambda: world.folders.delete(a))
    library = replace(world.library, records=raced)
    refused(lambda: library.revise(of, lambda it, now: asset.revised(it, now, parent=a.id)), Code.NOT_FOUND)
    assert raced.done
    assert world.fresh(of).parent is None


def test_a_folder_is_not_made_in_one_that_is_being_deleted(world):
    a = world.folders.create(ACME, "v1", "a")
    raced = BetweenReadAndWrite(world.records, (Kind.FOLDER, Kind.FOLDER), lambda: world.folders.delete(a))
    refused(lambda: replace(world.folders, records=raced).create(ACME, "v1", "b", a.id), Code.NOT_FOUND)
    assert raced.done


# ---------------------------------------------------------------- revising assets


def test_an_asset_moves_between_folders(world):
    a, b = (world.folders.create(ACME, "v1", name) for name in "ab")
    of = put(world, b"one", a.id)
    world.library.revise(of, lambda it, now: asset.revised(it, now, parent=b.id))
    assert [world.library.assets(ACME, "v1", folder.id).total for folder in (a, b)] == [0, 1]


def test_a_version_of_an_asset_that_is_named_must_stand(world):
    of = put(world, b"one")
    refused(lambda: world.library.revise(of, lambda it, now: asset.revised(it, now, filename="b"), version=3), Code.PRECONDITION)
    refused(lambda: world.library.delete(of, version=3), Code.PRECONDITION)
    refused(lambda: world.library.trash(of, version=3), Code.PRECONDITION)
    assert world.library.revise(of, lambda it, now: asset.revised(it, now, filename="b"), version=0).filename == "b"


def test_aliases_are_claimed_and_given_up(world):
    one, two = put(world, b"one"), put(world, b"two")
    world.library.revise(one, asset.revised, claim=("x",))
    refused(lambda: world.library.revise(two, asset.revised, claim=("x",)), Code.EXISTS)
    world.library.revise(one, asset.revised, claim=("y",), drop=("x",))
    world.library.revise(two, asset.revised, claim=("x",))
    assert [world.library.find(ACME, name).id for name in "xy"] == [two.id, one.id]


def test_an_alias_that_is_claimed_and_given_up_at_once_is_nobodys(world):
    of, paper = put(world, b"one"), world.documents.create(ACME, "v1", "d", {})
    for revise in (
        lambda: world.library.revise(of, asset.revised, claim=("x", "y"), drop=("x",)),
        lambda: world.documents.revise(paper, document.revised, claim=("x", "z"), drop=("x",)),
    ):
        assert "x" not in revise().aliases
        assert world.records.get(alias_ref("acme", "x")) is None


def test_two_claims_of_one_alias_that_race_have_one_winner(world):
    one, two = put(world, b"one"), put(world, b"two")

    def claim(library, of):
        return library.revise(of, asset.revised, claim=("x",))

    raced = BetweenReadAndWrite(world.records, (Kind.ASSET, Kind.ALIAS), lambda: claim(world.library, two))
    refused(lambda: claim(replace(world.library, records=raced), one), Code.EXISTS)
    assert world.library.find(ACME, "x").id == two.id


def test_a_deleted_asset_is_not_changed_and_gets_no_names(world):
    of, other = put(world, b"one"), put(world, b"two")
    world.library.delete(of)
    refused(lambda: world.library.revise(of, asset.revised, claim=("x",)), Code.GONE)
    raced = Meanwhile(world.records, "commit", lambda: world.library.delete(other))
    refused(lambda: replace(world.library, records=raced).revise(other, asset.revised, claim=("x",)), Code.GONE)
    assert raced.done
    world.sweep_all()
    assert world.records.get(alias_ref("acme", "x")) is None


def test_what_is_not_in_the_trash_keeps_its_deadline(world):
    of = world.asset_of(world.upload(b"one"))
    assert world.library.restore(of).expires_at == of.expires_at


def test_what_comes_back_from_the_trash_lies_in_the_root_when_its_folder_is_gone(world):
    folder = world.folders.create(ACME, "v1", "pictures")
    of = world.library.trash(put(world, b"one", folder.id))
    world.folders.delete(folder)
    world.house.emptying.empty_folders()
    back = world.library.restore(of)
    assert (back.parent, back.expires_at, world.content(back)) == (None, None, b"one")


# ---------------------------------------------------------------- documents


def test_a_document_is_kept_for_its_dialect(world):
    made = world.documents.create(ACME, "v1", "d", {"n": [1, {"x": None}]}, aliases=("hash:1",))
    assert (made.revision, world.fresh(made)) == (1, made)
    assert world.library.find(ACME, "hash:1") == made
    refused(lambda: world.documents.document(ACME, "wdesk", "d"), Code.NOT_FOUND)
    refused(lambda: world.documents.document(OTHER, "v1", "d"), Code.NOT_FOUND)
    refused(lambda: world.documents.create(ACME, "v1", "d", {}), Code.EXISTS)
    refused(lambda: world.documents.create(ACME, "v1", "e", {}, aliases=("hash:1",)), Code.EXISTS)
    assert world.documents.list(ACME, "v1").total == 1


def test_a_revision_that_is_named_must_stand(world):
    made = world.documents.create(ACME, "v1", "d", {})
    after = world.documents.revise(made, lambda it, now: document.revised(it, now, body={"a": 1}), revision=1)
    assert (after.revision, after.body) == (2, {"a": 1})
    refused(lambda: world.documents.revise(made, document.revised, revision=1), Code.PRECONDITION)
    refused(lambda: world.documents.delete(made, revision=1), Code.PRECONDITION)
    world.documents.delete(made, revision=2)
    refused(lambda: world.documents.delete(made), Code.NOT_FOUND)
    assert world.documents.create(ACME, "v1", "d", {}).revision == 1


def test_a_guard_can_refuse_a_deletion(world):
    made = world.documents.create(ACME, "v1", "d", {"published": True}, aliases=("n",))

    def guard(of):
        if of.body.get("published"):
            raise Moved(Code.IN_USE)

    refused(lambda: world.documents.delete(made, guard=guard), Code.IN_USE)
    assert world.library.find(ACME, "n") == made

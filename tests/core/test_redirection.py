"""What the bytes become may be said until they are all there; a new content may be laid over what is known; the trash is a list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import Code, Moved
from app.core.reception import Opening
from app.core.refs import Row, Shelf
from app.core.target import Target
from tests.core.worlds import ACME, ANY_FILE, Bytes, World


@pytest.fixture
def world(door):
    return World(door)


def taken(world, target, content=b"bytes", **opening):
    up = world.reception.open(ACME, "v1", replace(ANY_FILE, asset_ttl=None), Opening(**opening, target=target))
    return world.asset_of(world.reception.take(up, Bytes(content)))


def test_what_is_said_behind_the_file_counts(world):
    up = world.reception.open(ACME, "v1", ANY_FILE, Opening(filename="a"))
    op = world.reception.take(up, Bytes(b"x"), lambda: world.reception.redirect(up, Target(asset_id="chosen")))
    assert world.asset_of(op).id == "chosen"


def test_a_promise_that_is_being_kept_is_not_redirected(world):
    world.hold()
    up = world.reception.open(ACME, "v1", ANY_FILE, Opening())
    world.reception.take(up, Bytes(b"x"))
    with pytest.raises(Moved) as caught:
        world.reception.redirect(up, Target(asset_id="late"))
    assert caught.value.code is Code.FINISHED


@pytest.mark.parametrize(
    ("merge", "kept"),
    [(True, {"old": 1, "changed": 2}), (False, {"changed": 2, "gone": None})],
)
def test_metadata_is_laid_over_what_was_there_or_replaces_it(world, merge, kept):
    of = taken(world, Target(), metadata={"old": 1, "changed": 1, "gone": 1})
    over = Target(asset_id=of.id, replace=True, rename=True, merge=merge, metadata={"changed": 2, "gone": None})
    assert taken(world, over, b"other").metadata == kept


def test_what_is_in_the_trash_is_on_a_list_of_its_own_until_it_comes_back(world):
    of = taken(world, Target())
    trash = Shelf(Row.TRASH, "acme", "v1")

    def listed():
        return [each.id for each in world.library.page(trash, 0, 10, newest=True).items], len(world.library.assets(ACME, "v1").items)

    assert listed() == ([], 1)
    trashed = world.library.trash(of)
    assert listed() == ([of.id], 0)
    world.library.restore(trashed)
    assert listed() == ([], 1)

"""A lost Redis: what the store describes comes back as it was."""

import json
from dataclasses import replace

import pytest

from app.core import asset, document, keys, timing
from app.core.asset import BlobState
from app.core.purging import Purging
from app.core.rebuilding import Rebuilding
from app.core.refs import Kind, Ref
from app.core.renditions import Spec
from app.core.target import Target
from tests.core.worlds import ACME, World
from tests.services.pictures import photo

LASTING = ("as:", "fo:", "do:", "al:", "dg:", "bl:", "sh:", "ix:expiry:as", "ix:doomed", "ix:emptying")
IN_FLIGHT = ("sh:up:", "sh:op")


@pytest.fixture
def world(door):
    return World(door)


def lasting(world) -> dict:
    """What Redis holds of what lasts, but for when the records in it were changed."""
    redis = world.door._redis()
    read = {"hash": redis.hgetall, "set": redis.smembers, "zset": lambda key: dict(redis.zrange(key, 0, -1, withscores=True))}
    kept = [key for key in redis.scan_iter() if key.startswith(LASTING) and not key.startswith(IN_FLIGHT)]
    return {key: read[redis.type(key)](key) for key in kept}


def without_versions(found: dict) -> dict:
    return {
        key: {k: v for k, v in value.items() if k != "version"} if key.startswith(("bl:", "dg:", "al:")) else value
        for key, value in found.items()
    }


def lose(world) -> None:
    """Every manifest is written, then Redis loses everything."""
    world.retention.write_manifests()
    world.door._redis().flushall()


def rebuild(world, **options):
    return Rebuilding(world.records, world.store).rebuild(**options)


@pytest.fixture
def town(world):
    """Something of everything that lasts."""
    folder = world.folders.create(ACME, "v1", "pictures", alias="folder-name")
    inner = world.folders.create(ACME, "v1", "inner", parent=folder.id)
    world.sent(b"plain")
    world.sent(b"placed", target=Target(asset_id="chosen", parent=inner.id, aliases=("one", "two")))
    for content in (b"first", b"second", b"third"):
        world.sent(content, target=Target(asset_id="revised", replace=True, revisions=5))
    world.sent(b"plain")  # the same bytes, another asset
    world.library.keep(world.asset_of(world.sent(b"kept")), "a page")
    world.library.trash(world.asset_of(world.sent(b"trashed")))
    world.library.placeholder(ACME, "v1", "to come.bin", aliases=("later",))
    world.documents.create(ACME, "v1", "paper", {"title": "T"}, aliases=("paper-name",))
    world.reception.attach(ACME, world.kept(b"in a slot"), Target(document="paper", slot="en"))
    world.reception.discard(next(up for up in world.library.uploads(ACME, "v1") if up.kept))
    world.library.delete(world.asset_of(world.sent(b"deleted")))
    return world


def test_everything_that_lasts_comes_back_as_it_was(town):
    town.retention.write_manifests()
    town.door.pass_time(timing.GRACE + 1)
    town.retention.delete_doomed()
    before = without_versions(lasting(town))
    lose(town)
    assert lasting(town) == {}
    rebuilt = rebuild(town)
    assert without_versions(lasting(town)) == before
    assert (rebuilt.folders, rebuilt.documents, rebuilt.assets) == (2, 1, 8)
    assert (rebuilt.lost, rebuilt.unreadable, rebuilt.uprooted, rebuilt.orphans) == (0, 0, 0, 0)


def test_what_came_back_lives_on(town):
    lose(town)
    assert rebuild(town, delete_orphans=True).orphans == 2  # that they were condemned is lost too
    revised = town.library.asset(ACME, "revised")
    assert [town.content(revised), len(revised.revisions)] == [b"third", 2]
    assert town.library.find(ACME, "one").id == "chosen"
    again = town.asset_of(town.sent(b"third"))
    assert again.blob == revised.blob  # the same bytes are stored once
    assert town.fresh(Ref_of(again)).holders == 2
    paper = town.documents.document(ACME, "v1", "paper")
    town.documents.delete(paper)
    town.library.delete(again)
    town.library.delete(revised)
    town.sweep_all()
    assert not town.rests(revised.blob)
    left = [key for key, _ in town.store.resting(keys.BLOBS)]
    kept = next(of for of in town.library.assets(ACME).items if of.usage == "a page")
    assert left == [kept.blob]


class Ref_of:  # noqa: N801 - reads as a word of the test
    """Where the blob of an asset has its record."""

    def __init__(self, of) -> None:
        self.ref = Ref(Kind.BLOB, of.tenant, of.blob)


def test_twice_is_once(town):
    lose(town)
    rebuild(town)
    before = lasting(town)
    again = rebuild(town)
    assert (again.folders, again.documents, again.assets, again.present) == (0, 0, 0, 11)
    assert lasting(town) == before


def test_a_dry_run_changes_nothing_and_counts_the_same(town):
    lose(town)
    counted = rebuild(town, dry_run=True, delete_orphans=True)
    assert lasting(town) == {}
    assert replace(rebuild(town), failures=counted.failures) == counted


def test_what_is_there_is_newer_than_what_is_described(world):
    of = world.asset_of(world.sent(b"one"))
    world.retention.write_manifests()
    world.library.revise(of, lambda it, now: asset.revised(it, now, filename="later.bin"))
    assert rebuild(world).present == 1
    assert world.fresh(of).filename == "later.bin"


def test_what_was_deleted_does_not_come_back(world):
    of = world.asset_of(world.sent(b"one"))
    world.retention.write_manifests()
    content = world.store.load(keys.manifest(of.ref))
    world.library.delete(of)
    world.retention.write_manifests()
    world.store.save(keys.manifest(of.ref), content)  # as when the removal came back from a backup of the store
    rebuild(world)
    assert world.fresh(of) is None


def test_an_asset_without_its_bytes_is_named_and_left_out(world):
    gone, cut, whole = (world.asset_of(world.sent(content)) for content in (b"gone", b"cut", b"whole"))
    lose(world)
    world.store.delete(gone.blob)
    world.store.save(cut.blob, b"cu")
    rebuilt = rebuild(world)
    assert (rebuilt.assets, rebuilt.lost) == (1, 2)
    assert sorted(rebuilt.failures) == sorted(keys.manifest(of.ref) for of in (gone, cut))
    assert [world.fresh(of) is None for of in (gone, cut, whole)] == [True, True, False]


def test_an_earlier_content_without_its_bytes_is_left_out(world):
    for content in (b"first", b"second"):
        world.sent(content, target=Target(asset_id="it", replace=True, revisions=5))
    first = world.library.asset(ACME, "it").revisions[0].blob
    lose(world)
    world.store.delete(first)
    rebuild(world)
    assert world.library.asset(ACME, "it").revisions == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"null", b'{"format": 2, "asset": {}}', b'{"format": 1}', b'{"format": 1, "asset": {"id": "a"}}', b"\xff\xfe",
     b'{"format": 1, "asset": {"id": 5, "tenant": "acme", "owner": "", "dialect": "v1", "filename": "", "created_at": 1, "updated_at": 1}}'],
)  # fmt: skip
def test_a_manifest_that_cannot_be_read_does_not_stop_the_others(world, content):
    whole = world.asset_of(world.sent(b"whole"))
    lose(world)
    bad = f"{keys.MANIFESTS}acme/bad.json"
    world.store.save(bad, content)
    rebuilt = rebuild(world)
    assert (rebuilt.assets, rebuilt.unreadable, rebuilt.failures) == (1, 1, [bad])
    assert world.content(world.fresh(whole)) == b"whole"


def test_a_field_of_a_later_version_is_passed_over(world):
    of = world.asset_of(world.sent(b"whole"))
    lose(world)
    told = json.loads(world.store.load(keys.manifest(of.ref)))
    told["asset"]["colour"] = "blue"
    world.store.save(keys.manifest(of.ref), json.dumps(told).encode())
    assert rebuild(world).assets == 1
    assert world.fresh(of).filename == of.filename


def test_an_asset_whose_folder_is_not_described_lies_in_the_root(world):
    folder = world.folders.create(ACME, "v1", "pictures")
    of = world.asset_of(world.sent(b"x", target=Target(parent=folder.id)))
    lose(world)
    world.store.remove(keys.manifest(folder.ref))
    assert rebuild(world).uprooted == 1
    assert [each.id for each in world.library.assets(ACME, "v1", parent=None).items] == [of.id]
    world.library.keep(world.fresh(of))  # it can be changed


def test_a_name_that_somebody_else_has_by_now_stays_with_him(world):
    world.sent(b"x", target=Target(asset_id="first", aliases=("name",)))
    lose(world)
    world.sent(b"y", target=Target(asset_id="second", aliases=("name",)))
    rebuild(world)
    assert world.library.find(ACME, "name").id == "second"
    assert world.library.asset(ACME, "first").aliases == ()


def test_bytes_that_nobody_names_go_when_that_is_asked_for(world):
    of = world.asset_of(world.sent(b"settled, and not yet described"))
    world.door._redis().flushall()
    rebuilt = rebuild(world)
    assert (rebuilt.orphans, rebuilt.orphaned_bytes) == (1, of.facts.size)
    world.sweep_all()
    assert world.rests(of.blob)
    assert rebuild(world, delete_orphans=True).orphans == 1
    world.sweep_all()
    assert not world.rests(of.blob)


def test_bytes_of_work_that_is_under_way_are_nobodys_orphans(world):
    up = world.kept(b"kept for later")
    rebuilt = rebuild(world, delete_orphans=True)
    assert (rebuilt.orphans, world.fresh(up).blob is not None) == (0, True)
    assert world.fresh(Ref_of(up)).state is BlobState.LIVE


def test_renditions_that_nobody_knows_go(world):
    of = world.asset_of(world.sent(photo(64, 48, "PNG", seed=3), filename="cat.png"))
    world.house.rendering.request(of, Spec(width=8))
    assert len(list(world.store.resting(keys.RENDITIONS))) == 1
    lose(world)
    assert rebuild(world).renditions == 1
    world.door.pass_time(timing.GRACE + 1)
    world.retention.delete_doomed()
    assert list(world.store.resting(keys.RENDITIONS)) == []
    assert world.rests(of.blob)


def test_deadlines_come_back(world):
    world.sent(b"for a day")
    world.library.trash(world.asset_of(world.sent(b"for a month")))
    lose(world)
    rebuild(world)
    world.sweep_all()
    assert list(world.store.resting("")) == []
    assert world.indexed() == {}


def test_a_document_awaits_nothing_that_is_lost(world):
    world.hold()
    world.documents.create(ACME, "v1", "paper", {})
    paper = world.documents.document(ACME, "v1", "paper")
    world.records.commit([paper.ref], document_awaiting)
    lose(world)
    rebuild(world)
    assert world.fresh(paper).pending == {}


def document_awaiting(it):
    from app.core.ports import Change

    return Change(put=(document.await_file(it, "en", "some-operation"),))


# ---------------------------------------------------------------- purging


def purging(world) -> Purging:
    return Purging(world.retention, world.house.emptying)


def test_a_dry_purge_counts_and_changes_nothing(world):
    world.open()
    world.sent(b"four")
    world.folders.delete(world.folders.create(ACME, "v1", "pictures"))
    world.retention.write_manifests()
    world.door.pass_time(10 * 86400)
    before = lasting(world)
    found = {due.name: due for due in purging(world).due(orphans=True)}
    assert {name: due.count for name, due in found.items()} == {
        "expire_uploads": 1, "purge_assets": 1, "purge_operations": 1, "empty_folders": 1, "write_manifests": 0, "delete_doomed": 0, "sweep_orphans": 0,
    }  # fmt: skip
    assert found["purge_assets"].size == 4
    assert found["purge_assets"].since == pytest.approx(9 * 86400, abs=60)
    assert lasting(world) == before


def test_a_purge_leaves_nothing_that_is_due(world):
    for number in range(5):
        world.open()
        world.sent(f"{number}".encode())
    world.door.pass_time(10 * 86400)
    done = {swept.name: swept.done for swept in purging(world).run(orphans=True)}
    assert (done["expire_uploads"], done["purge_assets"], done["write_manifests"]) == (5, 5, 5)
    assert sum(due.count for due in purging(world).due()) == 0
    world.door.pass_time(timing.GRACE + 1)
    assert {swept.name: swept.done for swept in purging(world).run()}["delete_doomed"] == 5
    assert list(world.store.resting("")) == []

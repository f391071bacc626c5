"""What the bytes of an operation become, as its target says; and the races for names, places and slots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core import asset, document
from app.core.asset import AssetState
from app.core.errors import Code, Moved, UploadError
from app.core.operation import Status
from app.core.policy import EDITOR, Principal
from app.core.ports import Change
from app.core.reception import Opening
from app.core.refs import Index, Kind, Ref
from app.core.target import Target
from tests.core.worlds import ACME, ANY_FILE, BetweenReadAndWrite, Meanwhile, World

FOR_EVER = replace(ANY_FILE, asset_ttl=None)
OTHER = Principal("other", "key", EDITOR)


@pytest.fixture
def world(door):
    return World(door)


def sent(world, content: bytes, filename: str = "a.bin", who=ACME, **target):
    return world.sent(content, who, filename, FOR_EVER, Target(**target))


def problem(world, op) -> tuple[Status, Code | None]:
    current = world.fresh(op)
    return current.status, current.problem.code if current.problem else None


def test_an_id_that_was_chosen_is_the_assets(world):
    op = sent(world, b"one", asset_id="mine")
    assert world.fresh(op).asset_ids == ("mine",)
    assert world.content(world.library.asset(ACME, "mine")) == b"one"


def test_an_id_is_given_once_in_a_tenant_and_as_often_as_there_are_tenants(world):
    sent(world, b"one", asset_id="mine")
    assert problem(world, sent(world, b"two", asset_id="mine")) == (Status.FAILED, Code.EXISTS)
    assert world.content(world.library.asset(ACME, "mine")) == b"one"
    assert problem(world, sent(world, b"two", who=OTHER, asset_id="mine")) == (Status.COMPLETED, None)


@pytest.mark.parametrize("end", ["trash", "delete"])
def test_the_id_of_an_asset_that_went_is_not_given_again_while_its_record_stands(world, end):
    op = sent(world, b"one", asset_id="mine")
    getattr(world.library, end)(world.asset_of(op))
    assert problem(world, sent(world, b"two", asset_id="mine", replace=True)) == (Status.FAILED, Code.EXISTS)


# ---------------------------------------------------------------- replacing


def test_new_bytes_under_the_same_id(world):
    old = world.asset_of(sent(world, b"one", "a.bin", asset_id="mine"))
    new = world.asset_of(sent(world, b"two", "b.bin", asset_id="mine", replace=True))
    assert (new.id, new.filename, new.file_version, new.version) == ("mine", "a.bin", 1, old.version + 1)
    assert world.content(new) == b"two"
    assert new.revisions == ()
    world.sweep_all()
    assert not world.rests(old.blob)
    assert world.rests(new.blob)


def test_a_new_name_with_the_new_bytes_where_that_is_said(world):
    sent(world, b"one", "a.bin", asset_id="mine")
    new = world.asset_of(sent(world, b"two", "b.bin", asset_id="mine", replace=True, rename=True, metadata={"k": 1}))
    assert (new.filename, new.metadata) == ("b.bin", {"k": 1})


def test_new_bytes_for_the_version_that_is_expected(world):
    sent(world, b"one", asset_id="mine")
    ops = [sent(world, content, asset_id="mine", replace=True, expected=0) for content in (b"two", b"three")]
    assert [problem(world, op) for op in ops] == [(Status.COMPLETED, None), (Status.FAILED, Code.PRECONDITION)]
    assert world.fresh(ops[1]).problem.facts == {"version": 1}
    kept = world.library.asset(ACME, "mine")
    assert (world.content(kept), kept.version) == (b"two", 1)


@pytest.mark.parametrize("there", [True, False], ids=["that is there", "or a new one"])
@pytest.mark.parametrize("swept", [True, False])
def test_new_bytes_for_an_asset_that_was_deleted_meanwhile(world, there, swept):
    old = world.asset_of(sent(world, b"one", asset_id="mine"))
    world.library.delete(old)
    if swept:
        world.retention.write_manifests()
    op = world.fresh(sent(world, b"two", asset_id="mine", replace=True, there=there))
    made = not there and swept  # an id is free again when nothing is left of who had it
    assert (op.status, op.problem.code if op.problem else None) == (
        (Status.COMPLETED, None) if made else (Status.FAILED, Code.GONE if there else Code.EXISTS)
    )


def test_what_is_expected_at_a_version_is_not_made_anew(world):
    of = world.asset_of(sent(world, b"one", asset_id="mine"))
    world.hold()
    op = sent(world, b"two", asset_id="mine", replace=True, expected=0)
    world.library.delete(of)
    world.retention.write_manifests()
    world.door.jobs.run()
    assert problem(world, op) == (Status.FAILED, Code.GONE)
    assert world.fresh(of) is None
    world.sweep_all()
    assert world.indexed() == {}


def test_an_asset_moves_with_its_new_bytes_or_not_at_all(world):
    there = world.folders.create(ACME, "v1", "there")
    old = world.asset_of(sent(world, b"one", asset_id="mine"))
    new = world.asset_of(sent(world, b"two", asset_id="mine", replace=True, move=True, parent=there.id))
    assert (new.parent, new.version, new.file_version) == (there.id, old.version + 2, 1)
    assert problem(world, sent(world, b"three", asset_id="mine", replace=True, move=True, parent="none")) == (Status.FAILED, Code.NOT_FOUND)
    stays = world.asset_of(sent(world, b"four", asset_id="mine", replace=True))
    assert (stays.parent, stays.version) == (there.id, new.version + 1)
    back = world.asset_of(sent(world, b"five", asset_id="mine", replace=True, move=True))
    assert (back.parent, back.version) == (None, stays.version + 2)


def test_the_same_bytes_again_stay_where_they_are(world):
    old = world.asset_of(sent(world, b"one", asset_id="mine"))
    new = world.asset_of(sent(world, b"one", asset_id="mine", replace=True))
    assert (new.blob, new.file_version) == (old.blob, 1)
    world.sweep_all()
    assert world.content(world.library.asset(ACME, "mine")) == b"one"


def test_as_many_earlier_contents_stay_as_are_wanted(world):
    contents = [b"one", b"two", b"three", b"four"]
    assets = [world.asset_of(sent(world, content, asset_id="mine", replace=True, revisions=2)) for content in contents]
    last = assets[-1]
    assert [revision.blob for revision in last.revisions] == [assets[1].blob, assets[2].blob]
    world.sweep_all()
    assert [world.rests(asset.blob) for asset in assets] == [False, True, True, True]
    world.library.delete(last)
    world.sweep_all()
    assert not any(world.rests(asset.blob) for asset in assets)
    assert world.indexed() == {}


def test_a_content_that_comes_back_is_held_until_its_last_revision_goes(world):
    first = world.asset_of(sent(world, b"one", asset_id="mine", replace=True, revisions=3))
    sent(world, b"two", asset_id="mine", replace=True, revisions=3)
    back = world.asset_of(sent(world, b"one", asset_id="mine", replace=True, revisions=3))
    assert back.blob == first.blob
    for content in (b"three", b"four", b"five"):
        sent(world, content, asset_id="mine", replace=True, revisions=1)
    world.sweep_all()
    assert not world.rests(first.blob)


def test_another_asset_with_the_same_bytes_keeps_them(world):
    old = world.asset_of(sent(world, b"one", asset_id="mine"))
    twin = world.asset_of(sent(world, b"one", asset_id="twin"))
    sent(world, b"two", asset_id="mine", replace=True)
    world.sweep_all()
    assert twin.blob == old.blob
    assert world.content(twin) == b"one"


def test_a_placeholder_gets_its_bytes(world):
    world.library.placeholder(ACME, "v1", "soon.bin", id="mine")
    with pytest.raises(UploadError, match="no such asset"):
        world.library.asset(ACME, "mine")
    new = world.asset_of(sent(world, b"one", asset_id="mine", replace=True))
    assert (new.state, new.filename, new.file_version) == (AssetState.READY, "soon.bin", 0)


def test_new_bytes_get_the_time_that_new_bytes_have(world):
    short = replace(ANY_FILE, asset_ttl=100.0)
    world.sent(b"one", policy=short, target=Target(asset_id="mine"))
    world.door.pass_time(101)
    world.sent(b"two", policy=short, target=Target(asset_id="mine", replace=True))
    world.door.sweep()
    assert world.content(world.library.asset(ACME, "mine")) == b"two"
    world.library.keep(world.library.asset(ACME, "mine"))
    assert world.asset_of(world.sent(b"three", policy=short, target=Target(asset_id="mine", replace=True))).expires_at is None


# ---------------------------------------------------------------- names


def test_a_name_finds_its_asset_and_stays_with_who_had_it_first(world):
    first = world.asset_of(sent(world, b"one", aliases=("a", "b")))
    second = world.asset_of(sent(world, b"two", aliases=("b", "c")))
    found = {name: world.library.find(ACME, name).id for name in "abc"}
    assert found == {"a": first.id, "b": first.id, "c": second.id}
    with pytest.raises(UploadError) as unknown:
        world.library.find(OTHER, "a")
    assert unknown.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("end", ["trash", "delete"])
def test_a_name_is_free_again_when_its_asset_goes(world, end):
    first = world.asset_of(sent(world, b"one", aliases=("a",)))
    getattr(world.library, end)(first)
    with pytest.raises(UploadError):
        world.library.find(ACME, "a")
    second = world.asset_of(sent(world, b"two", aliases=("a",)))
    assert world.library.find(ACME, "a").id == second.id


def test_the_asset_of_a_name_is_the_one_that_is_replaced(world):
    first = world.asset_of(sent(world, b"one", by_alias="path"))
    second = world.asset_of(sent(world, b"two", asset_id="other", by_alias="path"))
    assert (second.id, second.file_version, world.content(second)) == (first.id, 1, b"two")


def test_two_that_come_at_once_for_one_name_make_one_asset(world):
    world.hold()
    one, two = (sent(world, content, by_alias="path") for content in (b"one", b"two"))
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.house.processing.process(two.tenant, two.id))
    world.processing(records=raced).process(one.tenant, one.id)
    assert raced.done
    assert world.fresh(one).asset_ids == world.fresh(two).asset_ids
    assert world.content(world.library.find(ACME, "path")) == b"one"
    assert world.library.assets(ACME).total == 1


def test_equal_content_of_equal_name_is_one_asset_where_that_is_wanted(world):
    first = sent(world, b"one", "a.bin", same_alias=True)
    again, other, differently = (
        sent(world, b"one", "a.bin", unless_same=True),
        sent(world, b"one", "b.bin", unless_same=True),
        sent(world, b"one", "a.bin", same_alias=True),
    )
    ids = [world.fresh(op).asset_ids[0] for op in (first, again, other, differently)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    world.library.delete(world.asset_of(first))
    assert world.fresh(sent(world, b"one", "a.bin", unless_same=True)).asset_ids[0] not in ids


def test_an_asset_whose_time_is_over_is_not_the_result_of_anything(world):
    short = replace(ANY_FILE, asset_ttl=100.0)
    first = world.sent(b"one", policy=short, target=Target(same_alias=True))
    world.door.pass_time(101)
    assert world.fresh(world.sent(b"one", policy=short, target=Target(unless_same=True))).asset_ids != first.asset_ids


def test_an_attachment_that_finds_its_content_there_lets_go_of_the_upload(world):
    up = world.kept(b"one", filename="a.bin")
    first, again = (world.reception.attach(ACME, up, Target(unless_same=True)) for _ in range(2))
    assert world.fresh(first).asset_ids == world.fresh(again).asset_ids != ()
    assert world.fresh(up).attaching == ()


def test_two_of_equal_content_that_come_at_once_are_one_asset(world):
    world.hold()
    one, two = (sent(world, b"same", unless_same=True) for _ in range(2))
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.house.processing.process(two.tenant, two.id))
    world.processing(records=raced).process(one.tenant, one.id)
    assert raced.done
    assert world.fresh(one).asset_ids == world.fresh(two).asset_ids != ()
    world.library.delete(world.asset_of(one))
    world.sweep_all()
    assert world.indexed() == {}


# ---------------------------------------------------------------- places


def test_an_asset_lies_in_its_folder(world):
    folder = world.folders.create(ACME, "v1", "pictures")
    inside = world.asset_of(sent(world, b"one", parent=folder.id))
    outside = world.asset_of(sent(world, b"two"))
    listed = {parent: [a.id for a in world.library.assets(ACME, "v1", parent).items] for parent in (folder.id, None)}
    assert listed == {folder.id: [inside.id], None: [outside.id]}


def test_bytes_for_a_folder_that_is_gone_are_refused_and_go(world):
    folder = world.folders.create(ACME, "v1", "pictures")
    world.hold()
    op = sent(world, b"one", parent=folder.id)
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.folders.delete(folder))
    world.processing(records=raced).process(op.tenant, op.id)
    assert raced.done
    assert problem(world, op) == (Status.FAILED, Code.NOT_FOUND)
    world.sweep_all()
    assert world.indexed() == {}


# ---------------------------------------------------------------- slots


@pytest.fixture
def paper(world):
    """A document whose slot `en` awaits the operation of the same call."""
    return world.documents.create(ACME, "v1", "paper", {"title": "T"})


def attached(world, content: bytes, slot: str, **target):
    up = world.kept(content)
    return world.reception.attach(ACME, up, Target(document="paper", slot=slot, **target))


def test_a_slot_is_filled_and_the_revision_counts(world, paper):
    op = attached(world, b"one", "en", filename="named.bin")
    after = world.fresh(paper)
    asset = world.asset_of(op)
    assert (after.revision, after.pending) == (2, {})
    assert (after.files["en"].asset_id, after.files["en"].filename, after.files["en"].facts) == (asset.id, "named.bin", asset.facts)
    assert after.body == {"title": "T"}


def test_a_slot_that_is_filled_again_replaces_its_asset(world, paper):
    first = world.asset_of(attached(world, b"one", "en"))
    second = world.asset_of(attached(world, b"two", "en", asset_id="ignored"))
    assert (second.id, world.content(second)) == (first.id, b"two")
    world.sweep_all()
    assert not world.rests(first.blob)


def test_a_slot_whose_asset_was_deleted_is_filled_again(world, paper):
    """Nobody can do that any more; records that an older version wrote may stand so."""
    first = world.asset_of(attached(world, b"one", "en"))
    world.records.commit([first.ref], lambda of: Change(put=(asset.delete(of, 0.0),), manifest=(of.ref,)))
    op = attached(world, b"two", "en")
    assert problem(world, op) == (Status.COMPLETED, None)
    assert world.fresh(paper).files["en"].asset_id == world.asset_of(op).id != first.id
    world.sweep_all()
    assert world.content(world.library.asset(ACME, world.fresh(paper).files["en"].asset_id)) == b"two"


def test_what_stands_in_another_slot_too_keeps_its_bytes_there(world, paper):
    first = world.asset_of(attached(world, b"one", "en"))
    world.documents.revise(paper, lambda it, now: document.revised(it, now, files={**it.files, "published": it.files["en"]}))
    second = world.asset_of(attached(world, b"two", "en"))
    files = world.fresh(paper).files
    assert (files["published"].asset_id, files["en"].asset_id) == (first.id, second.id)
    assert (world.content(world.fresh(first)), world.content(second)) == (b"one", b"two")
    world.documents.revise(paper, lambda it, now: document.revised(it, now, files={"en": it.files["en"]}))
    assert world.fresh(first).state is AssetState.DELETED


def test_what_stands_in_a_slot_goes_and_changes_with_its_document_alone(world, paper):
    of = world.asset_of(attached(world, b"one", "en"))
    for end in (world.library.delete, world.library.trash):
        with pytest.raises(Moved) as refused:
            end(of)
        assert refused.value.code is Code.IN_USE
    assert problem(world, sent(world, b"two", asset_id=of.id, replace=True)) == (Status.FAILED, Code.EXISTS)
    assert world.content(world.fresh(of)) == b"one"
    world.documents.revise(paper, lambda it, now: document.revised(it, now, files={}))
    assert world.fresh(of).state is AssetState.DELETED


def test_a_slot_takes_no_asset_that_is_not_its_own(world, paper):
    sent(world, b"one", asset_id="mine")
    assert problem(world, attached(world, b"two", "en", asset_id="mine")) == (Status.FAILED, Code.EXISTS)
    assert world.content(world.library.asset(ACME, "mine")) == b"one"


def test_what_stands_in_a_slot_has_no_deadline_of_its_own(world, paper):
    assert world.asset_of(attached(world, b"one", "en")).expires_at is None
    assert world.asset_of(world.upload(b"one")).expires_at is not None


def test_slots_that_are_filled_at_once_are_all_filled(world, paper):
    up = world.kept(b"one")
    world.hold()
    ops = [world.reception.attach(ACME, up, Target(document="paper", slot=slot)) for slot in ("en", "de", "fr")]
    kinds = (Kind.OPERATION, Kind.UPLOAD, Kind.BLOB, Kind.DIGEST)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: [world.house.processing.process(op.tenant, op.id) for op in ops[1:]])
    world.processing(records=raced).process(ops[0].tenant, ops[0].id)
    assert raced.done
    after = world.fresh(paper)
    assert (sorted(after.files), after.revision, after.pending) == (["de", "en", "fr"], 4, {})


def test_the_last_that_was_asked_for_fills_the_slot(world, paper):
    world.hold()
    early, late = attached(world, b"early", "en"), attached(world, b"late", "en")
    world.door.jobs.run()
    assert problem(world, early) == (Status.FAILED, Code.VERSION_CONFLICT)
    assert problem(world, late) == (Status.COMPLETED, None)
    assert world.content(world.asset_of(late)) == b"late"


def test_a_document_that_is_gone_takes_no_file(world, paper):
    world.hold()
    op = attached(world, b"one", "en")
    world.documents.delete(paper)
    world.door.jobs.run()
    assert problem(world, op) == (Status.FAILED, Code.GONE)


def test_an_unknown_document_awaits_nothing(world):
    up = world.kept(b"one")
    with pytest.raises(Moved) as unknown:
        world.reception.attach(ACME, up, Target(document="nowhere", slot="en"))
    assert unknown.value.code is Code.NOT_FOUND
    assert world.fresh(up).attaching == ()


def refuse(of):
    raise UploadError(Code.IN_USE)


def test_a_guard_sees_the_document_of_the_commit_and_may_refuse(world, paper):
    up = world.kept(b"one")
    seen = []

    def revise():
        world.documents.revise(paper, lambda of, now: document.revised(of, now, body={"title": "new"}))

    raced = BetweenReadAndWrite(world.records, (Kind.OPERATION, Kind.UPLOAD, Kind.DOCUMENT), revise)
    replace(world.reception, records=raced).attach(ACME, up, Target(document="paper", slot="en"), seen.append)
    assert [of.body for of in seen] == [{"title": "T"}, {"title": "new"}]
    assert set(world.fresh(paper).files) == {"en"}


def test_what_a_guard_refuses_was_never_promised(world, paper):
    up, target = world.kept(b"one"), Target(document="paper", slot="en")
    before, uploads = world.fresh(paper), world.library.uploads(ACME, "v1")
    world.hold()
    with pytest.raises(UploadError, match="used elsewhere"):
        world.reception.attach(ACME, up, target, refuse)
    with pytest.raises(UploadError, match="used elsewhere"):
        world.reception.fetch(ACME, "v1", ANY_FILE, Opening(source="http://a/b", target=target), refuse)
    assert (world.fresh(up).attaching, world.fresh(paper), world.door.jobs.backlog()) == ((), before, 0)
    assert (world.library.uploads(ACME, "v1"), world.records.count(Index.QUEUED)) == (uploads, 0)
    assert list(world.store.staged_before(-60)) == []


def test_a_document_takes_its_assets_with_it(world, paper):
    ops = [attached(world, content, slot) for content, slot in ((b"one", "en"), (b"one", "de"), (b"two", "fr"))]
    blobs = {world.asset_of(op).blob for op in ops}
    world.documents.delete(world.fresh(paper))
    assert world.records.get(paper.ref) is None
    world.sweep_all()
    assert not any(world.rests(blob) for blob in blobs)
    assert world.indexed() == {}


def test_a_file_that_is_taken_out_of_a_document_is_deleted(world, paper):
    kept, out = (world.asset_of(attached(world, content, slot)) for content, slot in ((b"one", "en"), (b"two", "de")))
    world.documents.revise(paper, lambda it, now: document.revised(it, now, files={"en": it.files["en"]}))
    assert world.fresh(out).state is AssetState.DELETED
    assert world.fresh(kept).state is AssetState.READY


def test_a_document_deleted_while_its_slot_is_filled_leaves_no_asset(world, paper):
    world.hold()
    op = attached(world, b"one", "en")
    kinds = (Kind.DOCUMENT,)
    raced = BetweenReadAndWrite(world.records, kinds, lambda: world.house.processing.process(op.tenant, op.id))
    replace(world.documents, records=raced).delete(paper)
    assert raced.done
    assert world.fresh(paper) is None
    assert world.library.assets(ACME).total == 0
    assert world.records.count(Index.QUEUED) == 0


def test_a_lists_members_are_those_that_are_there(world):
    ids = [world.asset_of(sent(world, bytes([n]) * 3)).id for n in range(5)]
    world.library.trash(world.library.asset(ACME, ids[1]))
    world.library.delete(world.library.asset(ACME, ids[3]))
    page = world.library.assets(ACME, "v1", newest=False)
    assert ([a.id for a in page.items], page.total) == ([ids[0], ids[2], ids[4]], 3)
    assert [a.id for a in world.library.assets(ACME, "v1", start=1, limit=1, newest=True).items] == [ids[2]]
    assert world.library.assets(OTHER).total == 0
    world.library.restore(world.library.any_asset(ACME, ids[1]))
    assert world.library.assets(ACME).total == 4


def test_what_lies_in_the_trash_goes_when_its_time_is_over(world):
    asset = world.asset_of(sent(world, b"one"))
    world.library.trash(asset)
    with pytest.raises(UploadError) as gone:
        world.library.asset(ACME, asset.id)
    assert gone.value.code is Code.GONE
    world.sweep_all()
    assert world.records.get(Ref(Kind.ASSET, "acme", asset.id)) is None
    assert not world.rests(asset.blob)
    assert world.indexed() == {}


def test_the_last_holders_of_one_blob_that_leave_together_doom_it(world, paper):
    up = world.kept(b"one")
    for slot in ("en", "de"):
        world.reception.attach(ACME, world.fresh(up), Target(document="paper", slot=slot))
    world.reception.discard(world.fresh(up))
    world.documents.delete(world.fresh(paper))
    world.sweep_all()
    assert not world.rests(up.blob)
    assert world.indexed() == {}


def test_an_asset_whose_bytes_are_replaced_while_it_is_deleted_takes_the_new_ones_with_it(world):
    old = world.asset_of(sent(world, b"one", asset_id="mine"))
    newer = []
    raced = Meanwhile(world.records, "commit", lambda: newer.append(world.asset_of(sent(world, b"two", asset_id="mine", replace=True))))
    replace(world.library, records=raced).delete(old)
    world.sweep_all()
    assert [world.rests(of.blob) for of in (old, *newer)] == [False, False]
    assert world.indexed() == {}


def test_an_asset_is_not_found_by_the_content_that_it_had(world):
    old = world.asset_of(sent(world, b"one", asset_id="mine", same_alias=True))
    sent(world, b"two", asset_id="mine", replace=True, same_alias=True)
    assert world.fresh(sent(world, b"two", unless_same=True)).asset_ids == (old.id,)
    assert world.fresh(sent(world, b"one", unless_same=True)).asset_ids != (old.id,)


def test_a_file_that_comes_while_all_are_taken_out_is_deleted_too(world, paper):
    attached(world, b"one", "en")
    raced = Meanwhile(world.records, "commit", lambda: attached(world, b"two", "de"))
    replace(world.documents, records=raced).revise(paper, lambda it, now: document.revised(it, now, files={}))
    assert raced.done
    assert world.fresh(paper).files == {}
    assert world.library.assets(ACME).total == 0


def test_an_asset_past_its_deadline_is_in_no_list_before_the_sweep(world):
    world.upload(b"one")
    assert len(world.library.assets(ACME).items) == 1
    world.door.pass_time(86400 + 1)
    assert world.library.assets(ACME).items == []

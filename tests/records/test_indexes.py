"""Where each state of each entity stands among the indexes, and that it leaves where it stood before."""

import pytest

from app.core.asset import AssetState, BlobState
from app.core.operation import FINAL, Status
from app.core.ports import Change
from app.core.refs import Index
from app.core.upload import State
from app.records.indexes import OF_KIND
from tests.records.samples import a_blob, a_document, a_folder, a_part, a_pointer, an_asset, an_operation, an_upload, put

DUE = [
    (an_upload(expires_at=5.5), {Index.EXPIRY_UPLOADS: 5.5}),
    *((an_upload(state=state), {}) for state in State if state is not State.OPEN),
    *((an_upload(state=state, doomed_at=7.25), {Index.DOOMED: 7.25}) for state in State if state is not State.OPEN),
    (an_upload(expires_at=5.5, doomed_at=7.25), {Index.EXPIRY_UPLOADS: 5.5, Index.DOOMED: 7.25}),
    (an_operation(), {}),
    (an_operation(status=Status.QUEUED, resend_at=8.0, lease=9.0), {Index.QUEUED: 8.0, Index.WAITING: 1_750_000_000.25}),
    (an_operation(status=Status.QUEUED, resend_at=8.0, queued_at=4.0), {Index.QUEUED: 8.0, Index.WAITING: 4.0}),
    (an_operation(status=Status.QUEUED, updated_at=3.0), {Index.QUEUED: 3.0, Index.WAITING: 3.0}),
    (an_operation(status=Status.STARTED, resend_at=8.0, lease=9.0), {Index.LEASE: 9.0}),
    (an_operation(status=Status.STARTED, updated_at=3.0), {Index.LEASE: 3.0}),
    *((an_operation(status=status, expires_at=11.0, lease=9.0), {Index.EXPIRY_OPERATIONS: 11.0}) for status in sorted(FINAL)),
    (an_asset(expires_at=6.0), {Index.EXPIRY_ASSETS: 6.0}),
    (an_asset(expires_at=6), {Index.EXPIRY_ASSETS: 6.0}),
    (an_asset(), {}),
    (an_asset(state=AssetState.TRASHED, expires_at=6.0), {Index.EXPIRY_ASSETS: 6.0}),
    *((an_asset(state=state, expires_at=6.0), {}) for state in (AssetState.PLACEHOLDER, AssetState.DELETED)),
    (a_folder(), {}),
    (a_folder(deleted_at=8.5), {Index.EMPTYING: 8.5}),
    (an_upload(state=State.FINISHED, kept=True, expires_at=5.5), {Index.EXPIRY_UPLOADS: 5.5}),
    *((an_upload(state=state, kept=True), {}) for state in (State.CANCELLED, State.EXPIRED)),
    (a_blob(), {}),
    (a_blob(state=BlobState.LIVE), {}),
    (a_blob(state=BlobState.DOOMED, doomed_at=4.0), {Index.DOOMED: 4.0}),
    (a_pointer(a_blob()), {}),
]


DERIVED = frozenset(Index) - {Index.MANIFEST}


def standing(records, ref, indexes=frozenset(Index)):
    found = {index: dict(records.due(index, float("inf"), 100)) for index in indexes}
    return {index: refs[ref] for index, refs in found.items() if ref in refs}


@pytest.mark.parametrize(("entity", "due"), DUE, ids=lambda value: str(getattr(value, "state", getattr(value, "status", ""))) or None)
def test_a_record_stands_where_its_state_says(records, entity, due):
    put(records, entity)
    assert standing(records, entity.ref, DERIVED) == due
    records.commit([entity.ref], lambda _: Change(drop=(entity.ref,)))
    assert standing(records, entity.ref, DERIVED) == {}


@pytest.mark.parametrize("order", [1, -1], ids=["forth", "back"])
def test_a_record_leaves_where_it_stood_before(records, order):
    """Through all the rows of the table, each over the one before."""
    for version, (entity, due) in enumerate(DUE[::order]):
        put(records, type(entity)(**{**{f: getattr(entity, f) for f in entity.__slots__}, "version": version}))
        assert standing(records, entity.ref, DERIVED) == due


@pytest.mark.parametrize(("entity", "described"), [(a_folder(), True), (a_document(), True), (an_asset(), False), (an_upload(), False)])
def test_folders_and_documents_are_described_whenever_they_are_written(records, entity, described):
    put(records, entity)
    assert (Index.MANIFEST in standing(records, entity.ref)) is described


def test_what_no_entity_says_a_change_says(records):
    ref = an_asset().ref
    put(records, an_asset(), manifest=(ref,))
    first = standing(records, ref)[Index.MANIFEST]
    assert first == pytest.approx(records.now(), abs=5)
    put(records, an_asset(version=1))
    records.commit([ref], lambda _: Change(drop=(ref,)))
    assert standing(records, ref) == {Index.MANIFEST: first}  # the sweep has still to remove the manifest
    records.commit([ref], lambda _: Change(manifest=(ref,)))
    assert standing(records, ref)[Index.MANIFEST] > first


def test_every_index_is_derived_but_the_manifests(records):
    assert {index for indexes in OF_KIND.values() for index in indexes} == DERIVED


def test_due_comes_earliest_first_until_the_moment_and_the_limit(records):
    put(records, *(an_upload(f"u{n}", tenant="a:b", expires_at=float(n)) for n in (3, 1, 4, 2)))
    table = {(2.0, 9): [1, 2], (2.9, 9): [1, 2], (3, 1): [1], (9.0, 3): [1, 2, 3], (0.5, 9): [], (9.0, 0): []}
    for (until, limit), expected in table.items():
        wanted = [(an_upload(f"u{n}", tenant="a:b").ref, float(n)) for n in expected]
        assert records.due(Index.EXPIRY_UPLOADS, until, limit) == wanted
    assert records.count(Index.EXPIRY_UPLOADS) == 4


@pytest.mark.parametrize(("given", "left"), [(1_750_000_000.123456, 0), (1_750_000_000.123457, 1), (1_750_000_000, 1)])
def test_an_index_is_settled_only_at_the_time_that_was_seen(records, given, left):
    up = an_upload(expires_at=1_750_000_000.123456)
    put(records, up)
    records.settle_index(Index.EXPIRY_UPLOADS, [(up.ref, given), (an_upload("never").ref, given)])
    assert records.count(Index.EXPIRY_UPLOADS) == left


def test_what_is_due_can_be_settled(records):
    put(records, *(an_upload(f"u{n}", expires_at=records.now() / 3 + n / 7) for n in range(20)))
    records.settle_index(Index.EXPIRY_UPLOADS, records.due(Index.EXPIRY_UPLOADS, float("inf"), 15))
    assert records.count(Index.EXPIRY_UPLOADS) == 5
    records.settle_index(Index.EXPIRY_UPLOADS, [])


def test_parts_leave_nothing_in_any_index(records):
    records.record_part(an_upload().ref, a_part(), lambda _: None)
    assert [records.count(index) for index in Index] == [0] * len(Index)

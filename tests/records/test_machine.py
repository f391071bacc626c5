"""Uploads, operations, blobs, assets and pointers through any order of commits and sweeps, held against a model of plain dicts.

The commits are those of app.core (endings, library, retention) over a store that only notes what it was told to remove. Time goes in ticks
that are longer than an upload's life, so that no deadline lies near a comparison.
"""

from dataclasses import dataclass, field

import fakeredis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from app.core import asset, endings, keys, operation, upload
from app.core.asset import Asset, AssetState, Blob, BlobState, Pointer
from app.core.errors import Code, Moved, problem
from app.core.facts import Facts
from app.core.library import Library
from app.core.operation import FINAL, Operation, Status
from app.core.policy import Policy
from app.core.ports import Change
from app.core.refs import Index, Kind, Ref
from app.core.retention import Retention
from app.core.upload import Staged, State, Upload
from app.records import records_over
from app.records.link import connect
from tests.services.redis_server import shared

T = "acme"
TICK = 700.0
UPLOAD_LIFE, ASSET_LIFE, OPERATION_LIFE = 600.0, 2000.0, 5000.0  # 1, 3 and 8 ticks
POLICY = Policy(upload_ttl=UPLOAD_LIFE, asset_ttl=ASSET_LIFE, operation_ttl=OPERATION_LIFE, max_attempts=2)
WORKING = {Status.ACKNOWLEDGED, Status.QUEUED, Status.STARTED}


class NotingStore:
    """Of a store only what retention removes."""

    def __init__(self):
        self.removed = []

    def discard(self, staged):
        self.removed.append(staged.key)

    def delete(self, key):
        self.removed.append(key)

    remove = delete

    def save(self, key, content):
        pass


@dataclass
class Job:
    """What the model knows of one operation and its upload."""

    status: Status
    opened: int
    ended: int | None = None
    losses: int = 0


@dataclass
class Kept:
    """What the model knows of one asset."""

    blob: str
    digest: str
    made: int
    state: AssetState = AssetState.READY
    forever: bool = False


@dataclass
class Bytes:
    """What the model knows of one blob."""

    state: BlobState = BlobState.PROMOTING
    holders: set = field(default_factory=set)
    doomed: int = 0
    doomed_step: int = 0


def ref(kind, one):
    return Ref(kind, T, one)


def blob_ref(one):
    return Ref(Kind.BLOB, T, keys.blob(T, one))


class Machine(RuleBasedStateMachine):
    """`connect` is set by the tests below."""

    connect = None

    def __init__(self):
        super().__init__()
        make = self.connect()
        self.room, self.raw, self.store = records_over(make, "shift"), make(), NotingStore()
        self.records = self.room.records
        self.library, self.retention = Library(self.records, self.store), Retention(self.records, self.store)
        self.jobs, self.assets, self.blobs, self.pointers = {}, {}, {}, {}
        self.finals, self.buried, self.manifests = {}, set(), {}
        self.tick, self.step = 0, 0

    def teardown(self):
        self.room.close()

    # ------------------------------------------------------------ choosing

    def choose(self, pick, *statuses):
        """An operation in one of the statuses, or any when there is none: the step must then be refused."""
        fitting = sorted(one for one, job in self.jobs.items() if job.status in statuses)
        some = fitting or sorted(self.jobs)
        self.step += 1
        return some[pick % len(some)]

    def change(self, one, step):
        refs = [ref(Kind.OPERATION, one), ref(Kind.UPLOAD, one), blob_ref(one)]
        return self.records.commit(refs, lambda op, up, blob: step(op, up, blob, self.records.now()))

    def attempt(self, allowed, one, step):
        """Whether the step was made; it must be exactly when the model allows it."""
        try:
            self.change(one, step)
        except Moved:
            assert not allowed
            return False
        assert allowed
        return True

    # ------------------------------------------------------------ time

    @rule(ticks=st.sampled_from([1, 1, 3, 8]))
    def wait(self, ticks):
        self.tick += ticks
        self.raw.set("shift", str(self.tick * TICK))

    # ------------------------------------------------------------ operations

    @rule(far=st.sampled_from(["open", "queued", "started", "settled", "settled"]), digest=st.sampled_from(["sha256:a", "sha256:b"]))
    @precondition(lambda self: len(self.jobs) < 12)
    def begin(self, far, digest):
        """A new upload, and how far it comes without anything between: single steps alone seldom get one to its end."""
        one = f"u{len(self.jobs):02}"
        self.open(one)
        path = [self._finish, self._claim, lambda one: self._settle(one, digest)]
        for go in path[: {"open": 0, "queued": 1, "started": 2, "settled": 3}[far]]:
            self.step += 1
            go(one)

    @initialize(
        begun=st.lists(
            st.tuples(st.sampled_from(["queued", "started", "settled"]), st.sampled_from(["sha256:a", "sha256:b"])), min_size=3, max_size=5
        )
    )
    def begin_some(self, begun):
        for far, digest in begun:
            self.begin(far, digest)

    def open(self, one):
        now = self.records.now()
        up = Upload(one, T, "me", "v1", POLICY, one, Staged(keys.staging(T, one)), now, now + UPLOAD_LIFE, 100)
        op = Operation(one, T, "me", "ingest", now, now, now + OPERATION_LIFE, upload_id=one)
        self.records.commit([up.ref, op.ref], lambda *_: Change(put=(up, op)))
        self.jobs[one] = Job(Status.ACKNOWLEDGED, self.tick)

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: self.jobs)
    def finish(self, pick):
        self._finish(self.choose(pick, Status.ACKNOWLEDGED))

    def _finish(self, one):
        job = self.jobs[one]

        def step(op, up, blob, now):
            if up is None:
                raise Moved(Code.GONE)
            return Change(put=(upload.finish(up, 100, now), operation.queue(op, now)))

        if self.attempt(job.status is Status.ACKNOWLEDGED and job.opened == self.tick, one, step):
            job.status = Status.QUEUED

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: self.jobs)
    def claim(self, pick):
        self._claim(self.choose(pick, Status.QUEUED))

    def _claim(self, one):
        job = self.jobs[one]

        def step(op, up, blob, now):
            if op is None:
                raise Moved(Code.GONE)
            return Change(put=(operation.claim(op, now), *((Blob(keys.blob(T, one), T),) if blob is None else ())))

        if self.attempt(job.status is Status.QUEUED, one, step):
            job.status = Status.STARTED
            self.blobs.setdefault(keys.blob(T, one), Bytes())

    @rule(pick=st.integers(0, 99), stale=st.booleans())
    @precondition(lambda self: self.jobs)
    def beat(self, pick, stale):
        one = self.choose(pick, Status.STARTED)
        found = self.records.get(ref(Kind.OPERATION, one))
        attempt = (found.attempt if found else 0) - stale

        def step(op, up, blob, now):
            if op is None:
                raise Moved(Code.GONE)
            return Change(put=(operation.beat(op, attempt, now),))

        self.attempt(self.jobs[one].status is Status.STARTED and not stale, one, step)

    @rule(pick=st.integers(0, 99), digest=st.sampled_from(["sha256:a", "sha256:b"]))
    @precondition(lambda self: self.jobs)
    def settle(self, pick, digest):
        self._settle(self.choose(pick, Status.STARTED), digest)

    def _settle(self, one, digest):
        key, pointer = keys.blob(T, one), ref(Kind.DIGEST, digest)
        stands = self.records.get(pointer)
        twin = Ref(Kind.BLOB, T, stands.key) if stands else blob_ref(one)
        refs = [ref(Kind.OPERATION, one), ref(Kind.UPLOAD, one), blob_ref(one), pointer, twin, ref(Kind.ASSET, one)]
        try:
            self.records.commit(refs, lambda *found: settled(one, digest, found, self.records.now()))
        except Moved:
            assert self.jobs[one].status is not Status.STARTED
            return
        assert self.jobs[one].status is Status.STARTED
        self._settled(one, key, digest)

    def _settled(self, one, key, digest):
        self._end(one, Status.COMPLETED)
        if digest in self.pointers:
            self._doom(key)
        else:
            self.pointers[digest] = key
            self.blobs[key].state = BlobState.LIVE
        self.blobs[self.pointers[digest]].holders.add(one)
        self.assets[one] = Kept(self.pointers[digest], digest, self.tick)
        self.manifests[one] = self.step

    @rule(pick=st.integers(0, 99), how=st.sampled_from([Status.FAILED, Status.CANCELLED]))
    @precondition(lambda self: self.jobs)
    def end_badly(self, pick, how):
        one = self.choose(pick, *WORKING)

        def step(op, up, blob, now):
            if op is None:
                raise Moved(Code.GONE)
            return (
                endings.cancelled(op, up, blob, now)
                if how is Status.CANCELLED
                else endings.refused(op, up, blob, problem(Code.TRUNCATED), now)
            )

        if self.attempt(self.jobs[one].status in WORKING, one, step):
            self._end(one, how)
            self._doom(keys.blob(T, one))

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: any(job.status is Status.STARTED for job in self.jobs.values()))
    def lose(self, pick):
        one = self.choose(pick, Status.STARTED)
        self.change(one, endings.lost)
        self.jobs[one].losses += 1
        self._again(one, spent=self.jobs[one].losses == POLICY.max_attempts)

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: any(job.status is Status.STARTED for job in self.jobs.values()))
    def falter(self, pick):
        one = self.choose(pick, Status.STARTED)
        before = self.records.get(ref(Kind.OPERATION, one))
        self.change(one, endings.faltered)
        self._again(one, spent=before.faulted_at is not None and self.records.now() - before.faulted_at > 3600)

    def _again(self, one, *, spent):
        if spent:
            self._end(one, Status.FAILED)
            self._doom(keys.blob(T, one))
        else:
            self.jobs[one].status = Status.QUEUED

    def _end(self, one, status):
        self.jobs[one].status, self.jobs[one].ended = status, self.tick

    def _doom(self, key):
        if blob := self.blobs.get(key):
            blob.state, blob.doomed, blob.doomed_step = BlobState.DOOMED, self.tick, self.step

    # ------------------------------------------------------------ assets

    def choose_asset(self, pick):
        self.step += 1
        return sorted(self.assets)[pick % len(self.assets)]

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: self.assets)
    def keep(self, pick):
        one = self.choose_asset(pick)
        kept, late = self.assets[one], self._late(self.assets[one])
        try:
            self.library.keep(self._asset(one))
        except Moved:
            assert kept.state is AssetState.DELETED or late
            return
        assert kept.state is AssetState.READY
        assert not late
        kept.forever, self.manifests[one] = True, self.step

    @rule(pick=st.integers(0, 99))
    @precondition(lambda self: self.assets)
    def delete(self, pick):
        one = self.choose_asset(pick)
        try:
            self.library.delete(self._asset(one))
        except Moved:
            assert self.assets[one].state is AssetState.DELETED
            return
        assert self.assets[one].state is AssetState.READY
        self._deleted(one)

    def _asset(self, one):
        found = self.records.get(ref(Kind.ASSET, one))
        kept = self.assets[one]
        return found or Asset(one, T, "me", "v1", "x", 0, 0, blob=kept.blob, facts=Facts(1, kept.digest, "x"))

    def _deleted(self, one):
        kept = self.assets[one]
        kept.state, self.manifests[one] = AssetState.DELETED, self.step
        blob = self.blobs[kept.blob]
        blob.holders.remove(one)
        if not blob.holders:
            self._doom(kept.blob)
            del self.pointers[kept.digest]

    def _late(self, kept):
        return not kept.forever and self.tick - kept.made >= 3

    # ------------------------------------------------------------ sweeps

    @rule(
        name=st.sampled_from(["expire_uploads", "purge_assets", "write_manifests", "write_manifests", "delete_doomed", "purge_operations"])
    )
    def sweep(self, name):
        self.step += 1
        getattr(self, name)()

    def expire_uploads(self):
        self.retention.expire_uploads()
        for one, job in self.jobs.items():
            if job.status is Status.ACKNOWLEDGED and job.opened < self.tick:
                self._end(one, Status.FAILED)

    def purge_assets(self):
        self.retention.purge_assets()
        for one, kept in self.assets.items():
            if kept.state is AssetState.READY and self._late(kept):
                self._deleted(one)

    def write_manifests(self):
        self.retention.write_manifests()
        self.buried |= {ref(Kind.ASSET, one) for one in self.manifests if self.assets[one].state is AssetState.DELETED}
        self.manifests.clear()

    def delete_doomed(self):
        self.retention.delete_doomed()
        pending = min(self.manifests.values(), default=self.step)
        for key, blob in list(self.blobs.items()):
            if blob.state is BlobState.DOOMED and blob.doomed < self.tick and pending > blob.doomed_step:
                assert key in self.store.removed
                del self.blobs[key]

    def purge_operations(self):
        self.retention.purge_operations()
        for one, job in self.jobs.items():
            if job.ended is not None and self.tick - job.ended >= 8:
                self.buried |= {ref(Kind.OPERATION, one), ref(Kind.UPLOAD, one)}

    # ------------------------------------------------------------ what always holds

    @invariant()
    def operations_stand_as_the_model_says_and_a_final_one_never_changes(self):
        for one, job in self.jobs.items():
            name = ref(Kind.OPERATION, one)
            found = self.records.get(name)
            assert (found is None) == (name in self.buried) == self.records.gone(name)
            if found is not None:
                assert found.status is job.status
                if job.status in FINAL:
                    assert self.finals.setdefault(one, found) == found

    @invariant()
    def a_blob_is_live_exactly_while_it_is_held(self):
        for key, blob in self.blobs.items():
            found = self.records.get(Ref(Kind.BLOB, T, key))
            assert (found.state, found.holders) == (blob.state, len(blob.holders))
            assert (found.state is BlobState.LIVE) == (found.holders > 0)
        assert sorted(self.raw.keys("bl:*")) == sorted(f"bl:{T}:{key}" for key in self.blobs)

    @invariant()
    def bytes_that_somebody_holds_are_never_removed(self):
        assert not {key for key, blob in self.blobs.items() if blob.holders} & set(self.store.removed)

    @invariant()
    def what_the_tenant_takes_up_is_what_stands(self):
        live = sum(blob.state is BlobState.LIVE for blob in self.blobs.values())
        assert self.records.standing(T).tally.rest == 100 * live
        uploads = [found for one in self.jobs if (found := self.records.get(ref(Kind.UPLOAD, one)))]
        flying = [up for up in uploads if up.state in {State.OPEN, State.FINISHED} and up.doomed_at is None]
        assert self.records.standing(T).tally.uploads == len(flying)
        assert self.records.standing(T).tally.flight == sum(up.length or up.offset for up in flying)

    @invariant()
    def a_pointer_points_to_a_live_blob(self):
        found = {digest: self.records.get(ref(Kind.DIGEST, digest)) for digest in ("sha256:a", "sha256:b")}
        assert {digest: pointer.key for digest, pointer in found.items() if pointer} == self.pointers
        for digest, key in self.pointers.items():
            blob = self.records.get(Ref(Kind.BLOB, T, key))
            assert (blob.state, blob.digest) == (BlobState.LIVE, digest)

    @invariant()
    def an_asset_that_is_ready_has_live_bytes(self):
        for one, kept in self.assets.items():
            found = self.records.get(ref(Kind.ASSET, one))
            assert (found is None) == (ref(Kind.ASSET, one) in self.buried)
            if found is not None:
                assert (found.state, found.blob) == (kept.state, kept.blob)
            if kept.state is AssetState.READY:
                assert self.records.get(Ref(Kind.BLOB, T, kept.blob)).state is BlobState.LIVE

    @invariant()
    def the_indexes_hold_what_the_records_imply(self):
        expected = {index: {} for index in Index}
        for name in (found for kind in Kind for found in self.names(kind)):
            for index, moment in implied(self.records.get(name)):
                expected[index][name] = moment
        for name, _ in [*expected[Index.DOOMED].items()]:
            if name.kind is Kind.UPLOAD and keys.staging(T, name.id) in self.store.removed:
                del expected[Index.DOOMED][name]  # done with
        expected[Index.MANIFEST] = {ref(Kind.ASSET, one) for one in self.manifests}
        found = {index: dict(self.records.due(index, float("inf"), 100)) for index in Index}
        assert found | {Index.MANIFEST: set(found[Index.MANIFEST])} == expected

    def names(self, kind):
        return [Ref(kind, T, key.split(":", 2)[2]) for key in self.raw.keys(f"{kind.value}:{T}:*")]


def settled(one, digest, found, now):
    """What processing writes at the end: the asset holds the twin's bytes when there are some, else its own."""
    op, up, own, pointer, twin, before = found
    if op is None or up is None or own is None or before is not None:
        raise Moved(Code.GONE)
    operation.own(op, op.attempt)
    facts = Facts(100, digest, "image/png")
    blob = twin if pointer else asset.live(own, facts)
    got = Asset(one, T, "me", "v1", "cat.png", now, now, blob=blob.key, facts=facts, expires_at=now + ASSET_LIFE)
    done = operation.finish(op, Status.COMPLETED, now, asset_ids=(one,))
    rest = (asset.doom(own, now),) if pointer else (blob, Pointer(T, digest, blob.key))
    return Change(put=(done, upload.condemn(up, now), got, *rest), hold=((blob.ref, one),), manifest=(got.ref,))


def implied(entity):
    """The same rule as in core.refs, told once more from the outside: (index, whether it is there, when)."""
    rows = {
        Upload: lambda e: [
            (Index.EXPIRY_UPLOADS, e.state is State.OPEN, e.expires_at),
            (Index.DOOMED, e.doomed_at is not None, e.doomed_at),
        ],
        Operation: lambda e: [
            (Index.QUEUED, e.status is Status.QUEUED, e.resend_at),
            (Index.WAITING, e.status is Status.QUEUED, e.queued_at),
            (Index.LEASE, e.status is Status.STARTED, e.lease),
            (Index.EXPIRY_OPERATIONS, e.status in FINAL, e.expires_at),
        ],
        Asset: lambda e: [(Index.EXPIRY_ASSETS, e.state is AssetState.READY and e.expires_at is not None, e.expires_at)],
        Blob: lambda e: [(Index.DOOMED, e.state is BlobState.DOOMED, e.doomed_at)],
    }
    return [(index, moment) for index, there, moment in rows.get(type(entity), lambda _: [])(entity) if there]


def fake():
    server = fakeredis.FakeServer(version=(6, 2))
    return lambda: fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)


def real():
    shared().flush()
    return lambda: connect(shared().url)


@pytest.mark.parametrize(("make", "examples"), [(fake, 25), (real, 40)])
def test_no_order_of_steps_breaks_the_house(make, examples):
    machine = type("MachineOver", (Machine,), {"connect": staticmethod(make)})
    # To shrink forty steps takes minutes, longer than a test may; what failed is printed as it ran.
    found = (Phase.explicit, Phase.reuse, Phase.generate)
    limits = settings(max_examples=examples, stateful_step_count=40, deadline=None, phases=found, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=limits)


def test_the_model_can_see_a_fault():
    """A pointer that outlives its blob, put there by hand."""
    machine = type("MachineOver", (Machine,), {"connect": staticmethod(fake)})()
    machine.begin("settled", "sha256:a")
    machine.a_pointer_points_to_a_live_blob()
    blob = machine.records.get(blob_ref("u00"))
    machine.records.commit([blob.ref], lambda found: Change(put=(asset.doom(found, 0.0),), release=((blob.ref, "u00"),)))
    for look in (
        machine.a_pointer_points_to_a_live_blob,
        machine.an_asset_that_is_ready_has_live_bytes,
        machine.a_blob_is_live_exactly_while_it_is_held,
    ):
        with pytest.raises(AssertionError):
            look()
    machine.teardown()

"""Builds the house from the settings: the one place that names adapters. No Flask; connections are made after the fork, at first use."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import Access
from app.core.attaching import Attaching
from app.core.carrying import Carrying
from app.core.documents import Documents
from app.core.drawing import Drawing
from app.core.emptying import Emptying
from app.core.fetched import Fetching
from app.core.folders import Folders
from app.core.library import Library
from app.core.operation import RENDER, Operation
from app.core.ports import Jobs, Locks, Pulse, Quota, Records, Replies, Signals, Store, Tallies
from app.core.ports.inspection import RedisInspector, StoreInspector
from app.core.pressure import Bounds, Pressure
from app.core.processing import Processing
from app.core.reception import Reception
from app.core.refs import Kind, Ref
from app.core.rendering import Rendering
from app.core.requeue import Requeue
from app.core.retention import Retention
from app.core.signing import Signer
from app.core.tally import Limits
from app.fetching import HttpFetcher
from app.imaging import PillowGauge, PillowRenderer
from app.jobs import CeleryJobs
from app.records import open_records
from app.records.inspection import Inspector
from app.settings import Settings
from app.stores import open_store
from app.stores.inspection import open_inspector


@dataclass(frozen=True, slots=True)
class House:
    """The use cases, and the ports behind them."""

    settings: Settings
    records: Records
    locks: Locks
    signals: Signals
    pulse: Pulse
    quota: Quota
    tallies: Tallies
    replies: Replies
    pressure: Pressure
    store: Store
    jobs: Jobs
    signer: Signer
    access: Access
    reception: Reception
    processing: Processing
    rendering: Rendering
    drawing: Drawing
    retention: Retention
    requeue: Requeue
    emptying: Emptying
    library: Library
    folders: Folders
    documents: Documents

    def process(self, tenant: str, operation_id: str) -> None:
        """What a worker does with a message: the work of the operation's kind."""
        op: Operation | None = self.records.get(Ref(Kind.OPERATION, tenant, operation_id))
        work = self.drawing.draw if op and op.kind == RENDER else self.processing.process
        work(tenant, operation_id)


def build(settings: Settings, interrupts: tuple[type[Exception], ...] = ()) -> House:
    """The house. `interrupts`: the exceptions by which the task runner of this process says that the time is up."""
    redis = open_records(settings.redis, settings.clock_key, Limits(settings.quota_bytes, settings.quota_uploads))
    signer = Signer(settings.secret)
    store = open_store(settings.store, fsync=settings.fsync, signer=signer, sums=settings.sums)
    jobs = CeleryJobs(settings.broker)
    pressure = Pressure(redis.records, store, Bounds(settings.max_wait, settings.redis_full, settings.disk_reserve))
    retention = Retention(redis.records, store)
    library = Library(redis.records, store)
    return House(
        settings=settings,
        records=redis.records,
        locks=redis.locks,
        signals=redis.signals,
        pulse=redis.pulse,
        quota=redis.quota,
        tallies=redis.tallies,
        replies=redis.replies,
        pressure=pressure,
        store=store,
        jobs=jobs,
        signer=signer,
        access=Access(redis.keyring),
        reception=Reception(redis.records, store, jobs, redis.locks, pressure.require_calm),
        processing=_processing(redis.records, store, jobs, settings, interrupts),
        rendering=Rendering(redis.records, store, jobs, pressure.require_calm),
        drawing=_drawing(redis.records, store, interrupts),
        retention=retention,
        requeue=Requeue(retention, jobs),
        emptying=Emptying(retention, library),
        library=library,
        folders=Folders(redis.records, library),
        documents=Documents(redis.records, library),
    )


@dataclass(frozen=True, slots=True)
class Inspections:
    """What looks at the machines behind the house."""

    records: RedisInspector
    broker: RedisInspector
    store: StoreInspector


def inspections(settings: Settings) -> Inspections:
    """The inspections. Raises ValueError for a store that is none."""
    return Inspections(Inspector(settings.redis), Inspector(settings.broker), open_inspector(settings.store))


def _processing(records: Records, store: Store, jobs: Jobs, settings: Settings, interrupts: tuple[type[Exception], ...]) -> Processing:
    fetching = Fetching(records, store, HttpFetcher(settings.fetch_allow))
    return Processing(records, store, PillowGauge(interrupts=interrupts), Attaching(records, jobs), fetching, interrupts)


def _drawing(records: Records, store: Store, interrupts: tuple[type[Exception], ...]) -> Drawing:
    return Drawing(records, store, PillowRenderer(interrupts), PillowGauge(interrupts), Carrying(records, interrupts))

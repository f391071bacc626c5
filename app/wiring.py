"""Builds the house from the settings: the one place that names adapters. No Flask; connections are made after the fork, at first use."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from app.core.ports import Jobs, Locks, Meter, Pulse, Quota, Records, Replies, Signals, Store, Tallies
from app.core.ports.inspection import RedisInspector, StoreInspector
from app.core.pressure import Bounds, Pressure
from app.core.processing import Processing
from app.core.reception import Reception
from app.core.refs import Kind, Ref
from app.core.rendering import Rendering
from app.core.requeue import Requeue
from app.core.retention import Retention
from app.core.signing import Signer
from app.core.silence import SILENT
from app.core.tally import Limits
from app.fetching import HttpFetcher
from app.imaging import PillowGauge, PillowRenderer
from app.jobs import CeleryJobs
from app.metrics import State, ledger_in, serve, told, watched
from app.records import RecordsRoom, open_records
from app.records.inspection import Inspector
from app.settings import Settings, metrics_folder
from app.stores import address, open_store
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
    meter: Meter = SILENT

    def process(self, tenant: str, operation_id: str) -> None:
        """What a worker does with a message: the work of the operation's kind."""
        op: Operation | None = self.records.get(Ref(Kind.OPERATION, tenant, operation_id))
        work = self.drawing.draw if op and op.kind == RENDER else self.processing.process
        work(tenant, operation_id)


def build(settings: Settings, interrupts: tuple[type[Exception], ...] = ()) -> House:
    """The house. `interrupts`: the exceptions by which the task runner of this process says that the time is up."""
    meter = meter_of(settings)
    signer = Signer(settings.secret)
    redis, store, jobs = _outside(settings, signer, meter)
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
        processing=_processing(redis.records, store, jobs, settings, interrupts, meter),
        rendering=Rendering(redis.records, store, jobs, pressure.require_calm),
        drawing=_drawing(redis.records, store, interrupts, meter),
        retention=retention,
        requeue=Requeue(retention, jobs),
        emptying=Emptying(retention, library),
        library=library,
        folders=Folders(redis.records, library),
        documents=Documents(redis.records, library),
        meter=meter,
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


def meter_of(settings: Settings) -> Meter:
    """The meter of this process, and of those that are forked from it. Nobody counts where nobody can ask."""
    return ledger_in(metrics_folder(settings.data)) if settings.metrics_port else SILENT


def hold_metrics(settings: Settings) -> None:
    """For a parent of processes that count: what they counted stays while it lives."""
    if settings.metrics_port:
        ledger_in(metrics_folder(settings.data)).open()


def serve_metrics(settings: Settings) -> None:
    """Answer for this machine, if nobody else of it does; from a thread, until this process ends."""
    if settings.metrics_port:
        meter = ledger_in(metrics_folder(settings.data))
        serve(settings.metrics_address, settings.metrics_port, meter, lambda: _state(settings).looks())


def _state(settings: Settings) -> State:
    """Over connections of its own: the parent of a pool has no other, and its children get none of these."""
    redis, store, jobs = _outside(settings, Signer(settings.secret), SILENT)
    at = address.parse(settings.store)
    folders = {"data": settings.data, **({"store": at.root} if isinstance(at, address.FileAddress) else {})}
    return State(redis.records, redis.pulse, jobs, store, folders)


def _outside(settings: Settings, signer: Signer, meter: Meter) -> tuple[RecordsRoom, Store, Jobs]:
    """What lies outside this process, counted where somebody counts."""
    redis = open_records(settings.redis, settings.clock_key, Limits(settings.quota_bytes, settings.quota_uploads))
    store = open_store(settings.store, fsync=settings.fsync, signer=signer, sums=settings.sums)
    jobs = CeleryJobs(settings.broker)
    if meter is SILENT:
        return redis, store, jobs
    ports = {name: watched(getattr(redis, name), meter) for name in ("locks", "keyring", "quota")}
    return replace(redis, records=told(redis.records, meter), **ports), watched(store, meter), watched(jobs, meter)


def _processing(
    records: Records, store: Store, jobs: Jobs, settings: Settings, interrupts: tuple[type[Exception], ...], meter: Meter
) -> Processing:
    fetching = Fetching(records, store, HttpFetcher(settings.fetch_allow))
    return Processing(records, store, watched(PillowGauge(interrupts=interrupts), meter), Attaching(records, jobs), fetching, interrupts)


def _drawing(records: Records, store: Store, interrupts: tuple[type[Exception], ...], meter: Meter) -> Drawing:
    return Drawing(records, store, watched(PillowRenderer(interrupts), meter), PillowGauge(interrupts), Carrying(records, interrupts))

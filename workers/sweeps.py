"""Housekeeping, sent by beat (the periods stand in `workers.celery.SCHEDULE`). Each sweep bounds itself and may run twice at once."""

from __future__ import annotations

from app.core.errors import Fault
from app.core.retention import Swept
from workers.celery import app, house

DAY = 86400.0


def _told(swept: Swept) -> None:
    """Count what a pass did."""
    meter = house().meter
    meter.observe("sweep_seconds", swept.seconds, sweep=swept.name)
    meter.count("swept", swept.done, sweep=swept.name)
    meter.count("sweep_leftovers", swept.stuck, sweep=swept.name)


@app.task(name="slipway.requeue_stalled", throws=(Fault,))
def requeue_stalled() -> None:
    """Send again what nobody picked up; take over what a lost worker left. The most frequent of all: whoever asks knows that beat is alive."""
    house().pulse.mark("beat")
    _told(house().requeue.requeue_stalled())


@app.task(name="slipway.write_manifests", throws=(Fault,))
def write_manifests() -> None:
    """Describe in the store what changed."""
    _told(house().retention.write_manifests())


@app.task(name="slipway.send_canaries", throws=(Fault,))
def send_canaries() -> None:
    """One to every queue: proof that each is read."""
    house().jobs.canary()


@app.task(name="slipway.expire_uploads", throws=(Fault,))
def expire_uploads() -> None:
    """Open uploads past their deadline."""
    _told(house().retention.expire_uploads())


@app.task(name="slipway.empty_folders", throws=(Fault,))
def empty_folders() -> None:
    """What lay in deleted folders."""
    _told(house().emptying.empty_folders())


@app.task(name="slipway.delete_doomed", throws=(Fault,))
def delete_doomed() -> None:
    """Condemned bytes."""
    _told(house().retention.delete_doomed())


@app.task(name="slipway.purge_assets", throws=(Fault,))
def purge_assets() -> None:
    """Assets that nobody kept."""
    _told(house().retention.purge_assets())


@app.task(name="slipway.purge_operations", throws=(Fault,))
def purge_operations() -> None:
    """Final operations past their retention."""
    _told(house().retention.purge_operations())


@app.task(name="slipway.sweep_orphans", throws=(Fault,))
def sweep_orphans() -> None:
    """Staged bytes without a record; once a day, whoever comes first."""
    if house().pulse.once("sweep_orphans", DAY):
        _told(house().retention.sweep_orphans())


@app.task(name="slipway.recount", throws=(Fault,))
def recount() -> None:
    """What tenants take up, should Redis have lost the count; once a day, whoever comes first."""
    if house().pulse.once("recount", DAY):
        house().tallies.recount()

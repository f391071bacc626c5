"""The work of an upload, and the sign of life. One line each; what may go wrong with Redis or the store is expected, and is logged as a line."""

from __future__ import annotations

from app.core.errors import Fault
from app.jobs import names
from workers.celery import app, house


@app.task(name=names.PROCESS, throws=(Fault,))
def process(tenant: str, operation_id: str) -> None:
    """All the work of one operation."""
    house().process(tenant, operation_id)


@app.task(name=names.CANARY, throws=(Fault,))
def canary(consumer: str) -> None:
    """The queue of this consumer is being read."""
    house().pulse.mark(consumer)

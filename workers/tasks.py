"""The work of an upload, and the sign of life. One line each; what may go wrong with Redis or the store is expected, and is logged as a line."""

from __future__ import annotations

from typing import Any

from app.core import tracing
from app.core.errors import Fault
from app.jobs import names
from workers.celery import app, house


@app.task(name=names.PROCESS, throws=(Fault,), bind=True)
def process(self: Any, tenant: str, operation_id: str) -> None:
    """All the work of one operation, in the trace of the request that promised it."""
    sent = {name: str(self.request.get(name) or "") for name in (tracing.PARENT, tracing.STATE)}
    with tracing.within(sent):
        house().process(tenant, operation_id)


@app.task(name=names.CANARY, throws=(Fault,))
def canary(consumer: str) -> None:
    """The queue of this consumer is being read."""
    house().pulse.mark(consumer)

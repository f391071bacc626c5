"""Hands work to the workers: by Celery, or at once in the same process for tests and demos.

It may know: the core, celery and kombu. Tasks are sent by their names, which stand in `names`; what both ends of the broker agree on, in `broker`.
It must never: import the workers, wait longer than a few seconds, or repeat a message (the lease does, when it has to).
Every fault of the broker leaves this room as BrokerDown.
"""

from app.jobs.celery_jobs import CeleryJobs
from app.jobs.inline import InlineJobs

__all__ = ["CeleryJobs", "InlineJobs"]

"""The doors at which messages arrive: the Celery app (`celery`), the work of an upload (`tasks`), housekeeping (`sweeps`).

It may know: celery, and of the house app.settings, app.logs, app.wiring, app.core and the names in app.jobs.
It must never: import Flask, retry by Celery's means (the lease does), or hold more than one line of work in a task.
"""

"""The door with one of several ways to publish, for `bench_publish`: `gunicorn "tests.benchmarks.doors:door('stock')"`."""

from __future__ import annotations

from celery import Celery
from flask import Flask

from app import wiring
from app.core.refs import Ref
from app.factory import create_app
from app.jobs import names
from app.settings import from_env


class Nothing:
    """Publishes nothing."""

    def __init__(self, _broker: str) -> None:
        pass

    def process(self, ref: Ref) -> None:
        """Not even this."""


class Stock:
    """As Celery does it when nobody thinks about it."""

    def __init__(self, broker: str) -> None:
        self.app = Celery("slipway.stock", broker=broker, set_as_current=False)
        self.app.conf.task_serializer = "json"

    def process(self, ref: Ref) -> None:
        """A message."""
        self.app.send_task(names.PROCESS, (ref.tenant, ref.id), queue=names.PROCESSING)


WAYS = {"nothing": Nothing, "stock": Stock}


def door(way: str) -> Flask:
    """The app; `ours` is as it is."""
    if way in WAYS:
        wiring.CeleryJobs = WAYS[way]
    return create_app(from_env())

"""Flower's settings. It shows file names and tenants, so it does not start without a password."""

from flower.views.monitor import Metrics
from tornado.web import authenticated

from app import logs
from app.settings import from_env

settings = from_env()
if settings.flower_auth is None:
    raise SystemExit("Flower needs SLIPWAY_FLOWER_AUTH=user:password")

address = settings.flower_address
port = settings.flower_port
basic_auth = [settings.flower_auth]
read_only = True  # it shows; revoking a task would not cancel an operation
max_tasks = 10_000
natural_time = True
logs.configure(settings.log_level, "flower")

Metrics.get = authenticated(Metrics.get)  # Flower itself leaves /metrics open; a scraper sends the same user and password

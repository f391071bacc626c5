"""The Flask app: the doors of the house, the dialects behind their mounts, health and signed transfers beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import dialects, logs
from app.access import Sessions, TokenServer
from app.core.silence import SILENT
from app.core.waiting import Waiting
from app.settings import Settings, from_env
from app.web import cors, draining, limits, meters, traces
from app.web.dialect import EXTENSION, Dialect, Doors
from app.web.docs import DOCS
from app.web.health import HEALTH, PROBE, Probe
from app.web.links import LINKS
from app.web.mount import mount
from app.web.oauth import OAUTH
from app.web.transfers import TRANSFERS
from app.wiring import House, build


def create_app(settings: Settings | None = None, packages: tuple[str, ...] = ("app.dialects",), house: House | None = None) -> Flask:
    """The app for a WSGI server. `packages`: where dialects are looked for. `house`: built from the settings unless given."""
    settings = settings or from_env()
    logs.configure(settings.log_level, "web")
    house = house or build(settings)
    app = Flask("slipway", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it; the annotation is the abstract one
    found = dialects.load(packages)
    app.extensions[EXTENSION] = _doors(settings, house, found)
    app.extensions[PROBE] = Probe(house.records, house.store, house.jobs, house.pulse, house.pressure)
    if house.meter is not SILENT:
        meters.count(app, house.meter)
    traces.follow(app)
    app.register_blueprint(HEALTH)
    app.register_blueprint(TRANSFERS)
    app.register_blueprint(LINKS)
    app.register_blueprint(OAUTH)
    app.register_blueprint(DOCS)
    mount(app, list(found.values()))
    app.after_request(limits.announce)
    _front(app, settings)
    return app


def _doors(settings: Settings, house: House, found: Mapping[str, Dialect]) -> Doors:
    most = max(1, settings.web_threads // 4)  # threads that may wait for one reason; so half of them never wait
    return Doors(
        reception=house.reception,
        library=house.library,
        folders=house.folders,
        documents=house.documents,
        rendering=house.rendering,
        waiting=_waiting(house, most, "prefer"),
        patience=_waiting(house, most, "patience"),
        access=limits.Metered(house.access, house.quota),
        tokens=limits.MeteredTokens(TokenServer(house.access.keyring), house.quota),
        sessions=Sessions(house.access.keyring),
        replies=house.replies,
        signer=house.signer,
        now=house.records.now,
        standing=house.tallies.standing,
        public_url=settings.public_url,
        language=settings.language,
        accel=settings.accel,
        policies={name: settings.policy(name, dialect.policy) for name, dialect in found.items()},
        dialects=dict(found),
    )


def _waiting(house: House, most: int, reason: str) -> Waiting:
    seated = partial(house.meter.shift, "waiters", reason=reason)
    return Waiting(house.records, house.signals, most, draining.begun, seated)


def _front(app: Flask, settings: Settings) -> None:
    """What stands before the app: trusted proxies, and browsers of other origins."""
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=n)  # type: ignore[method-assign] # Flask documents this place
    cors.open_to(app, settings.cors_origins)

"""Is it alive, is it ready, and which part is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, Response, current_app, request

from app.core.errors import BrokerDown, Fault
from app.core.ports import Jobs, Pulse, Records, Store
from app.core.pressure import Pressure
from app.core.recent import Recent
from app.web.replies import answer

HEALTH = Blueprint("health", __name__)
PROBE = "slipway.probe"
STALE = 90.0  # a node whose last canary is older than three of beat's is not consuming


Parts = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Probe:
    """What readiness looks at."""

    records: Records
    store: Store
    jobs: Jobs
    pulse: Pulse
    pressure: Pressure
    recent: Recent[Parts] = field(default_factory=Recent)

    def parts(self, *, door_only: bool) -> Parts:
        """State of each part: `ok`, and the reason or the age in seconds of the last sign of life."""
        found = self.recent.get(self._look)
        return found if door_only else found | {name: self._alive(name) for name in ("worker", "keeper")}

    def _look(self) -> Parts:
        return {"redis": _check(self.records.ping), "store": _check(self.store.ping), "broker": _check(self.jobs.backlog)}

    def _alive(self, name: str) -> dict[str, object]:
        try:
            age = self.pulse.age(name)
        except Fault as fault:
            return {"ok": False, "reason": str(fault)}
        return {"ok": age is not None and age < STALE, "age": None if age is None else round(age, 3)}

    def send_canary(self) -> None:
        """A canary for every queue, at most one a second however many ask."""
        try:
            if self.pulse.once("canary", 1.0):
                self.jobs.canary()
        except BrokerDown as down:
            current_app.logger.warning("canary not sent", extra={"reason": str(down)})


def _check(call: Callable[[], object]) -> dict[str, object]:
    try:
        call()
    except Fault as fault:
        return {"ok": False, "reason": str(fault)}
    return {"ok": True}


@HEALTH.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@HEALTH.get("/readyz")
def ready() -> Response:
    """Which parts are up. `for=door` leaves the workers out; `canary=1` sends a canary through broker and workers first.

    Pressure makes nobody unready: who balances loads would take away the doors through which what was begun goes on.
    """
    probe: Probe = current_app.extensions[PROBE]
    if "canary" in request.args:
        probe.send_canary()
    parts = probe.parts(door_only=request.args.get("for") == "door")
    good = all(part["ok"] for part in parts.values())
    response = answer({"status": "ready" if good else "unready", "parts": parts, "pressure": probe.pressure.shown()}, 200 if good else 503)
    response.headers["Cache-Control"] = "no-store"
    return response

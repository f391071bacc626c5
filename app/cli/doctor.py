"""`slipway doctor`: looks at everything that the house stands on, with the server's environment, and says what to do."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

import click

from app import dialects
from app.cli import findings, store_findings
from app.cli.findings import Finding, Level
from app.cli.patience import Again, GivenUp, Patience
from app.cli.remote import Remote
from app.core.errors import Fault
from app.core.ports import Jobs, Pulse
from app.core.ports.inspection import RedisFacts
from app.settings import Settings, SettingsError, from_env
from app.wiring import Inspections, build, inspections

BEAT, STALE = "beat", 60.0  # seconds after which a sweep, one every 5, is missed
WAIT = 10.0  # seconds for a canary to come out of its queue
LOOK = 0.1  # seconds between looks for it
LOOPBACK = re.compile(r"unix:|rediss?://([^/@]*@)?(127\.0\.0\.1|\[::1\]|localhost)[:/?]")
NODES = ("worker", "keeper")
MARKS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.FAULT: "fault  "}
COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: `ok`, and `findings` with check, level, said, remedy.")
def doctor(as_json: bool) -> None:  # noqa: FBT001 - click hands a flag over so
    """Look at settings, Redis, store, queues and this machine; say what to do. Exit status 1 for faults.

    To be run where the server's environment is. It tries things under keys of its own, which it removes, and changes nothing else.
    """
    found: list[Finding] = []
    for finding in examine():
        found.append(finding)
        if not as_json:
            tell(finding)
    bad = any(finding.level is Level.FAULT for finding in found)
    if as_json:
        click.echo(json.dumps({"ok": not bad, "findings": [asdict(finding) for finding in found]}))
    sys.exit(1 if bad else 0)


def tell(finding: Finding) -> None:
    """A line, and one more where there is something to do."""
    click.echo(f"{click.style(MARKS[finding.level], COLOURS[finding.level])}  {finding.check}: {finding.said}")
    if finding.remedy:
        click.echo(f"         {finding.remedy}")


def examine() -> Iterator[Finding]:
    """All findings, in the order in which one thing stands on another."""
    try:
        settings = from_env()
        looking = inspections(settings)
    except (SettingsError, ValueError) as wrong:
        yield findings.fault("settings", str(wrong), "See deploy/env.example.")
        return
    yield findings.ok("settings", "in order")
    yield from redis(looking)
    yield from _guarded("store", "Start it, mount it, make room, or see SLIPWAY_STORE.", lambda: store(settings, looking))
    yield from _guarded("queues", "Nothing can be said of workers before Redis and the store answer.", lambda: queues(settings))
    yield findings.secret(kept=settings.secret == _kept(settings), shared=_shared(settings))
    yield findings.descriptors(resource.getrlimit(resource.RLIMIT_NOFILE)[0], settings.web_threads)
    yield findings.public(settings.public_url, asked(settings.public_url))


def _guarded(check: str, remedy: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of `look`; a Fault is the last one."""
    try:
        yield from look()
    except (Fault, ValueError) as down:
        yield findings.fault(check, str(down), remedy)


def redis(looking: Inspections) -> Iterator[Finding]:
    """Records, broker, and how they stand to one another."""
    seen: dict[str, RedisFacts] = {}
    for part, inspector, variable in (("records", looking.records, "SLIPWAY_REDIS"), ("broker", looking.broker, "SLIPWAY_BROKER")):
        try:
            seen[part] = inspector.look()
        except Fault as down:
            yield findings.fault(part, f"does not answer: {down}", f"Start it (`slipway up` has its own), or see {variable}.")
    for part, facts in seen.items():
        if part == "records" or facts.run_id != seen.get("records", facts).run_id or len(seen) == 1:
            yield from findings.redis(facts, part)
    if len(seen) == len((looking.records, looking.broker)):
        yield findings.together(seen["records"], seen["broker"])


def store(settings: Settings, looking: Inspections) -> Iterator[Finding]:
    """Where bytes lie, under the policies of all doors."""
    policies = [settings.policy(each.name, each.policy) for each in dialects.load().values()]
    return store_findings.store(looking.store.look(settings.cors_origins), policies)


def queues(settings: Settings) -> Iterator[Finding]:
    """A canary through each queue."""
    house = build(settings)
    yield from findings.queues(canaries(house.jobs, house.pulse, WAIT), WAIT)
    yield findings.beat(house.pulse.age(BEAT), STALE)


def canaries(jobs: Jobs, pulse: Pulse, patience: float) -> dict[str, float | None]:
    """Send one to every queue: how old the sign of each node is once all came, and a sweep of beat's, or when patience, in seconds, ran out."""
    began = time.monotonic()
    jobs.canary()
    while True:
        ages = {name: pulse.age(name) for name in NODES}
        passed = time.monotonic() - began
        if passed > patience or (pulse.age(BEAT) is not None and all(age is not None and age < passed for age in ages.values())):
            return ages
        time.sleep(LOOK)


def asked(url: str | None) -> str | None:
    """What went wrong with asking the public URL whether it is alive; None when nothing did."""
    if url is None:
        return None
    try:
        answer = Remote(url, "", Patience()).once("GET", f"{url}/healthz", None, {})
    except (Again, GivenUp) as broken:
        return str(broken)
    return None if answer.good and answer.document.get("status") == "ok" else f"/healthz answers with status {answer.status}"


def _kept(settings: Settings) -> bytes | None:
    """The data folder's own secret."""
    try:
        return (settings.data / "secret").read_bytes().strip()
    except OSError:
        return None


def _shared(settings: Settings) -> bool:
    """Whether others may stand on the same Redis or bucket."""
    near = LOOPBACK.match(settings.redis)
    return not near or settings.store.startswith("s3:")

"""What is wrong, judged by what was measured: pure functions from facts to findings. Each finding is a line, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.ports.inspection import RedisFacts

OLDEST = {"Redis": (6, 2), "Valkey": (7, 2)}
FULL, NEARLY = 0.9, 0.75  # of the memory: from the first on the door refuses new work
SKEW_TOLD = 5.0  # seconds by which clocks may differ before it is told
SKEW_SIGNED = 900.0  # seconds beyond which S3 refuses signatures ("RequestTimeTooSkewed")
AHEAD = 0.5  # of SKEW_SIGNED, from where on it is told


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `remedy` is empty where all is well."""

    check: str
    level: Level
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, said)


def warning(check: str, said: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(check, Level.WARNING, said, remedy)


def fault(check: str, said: str, remedy: str) -> Finding:
    """It does not work, or will not for long."""
    return Finding(check, Level.FAULT, said, remedy)


# ---------------------------------------------------------------- Redis


def redis(facts: RedisFacts, part: str) -> Iterator[Finding]:
    """A Redis that has records or messages (`part`)."""
    yield _version(facts, part)
    yield _eviction(facts, part)
    yield _appending(facts, part)
    yield _memory(facts, part)
    if part == "records":
        yield skew("clock of Redis", facts.skew)


def _version(facts: RedisFacts, part: str) -> Finding:
    told, least = f"{facts.server} {_dotted(facts.version)}", OLDEST[facts.server]
    if facts.version[:2] < least:
        return fault(
            f"{part}: version", f"{told} is too old", f"Run Redis 6.2 or Valkey 7.2, or newer: it needs {_dotted(least)} at least."
        )
    return ok(f"{part}: version", told)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _eviction(facts: RedisFacts, part: str) -> Finding:
    check = f"{part}: eviction"
    if facts.policy is None:
        return warning(check, "maxmemory-policy is not told", "See to it that it is noeviction.")
    if facts.policy != "noeviction":
        return fault(
            check, f"maxmemory-policy is {facts.policy}: a full Redis forgets what was promised", "Set `maxmemory-policy noeviction`."
        )
    return ok(check, "noeviction")


def _appending(facts: RedisFacts, part: str) -> Finding:
    check, records = f"{part}: persistence", part == "records"
    if facts.appends is None:
        return warning(check, "it is not told whether the append-only file is on", "See to it that it is: `appendonly yes`.")
    if not facts.appends and records:
        return fault(
            check, "the append-only file is off: a restart loses every upload and asset", "Set `appendonly yes` (deploy/redis.conf)."
        )
    if not facts.appends:
        return warning(
            check, "the append-only file is off: after a restart work waits until its lease sends it again", "Set `appendonly yes`."
        )
    if facts.syncs == "no" and records:
        return fault(
            check, "appendfsync is no: a power failure loses what was promised for half a minute", "Set `appendfsync everysec` or `always`."
        )
    return ok(check, f"append-only file, appendfsync {facts.syncs or 'not told'}")


def _memory(facts: RedisFacts, part: str) -> Finding:
    limit = facts.limit or facts.memory
    check, share = f"{part}: memory", facts.used / limit if limit else 0.0
    told = f"{facts.used >> 20} of {limit >> 20} MiB in use" + ("" if facts.limit else " (no maxmemory: the machine's)")
    if share >= FULL:
        return fault(check, told, "Give it more memory: from 90 % on new work is refused.")
    if share >= NEARLY:
        return warning(check, told, "Give it more memory before it is full: from 90 % on new work is refused.")
    return ok(check, told)


def together(records: RedisFacts, broker: RedisFacts) -> Finding:
    """Records and broker in one place."""
    check = "records and broker"
    if (records.run_id, records.db) == (broker.run_id, broker.db):
        return fault(
            check, f"both are db {broker.db} of one Redis: whoever empties the queues empties the records", "Name another database."
        )
    if records.run_id == broker.run_id and broker.db != 0:
        return warning(check, f"the broker is db {broker.db}; over a unix socket Flower reads db 0", "Let the broker be db 0.")
    return ok(check, "apart")


def skew(check: str, seconds: float) -> Finding:
    """A clock that is `seconds` ahead of ours."""
    said = f"{abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    if abs(seconds) > SKEW_SIGNED * AHEAD:
        return fault(check, said, "Set the clocks by NTP: S3 refuses signatures that are 15 minutes off.")
    if abs(seconds) > SKEW_TOLD:
        return warning(check, said, "Set the clocks by NTP: deadlines are told by one and signed by the other.")
    return ok(check, "with this machine's")


# ---------------------------------------------------------------- processes


def queues(ages: Mapping[str, float | None], waited: float) -> Iterator[Finding]:
    """Whether canaries came out of the queues within the seconds `waited`."""
    for name, age in ages.items():
        if age is None or age > waited:
            yield fault(
                f"queue: {name}", f"a canary did not come out within {waited:.0f} s", f"Start `{name}`, or more of them: see the Procfile."
            )
        else:
            yield ok(f"queue: {name}", "a canary went through")


def beat(age: float | None, stale: float) -> Finding:
    """Whether sweeps are sent: `age` is how many seconds ago the last came, `stale` how many would be too many."""
    if age is None or age > stale:
        said = "no sweep came" + (" yet" if age is None else f" for {age:.0f} s") + ": nothing expires, nothing lost is sent again"
        return fault("beat", said, "Start one `beat`, and a `keeper`: see the Procfile.")
    return ok("beat", f"the last sweep came {age:.0f} s ago")


def secret(*, kept: bool, shared: bool) -> Finding:
    """What signs URLs. `kept`: it is the data folder's own; `shared`: Redis or store are other machines'."""
    if kept and shared:
        said = "SLIPWAY_SECRET is this data folder's own, while Redis or the store are elsewhere"
        return warning("secret", said, "If there are more machines than this, give all the same SLIPWAY_SECRET.")
    return ok("secret", "the data folder's own" if kept else "SLIPWAY_SECRET is set")


def descriptors(limit: int, threads: int) -> Finding:
    """How many files a process may open: a request in flight takes up to eight, with its pipes and connections."""
    needed = 8 * threads + 256
    if limit < needed:
        return warning(
            "open files", f"a process may open {limit}, a web process may need {needed}", "Raise it: `ulimit -n`, LimitNOFILE= of systemd."
        )
    return ok("open files", f"{limit} for each process")


def public(url: str | None, said: str | None) -> Finding:
    """The base of absolute URLs, and what came of asking it: nothing where it answered."""
    if url is None:
        return ok("public URL", "not set: each request's Host tells")
    if said:
        return warning(
            "public URL",
            f"{url} does not answer from here: {said}",
            "It should be where clients reach us; some networks do not let a machine reach itself so.",
        )
    return ok("public URL", f"{url} answers")

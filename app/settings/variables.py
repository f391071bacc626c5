"""The one table of variables: each field of Settings says which variable it is, how it is read, its default and its meaning."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.policy import Policy
from app.settings import readers
from app.settings.policies import PREFIX, spoken


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment, or a sentence in brackets as its default. What is `private` is never shown."""

    name: str
    read: Callable[[str], Any]
    default: str
    meaning: str
    private: bool = False


def of(name: str, read: Callable[[str], Any], default: str, meaning: str, *, private: bool = False) -> Any:
    """The field of a variable."""
    return dataclasses.field(repr=not private, metadata={"variable": Variable(PREFIX + name, read, default, meaning, private)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Sizes are bytes, times seconds."""

    data: Path = of("DATA", readers.folder, ".slipway", "the data folder")
    redis: str = of(
        "REDIS",
        readers.redis,
        "[db 1 of the Redis that `slipway up` runs]",
        "the records: redis://, rediss://, unix://, or sentinel://host,host/master?db=1",
        private=True,
    )
    broker: str = of("BROKER", readers.broker, "[db 0 of the Redis that `slipway up` runs]", "the broker, likewise", private=True)
    store: str = of(
        "STORE", readers.store, "[the folder `store` in the data folder]", "file:///path or s3://bucket/prefix?endpoint=…&public=…"
    )
    public_url: str | None = of("PUBLIC_URL", readers.url("http", "https"), "", "the base of absolute URLs; else each request's Host tells")
    secret: bytes = of(
        "SECRET", readers.secret, "[the file `secret` in the data folder]", "signs our URLs; the same on every machine", private=True
    )
    trusted_proxies: int = of("TRUSTED_PROXIES", readers.whole(0, 10), "0", "how many proxies in front may set X-Forwarded-*")
    accel: str | None = of(
        "ACCEL", readers.location, "", "the internal location of nginx over the folder of a local store; nginx then sends files itself"
    )
    cors_origins: tuple[str, ...] = of("CORS_ORIGINS", readers.origins, "", "origins of browsers, separated by commas; * is every page")
    language: str = of("LANGUAGE", readers.language, "en", "the system language: what an asset has when its client names none")
    fetch_allow: tuple[str, ...] = of(
        "FETCH_ALLOW", readers.networks, "", "networks that a remote fetch may reach beside the public ones, separated by commas"
    )
    bind: str | None = of("BIND", str, "[all addresses, at $PORT]", "where web listens: host:port, unix:/path or fd://number")
    web_threads: int = of(
        "WEB_THREADS", readers.whole(2, 1024), "32", "threads of each web process; WEB_CONCURRENCY is the number of processes"
    )
    flower_address: str = of("FLOWER_ADDRESS", str, "127.0.0.1", "the address at which Flower listens")
    flower_port: int = of("FLOWER_PORT", readers.whole(0, 65535), "5555", "the port at which Flower listens")
    flower_auth: str | None = of("FLOWER_AUTH", readers.pair, "", "user:password of Flower, which does not start without", private=True)
    metrics_address: str = of("METRICS_ADDRESS", str, "127.0.0.1", "the address at which /metrics is served")
    metrics_port: int = of(
        "METRICS_PORT", readers.whole(0, 65535), "0", "the port at which /metrics is served; 0: none, and `slipway up` takes any free one"
    )
    fsync: bool = of("FSYNC", readers.switch, "on", "sync what a 202 promises to disk first")
    sums: bool = of("SUMS", readers.switch, "on", "sum what comes in (CRC64NVME), and compare it before it rests")
    grace: float = of("GRACE", readers.seconds, "20", "how long work under way may go on after SIGTERM; the platform kills later than that")
    quota_bytes: int = of(
        "QUOTA_BYTES",
        readers.size,
        "0",
        "bytes that a tenant may have stored and in flight, unless it has a quota of its own; 0 is no limit",
    )
    quota_uploads: int = of(
        "QUOTA_UPLOADS", readers.whole(0, 2**31), "0", "uploads that a tenant may have under way at once, likewise; 0 is no limit"
    )
    max_wait: float = of(
        "MAX_WAIT", readers.seconds, "300", "new work is refused with 503 while work that is queued waits longer than this; 0: never"
    )
    redis_full: float = of("REDIS_FULL", readers.share, "0.9", "likewise while Redis has used this share of its maxmemory; 0: never")
    disk_reserve: int = of("DISK_RESERVE", readers.size, "1GiB", "likewise while the disk of a file:// store has less free than this")
    alive: Path | None = of("ALIVE", readers.folder, "", "a file that worker and keeper touch as long as their loop turns; each its own")
    log_level: str = of("LOG_LEVEL", readers.level, "INFO", "of the JSON logs on stdout")
    remote_url: str | None = of(
        "URL", readers.url("http", "https"), "[the one that the data folder tells of]", "clients only: the Slipway that they speak to"
    )
    remote_key: str | None = of("KEY", str, "", "clients only: the API key for it", private=True)
    clock_key: str | None = of("CLOCK_KEY", str, "", "tests only: the Redis key whose value moves the clock, in seconds")
    policies: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def policy(self, dialect: str, default: Policy) -> Policy:
        """The dialect's own policy, with what SLIPWAY_{DIALECT}_{FIELD} says in its place."""
        return dataclasses.replace(default, **self.policies.get(spoken(dialect), {}))


VARIABLES: Mapping[str, Variable] = {field.name: field.metadata["variable"] for field in dataclasses.fields(Settings) if field.metadata}
NAMES = frozenset(variable.name for variable in VARIABLES.values())

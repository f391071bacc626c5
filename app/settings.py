"""The environment, read once. The only reader of os.environ.

Here lives the one table of variables: each field of Settings says which variable it is, how it is read, its default and its meaning.
It may know: the core (the fields of a Policy), and nothing else of the house.
It must never: connect, create a file, or stop at the first fault: SettingsError names all of them at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin, get_type_hints
from urllib.parse import parse_qs, quote, urlsplit

from app.core.policy import Policy

PREFIX = "SLIPWAY_"
SOCKET_LIMIT = 100  # bytes; the kernel takes 107, and redis-server's message beyond that is a misleading "Address already in use"
SECRET_LEAST = 16  # characters
DIALECTS = ("v1", "wdesk", "backoffice", "nomad", "contentful", "squidex", "tus", "s3")  # for near matches only: any name is taken


class SettingsError(Exception):
    """Every faulty variable, one a line."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("The environment has faults:\n" + "\n".join(f"  {fault}" for fault in faults))


# ---------------------------------------------------------------- how a text is read: each raises ValueError, saying what is wanted


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes or not text.partition("://")[2].strip("/"):
            raise ValueError("a URL that begins with " + ", ".join(f"{scheme}://" for scheme in schemes))
        _reachable(text)
        return text.rstrip("/")

    return read


def _reachable(text: str) -> None:
    """Raise ValueError for a port that cannot be, and for an option of an S3 URL that is none, or no URL."""
    parts = urlsplit(text)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("a URL with a port from 0 to 65535") from None
    for name, values in parse_qs(parts.query).items() if parts.scheme == "s3" else ():
        if name not in {"endpoint", "public", "region"}:
            raise ValueError("an s3:// URL with endpoint, public or region")
        if name != "region" and urlsplit(values[0]).scheme not in {"http", "https"}:
            raise ValueError(f"an s3:// URL whose {name} is an http:// or https:// URL")


def _broker(text: str) -> str:
    """A URL as kombu wants it, which has a scheme of its own for sockets; the number of a unix:// URL's database is kept."""
    _url("redis", "rediss", "unix", "redis+socket")(text)
    parts = urlsplit(text)
    if parts.scheme != "unix":
        return text
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


def _store(text: str) -> str:
    return text if text.rstrip("/") == "memory:" else _url("file", "s3", "memory")(text)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9_]+", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _switch(text: str) -> bool:
    known = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("on or off")
    return known[text.lower()]


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError("a number of seconds")
    return float(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _secret(text: str) -> bytes:
    if len(text) < SECRET_LEAST:
        raise ValueError(f"at least {SECRET_LEAST} characters")
    return text.encode()


def _pair(text: str) -> str:
    if not all(text.partition(":")[::2]):
        raise ValueError("user:password")
    return text


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _numbers_by_type(text: str) -> dict[str, int]:
    pairs = [word.partition("=") for word in _words(text)]
    try:
        return {name.strip(): _whole(1, 2**62)(number.strip()) for name, _, number in pairs}
    except ValueError as bad:
        raise ValueError("type=number, type=number") from bad


# ---------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment, or a sentence in brackets as its default. What is `private` is never shown."""

    name: str
    read: Callable[[str], Any]
    default: str
    meaning: str
    private: bool = False


def _of(name: str, read: Callable[[str], Any], default: str, meaning: str, *, private: bool = False) -> Any:
    return dataclasses.field(repr=not private, metadata={"variable": Variable(PREFIX + name, read, default, meaning, private)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Sizes are bytes, times seconds."""

    data: Path = _of("DATA", _folder, ".slipway", "the data folder")
    redis: str = _of(
        "REDIS",
        _url("redis", "rediss", "unix"),
        "[db 1 of the Redis that `slipway up` runs]",
        "the records: redis://, rediss:// or unix://",
        private=True,
    )
    broker: str = _of(
        "BROKER", _broker, "[db 0 of the Redis that `slipway up` runs]", "the broker: redis://, rediss:// or unix://", private=True
    )
    store: str = _of("STORE", _store, "[the folder `store` in the data folder]", "file:///path or s3://bucket/prefix?endpoint=…&public=…")
    public_url: str | None = _of("PUBLIC_URL", _url("http", "https"), "", "the base of absolute URLs; else each request's Host tells")
    secret: bytes = _of(
        "SECRET", _secret, "[the file `secret` in the data folder]", "signs our URLs; the same on every machine", private=True
    )
    trusted_proxies: int = _of("TRUSTED_PROXIES", _whole(0, 10), "0", "how many proxies in front may set X-Forwarded-*")
    cors_origins: tuple[str, ...] = _of("CORS_ORIGINS", _words, "", "origins of browsers, separated by commas")
    bind: str | None = _of("BIND", str, "[all addresses, at $PORT]", "where web listens: host:port, unix:/path or fd://number")
    web_threads: int = _of("WEB_THREADS", _whole(2, 1024), "32", "threads of each web process; WEB_CONCURRENCY is the number of processes")
    flower_address: str = _of("FLOWER_ADDRESS", str, "127.0.0.1", "the address at which Flower listens")
    flower_port: int = _of("FLOWER_PORT", _whole(0, 65535), "5555", "the port at which Flower listens")
    flower_auth: str | None = _of("FLOWER_AUTH", _pair, "", "user:password of Flower, which does not start without", private=True)
    fsync: bool = _of("FSYNC", _switch, "on", "sync what a 202 promises to disk first")
    grace: float = _of("GRACE", _seconds, "20", "how long work under way may go on after SIGTERM; the platform kills later than that")
    log_level: str = _of("LOG_LEVEL", _level, "INFO", "of the JSON logs on stdout")
    clock_key: str | None = _of("CLOCK_KEY", str, "", "tests only: the Redis key whose value moves the clock, in seconds")
    policies: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def policy(self, dialect: str, default: Policy) -> Policy:
        """The dialect's own policy, with what SLIPWAY_{DIALECT}_{FIELD} says in its place."""
        return dataclasses.replace(default, **self.policies.get(_spoken(dialect), {}))


VARIABLES: Mapping[str, Variable] = {field.name: field.metadata["variable"] for field in dataclasses.fields(Settings) if field.metadata}
NAMES = frozenset(variable.name for variable in VARIABLES.values())

_BY_TYPE: Mapping[type, Callable[[str], Any]] = {
    int: _whole(1, 2**62),
    float: _seconds,
    bool: _switch,
    tuple: _words,
    Mapping: _numbers_by_type,
}


def _reader(hint: Any) -> Callable[[str], Any]:
    """How a field of Policy is read, by its type; `none` where it may be None."""
    if hint == float | None:
        return lambda text: None if text.lower() == "none" else _seconds(text)
    return _BY_TYPE[get_origin(hint) or hint]


POLICY_FIELDS: Mapping[str, Callable[[str], Any]] = {name.upper(): _reader(hint) for name, hint in get_type_hints(Policy).items()}


# ---------------------------------------------------------------- reading


def environment() -> dict[str, str]:
    """A copy of this process' environment, to be handed to children."""
    return dict(os.environ)


def embedded_socket(data: Path) -> Path:
    """Where the embedded Redis of a data folder listens: inside it, or in a short folder of its own when that path would be too long."""
    inside = data.absolute() / "redis.sock"
    if len(os.fsencode(inside)) <= SOCKET_LIMIT:
        return inside
    return Path("/tmp") / f"slipway-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}" / "redis.sock"  # noqa: S108 - `up` makes the folder and checks whose it is


def from_env(env: Mapping[str, str] | None = None) -> Settings:
    """The settings. An empty variable counts as not set. Raises SettingsError naming every variable that is wrong or unknown."""
    given = {name: text for name, text in (os.environ if env is None else env).items() if name.startswith(PREFIX) and text}
    faults: list[str] = []
    values = {field: _value(variable, given, faults) for field, variable in VARIABLES.items()}
    policies = _policies(given, faults)
    _derive(values, faults)
    if faults:
        raise SettingsError(sorted(faults))
    return Settings(**values, policies=policies)


def _value(variable: Variable, given: Mapping[str, str], faults: list[str]) -> Any:
    text = given.get(variable.name, "" if variable.default.startswith("[") else variable.default)
    if not text:
        return () if variable.read is _words else None
    try:
        return variable.read(text)
    except ValueError as wanted:
        faults.append(f"{variable.name}{'' if variable.private else f'={text!r}'}: should be {wanted}")
        return None


def _derive(values: dict[str, Any], faults: list[str]) -> None:
    """What follows from the data folder where nothing is said."""
    data: Path = values["data"]
    socket = quote(str(embedded_socket(data)))
    values["redis"] = values["redis"] or f"unix://{socket}?db=1"
    values["broker"] = values["broker"] or _broker(f"unix://{socket}?db=0")
    values["store"] = values["store"] or (data / "store").as_uri()
    values["secret"] = values["secret"] or _kept_secret(data / "secret")
    if values["secret"] is None and not any(fault.startswith("SLIPWAY_SECRET:") for fault in faults):
        faults.append(f"SLIPWAY_SECRET: not set, and there is no readable file {data / 'secret'} (`slipway up` makes one)")


def _kept_secret(file: Path) -> bytes | None:
    try:
        return file.read_bytes().strip() or None
    except OSError:
        return None


def _policies(given: Mapping[str, str], faults: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(given.keys() - NAMES):
        dialect, field = _split(name)
        if not field:
            faults.append(f"{name}: unknown{_near(name)}")
            continue
        try:
            found.setdefault(dialect, {})[field.lower()] = POLICY_FIELDS[field](given[name])
        except ValueError as wanted:
            faults.append(f"{name}={given[name]!r}: should be {wanted}")
    return found


def _split(name: str) -> tuple[str, str]:
    """Dialect and field of a policy's variable, the longest field that fits; two empty texts when none does."""
    rest = name.removeprefix(PREFIX)
    fitting = [field for field in POLICY_FIELDS if re.fullmatch(rf"[A-Z0-9_]+_{field}", rest)]
    field = max(fitting, key=len, default="")
    return (rest.removesuffix(f"_{field}").lower(), field) if field else ("", "")


def _spoken(dialect: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", dialect.lower())


def _near(name: str) -> str:
    """What was probably meant."""
    known = [*NAMES, *(f"{PREFIX}{dialect.upper()}_{field}" for dialect in DIALECTS for field in POLICY_FIELDS)]
    match = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {match[0]}?" if match else ""

"""The environment, read once. The only reader of os.environ."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.settings import policies, readers
from app.settings.policies import PREFIX
from app.settings.variables import NAMES, VARIABLES, Settings, Variable

SOCKET_LIMIT = 100  # bytes; the kernel takes 107, and redis-server's message beyond that is a misleading "Address already in use"

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is made for its owner alone, and whose it is is looked at


class SettingsError(Exception):
    """Every faulty variable, one a line."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("The environment has faults:\n" + "\n".join(f"  {fault}" for fault in faults))


def environment() -> dict[str, str]:
    """A copy of this process' environment, to be handed to children."""
    return dict(os.environ)


def embedded_socket(data: Path) -> Path:
    """Where the embedded Redis of a data folder listens: inside it, or in a short folder of its own when that path would be too long."""
    inside = data.absolute() / "redis.sock"
    if len(os.fsencode(inside)) <= SOCKET_LIMIT:
        return inside
    return Path("/tmp") / f"slipway-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}" / "redis.sock"  # noqa: S108 - `up` makes the folder and checks whose it is


def metrics_folder(data: Path) -> Path:
    """Where the processes of one machine that share a data folder count: in memory where there is such a place, and in no other container."""
    if os.access(MEMORY, os.W_OK):
        return MEMORY / f"slipway-{os.getuid()}-{hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]}"
    return data / "metrics"


def from_env(env: Mapping[str, str] | None = None) -> Settings:
    """The settings. An empty variable counts as not set. Raises SettingsError naming every variable that is wrong or unknown."""
    given = {name: text for name, text in (os.environ if env is None else env).items() if name.startswith(PREFIX) and text}
    faults: list[str] = []
    values = {field: _value(variable, given, faults) for field, variable in VARIABLES.items()}
    fields = policies.read(given, NAMES, faults)
    _derive(values, faults)
    if faults:
        raise SettingsError(sorted(faults))
    return Settings(**values, policies=fields)


def some(*fields: str, env: Mapping[str, str] | None = None) -> list[Any]:
    """The values of some fields alone, for who speaks to a Slipway and needs none of his own. Raises SettingsError for those of them that are wrong."""
    given = os.environ if env is None else env
    faults: list[str] = []
    values = [_value(VARIABLES[field], given, faults) for field in fields]
    if faults:
        raise SettingsError(sorted(faults))
    return values


def _value(variable: Variable, given: Mapping[str, str], faults: list[str]) -> Any:
    text = given.get(variable.name) or ("" if variable.default.startswith("[") else variable.default)
    if not text:
        return () if variable.read in readers.LISTS else None
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
    values["broker"] = values["broker"] or readers.broker(f"unix://{socket}?db=0")
    values["store"] = values["store"] or (data / "store").as_uri()
    values["secret"] = values["secret"] or _kept_secret(data / "secret")
    if values["secret"] is None and not any(fault.startswith("SLIPWAY_SECRET:") for fault in faults):
        faults.append(f"SLIPWAY_SECRET: not set, and there is no readable file {data / 'secret'} (`slipway up` makes one)")


def _kept_secret(file: Path) -> bytes | None:
    try:
        return file.read_bytes().strip() or None
    except OSError:
        return None

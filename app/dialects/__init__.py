"""One published upload API a module, or a package.

Here lives the translation: a vendor's requests into calls of the core, the core's answers and refusals into the vendor's own.
It may know: core, web, access. It must never: know another dialect, an adapter, or how bytes are stored.
A dialect is found, never listed: a module here, or an entry point of the group `slipway.dialects`, that exports `DIALECT`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from types import ModuleType

from app.web.dialect import Dialect

GROUP = "slipway.dialects"


def load(packages: Sequence[str] = (__name__,)) -> dict[str, Dialect]:
    """Every dialect of these packages and of the entry points, by name.

    Raises ValueError when two share a name or a mount, or a mount does not look like `/name`.
    """
    found: dict[str, Dialect] = {}
    taken: dict[str, str] = {}
    for dialect in _all(packages):
        if dialect.name in found:
            raise ValueError(f"two dialects are called {dialect.name}")
        for prefix in dialect.mounts:
            _claim(prefix, dialect.name, taken)
        found[dialect.name] = dialect
    return found


def _claim(prefix: str, name: str, taken: dict[str, str]) -> None:
    if not prefix.startswith("/") or prefix.endswith("/"):
        raise ValueError(f"{name}: a mount looks like /name, not {prefix!r}")
    if prefix in taken:
        raise ValueError(f"{name} and {taken[prefix]} are both mounted at {prefix}")
    taken[prefix] = name


def _all(packages: Sequence[str]) -> Iterator[Dialect]:
    for package in packages:
        root = importlib.import_module(package)
        for module in pkgutil.iter_modules(root.__path__):
            yield _exported(importlib.import_module(f"{package}.{module.name}"))
    for point in entry_points(group=GROUP):
        yield _exported(point.load())


def _exported(thing: ModuleType | Dialect) -> Dialect:
    dialect = getattr(thing, "DIALECT", thing)
    if not isinstance(dialect, Dialect):
        raise TypeError(f"{thing!r} exports no DIALECT")
    return dialect

"""Ports with a clock and a counter around them: how long a stage takes, how often a part fails. Nothing else is changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, cast

from app.core.errors import BrokerDown, Fault, RecordsDown, StoreDown
from app.core.ports import Landed, Meter

Port = TypeVar("Port")

PARTS: Mapping[type[Fault], str] = {RecordsDown: "redis", StoreDown: "store", BrokerDown: "broker"}
STAGES = {
    "signature": "signature",
    "header": "header",
    "decode": "decode",
    "digest": "digest",
    "render": "render",
    "seal": "assemble",
    "promote": "promote",
}
ENTERED = "land"  # bytes come down while this is entered, not when it is called


class Watched:
    """A port; its calls are made once, when they are first asked for."""

    def __init__(self, port: object, meter: Meter) -> None:
        self._port, self._meter = port, meter

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if name.startswith("_") or not callable(call):
            return call
        made = self._entered(call) if name == ENTERED else self._called(call, STAGES.get(name))
        setattr(self, name, made)
        return made

    def _called(self, call: Callable[..., Any], stage: str | None) -> Callable[..., Any]:
        def plain(*args: Any, **named: Any) -> Any:
            try:
                return call(*args, **named)
            except Fault as fault:
                failed(self._meter, fault)
                raise

        def timed(*args: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return plain(*args, **named)
            finally:
                self._meter.observe("stage_seconds", time.perf_counter() - began, stage=stage or "")

        return timed if stage else plain

    def _entered(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def land(*args: Any) -> Iterator[Landed]:
            with ExitStack() as stack:
                yield self._called(lambda: stack.enter_context(call(*args)), "land")()

        return land


def watched(port: Port, meter: Meter) -> Port:
    """The same port, watched."""
    return cast("Port", Watched(port, meter))


def failed(meter: Meter, fault: Fault) -> None:
    """Count a fault, by the part that failed."""
    meter.count("faults", part=PARTS.get(type(fault), "other"))

"""Which request the work of the moment belongs to: W3C Trace Context, https://www.w3.org/TR/trace-context/ (level 1; level 2 adds flags only).

A trace begins at the door, or before it where a client sends `traceparent`; it goes with the message to the worker, stands in the operation
(a message that is sent again keeps it) and in every line that is logged meanwhile. Nothing is sent to a tracing system: whoever runs one
finds our lines by the id that its own services gave.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

PARENT, STATE = "traceparent", "tracestate"
FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)  # section 3.2
FORBIDDEN = "ff"  # a version that will never be
RECORDED = 1  # the one flag of version 00: the caller may have recorded this trace
STATE_MOST = 512  # characters of tracestate that are passed on, section 3.3.1.5
STATE_FORM = re.compile(r"[\x20-\x7e\t]*")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace, 32 hex digits, and the step of it that is ours, 16; whether it is `recorded`; what other systems want passed on."""

    id: str
    span: str
    recorded: bool = True
    state: str = ""

    @property
    def parent(self) -> str:
        """`traceparent` for those that we call, version 00."""
        return f"00-{self.id}-{self.span}-{RECORDED if self.recorded else 0:02x}"

    @property
    def headers(self) -> dict[str, str]:
        """Both headers for those that we call."""
        return {PARENT: self.parent, STATE: self.state} if self.state else {PARENT: self.parent}


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of the work of the moment."""
    return _current.get()


def begin(headers: Mapping[str, str]) -> Trace:
    """The next step of the caller's trace, or a new trace where the headers name none, or none that is valid."""
    found = FORM.fullmatch(headers.get(PARENT) or "")
    if not found or not _valid(*found.groups()):
        return Trace(secrets.token_hex(16), secrets.token_hex(8))
    return Trace(found[2], secrets.token_hex(8), bool(int(found[4], 16) & RECORDED), _passed_on(headers.get(STATE) or ""))


def enter(trace: Trace | None) -> None:
    """From here on this thread works for `trace`, or for none."""
    _current.set(trace)


@contextmanager
def within(headers: Mapping[str, str]) -> Iterator[Trace]:
    """What is done inside belongs to the trace of these headers, or to a new one."""
    trace = begin(headers)
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def carried() -> str | None:
    """What a record keeps of the trace of the moment: its `traceparent`."""
    trace = current()
    return trace.parent if trace else None


def _valid(version: str, trace: str, parent: str, _flags: str, rest: str | None) -> bool:
    """Version 00 ends with its flags; later ones may go on behind another hyphen. Ids of zeros alone are none."""
    return version != FORBIDDEN and (rest is None or version != "00") and trace.strip("0") != "" and parent.strip("0") != ""


def _passed_on(state: str) -> str:
    """As it came; members at the end are left out where it is too long, and what cannot stand in a header is none of it."""
    if not STATE_FORM.fullmatch(state):
        return ""
    if len(state) <= STATE_MOST:
        return state.strip()
    return state[: STATE_MOST + 1].rpartition(",")[0].strip()

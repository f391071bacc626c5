"""Which process this is, so that others on its machine can tell when it is no more.

::

    {boot of the machine} {its namespace of process ids} {user} {process id} {when it began}

Of a process of another machine, container or user nothing can be told: it may well be there.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

PROC = Path("/proc")  # proc(5)
STATE, BEGAN = 0, 19  # fields of /proc/{pid}/stat behind the name, which may hold anything but ends with the last `)`
WORDS = 5
DEAD = frozenset({"Z", "X"})


def own() -> str | None:
    """What this process is known by. None where the system does not tell."""
    return _own(os.getpid())


@cache
def _own(pid: int) -> str | None:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (PROC / "self/ns/pid").readlink()
        ours = (PROC / "self").readlink() == Path(str(pid))  # not so where /proc shows another namespace
    except OSError:
        return None
    began = _began(str(pid))
    return f"{boot} {space} {os.getuid()} {pid} {began}" if ours and began else None


def ended(known_as: str) -> bool:
    """Whether that process was one of ours, on this machine, and is no more."""
    mine, other = (own() or "").split(" "), known_as.split(" ")
    ours = len(other) == len(mine) == WORDS and other[:-2] == mine[:-2]
    return ours and _began(other[-2]) != other[-1]


def _began(pid: str) -> str | None:
    """When the process of this id began, by the machine's own count; None when there is none."""
    try:
        fields = (PROC / pid / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[STATE] in DEAD else fields[BEGAN]

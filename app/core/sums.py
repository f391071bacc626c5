"""The sum that bytes get at the door and are compared by before they rest: CRC64NVME, combined over runs in any order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sum:
    """The CRC64NVME `value` of a run of bytes: of its first `size` ones. None in its place: nobody knows."""

    value: int
    size: int


NOTHING = Sum(0, 0)

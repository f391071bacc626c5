"""Part arithmetic: which bytes part k is, how many there are, which are missing.

Part k of an upload is always the bytes [(k-1)*part_size, k*part_size); the last one ends with the upload.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.errors import Code, UploadError
from app.core.policy import MIB, Policy
from app.core.refs import Kind, Ref
from app.core.sums import Sum

SMALLEST_PART = 5 * MIB  # S3: every part but the last
LARGEST_PART = 5 * 1024 * MIB  # S3: one PUT


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a part: its number (from 1), offset and size in bytes. Not `exact`: the size is the most it may have."""

    number: int
    offset: int
    size: int
    exact: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part that arrived. `etag` is opaque: what the store, or our door, gave it.

    `digest`: `sha256:{hex}` of its bytes, where they came through our door and the policy wants it. `sum`: as they came through our door.
    """

    number: int
    offset: int
    size: int
    etag: str
    digest: str | None = None
    sum: Sum | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts held of one upload, by number; kept apart from it so that parallel parts do not conflict."""

    tenant: str
    id: str
    held: Mapping[int, Part] = field(default_factory=dict)
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The table's name among the records; the id is the upload's."""
        return Ref(Kind.PARTS, self.tenant, self.id)


def part_size_for(policy: Policy, length: int | None, wanted: int | None = None) -> int:
    """The part size of an upload in bytes: what was wanted, raised to what keeps the file under `policy.max_parts`.

    Raises UploadError(INVALID) when `wanted` is outside of what S3 takes.
    """
    if wanted is not None and not SMALLEST_PART <= wanted <= LARGEST_PART:
        reason = f"partSize: must be between {SMALLEST_PART} and {LARGEST_PART} bytes"
        raise UploadError(Code.INVALID, reason=reason, errors=[reason])
    ceiling = policy.max_bytes if length is None else length
    return max(wanted or policy.part_size, math.ceil(ceiling / policy.max_parts))


def count_of(length: int, part_size: int) -> int:
    """How many parts a file of `length` bytes has; at least one."""
    return max(1, math.ceil(length / part_size))


def slot(number: int, part_size: int, length: int | None, most: int) -> Slot:
    """The place of part `number`. Without a length every part may be the last: its size is then the most it may have.

    Raises UploadError(PART_UNKNOWN) for a number outside of the plan.
    """
    last = most if length is None else count_of(length, part_size)
    if not 1 <= number <= last:
        raise UploadError(Code.PART_UNKNOWN, number=number)
    offset = (number - 1) * part_size
    size = part_size if length is None else min(part_size, length - offset)
    return Slot(number, offset, size, exact=length is not None)


def plan(part_size: int, length: int) -> list[Slot]:
    """The slots of a file of known length, in order."""
    return [slot(n, part_size, length, 0) for n in range(1, count_of(length, part_size) + 1)]


def missing(held: Mapping[int, Part], part_size: int, length: int) -> list[int]:
    """The numbers that are not held, or held with another size than their slot's."""
    slots = plan(part_size, length)
    return [s.number for s in slots if (p := held.get(s.number)) is None or p.size != s.size]


def twins(held: Mapping[int, Part]) -> list[list[int]]:
    """The numbers of parts that have the same bytes, by their digests, or where S3 took them by their ETags. Zeros may well be repeated."""
    alike: dict[str, list[int]] = {}
    for number in sorted(held):
        alike.setdefault(held[number].digest or held[number].etag, []).append(number)
    return [numbers for numbers in alike.values() if len(numbers) > 1]


def total(held: Iterable[Part]) -> int:
    """The bytes of all parts."""
    return sum(part.size for part in held)


def contiguous(held: Mapping[int, Part]) -> int:
    """The offset up to which no part is missing."""
    offset = 0
    for number in range(1, len(held) + 1):
        part = held.get(number)
        if part is None or part.offset != offset:
            break
        offset += part.size
    return offset


def length_of(held: Mapping[int, Part], part_size: int) -> int:
    """The length that the parts held make up, when none was declared: all but the last full, none missing.

    Raises UploadError(PARTS_MISSING) with the numbers below the highest that are missing or short; EMPTY without any.
    """
    if not held:
        raise UploadError(Code.EMPTY)
    length = total([held[max(held)]]) + (max(held) - 1) * part_size
    if gaps := missing(held, part_size, length):
        raise UploadError(Code.PARTS_MISSING, missing=gaps)
    return length

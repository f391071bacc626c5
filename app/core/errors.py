"""Every refusal and every fault, on one page.

::

    Exception
    ├── UploadError(code, **facts)   a refusal: the client's doing; each dialect renders it from its code
    │   └── Moved                    the record is no longer in the state that the step needs
    └── Fault                        nobody's doing that the client could mend: 503 at the door, a new try in a worker
        ├── RecordsDown              Redis does not answer, or the outcome of a commit is unknown
        ├── StoreDown                the store does not answer, or is full
        ├── BrokerDown               a message could not be handed over
        ├── Busy                     somebody still writes what is to be sealed
        └── Unreadable               a record was written by a newer version, or is damaged
    ClientGone                       the sender closed or stalled; what arrived is kept
    Lost                             this worker no longer owns the operation: end quietly, touch nothing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = str | int | list[str] | list[int] | None


class Code(StrEnum):
    """The stable name of a refusal, the `code` of a problem document. MEANINGS has the sentence of each."""

    # what the request itself is
    BAD_REQUEST = "bad_request"
    INVALID = "invalid"
    EMPTY = "empty_body"
    TOO_LARGE = "too_large"
    LENGTH_REQUIRED = "length_required"
    UNSUPPORTED_TYPE = "unsupported_media_type"
    DIGEST_MISMATCH = "digest_mismatch"
    BAD_FILENAME = "bad_filename"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    # who speaks
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    LINK_INVALID = "link_invalid"
    NOT_FOUND = "not_found"
    GONE = "gone"
    # where the upload or the operation stands
    PART_SIZE = "part_size"
    PART_UNKNOWN = "part_unknown"
    PARTS_MISSING = "parts_missing"
    OFFSET_MISMATCH = "offset_mismatch"
    LOCKED = "locked"
    FINISHED = "upload_finished"
    FINAL = "operation_final"
    UPLOAD_EXPIRED = "upload_expired"
    UPLOAD_CANCELLED = "upload_cancelled"
    IN_USE = "already_in_use"
    EXISTS = "exists"
    VERSION_CONFLICT = "version_conflict"
    PRECONDITION = "precondition_failed"
    RANGE = "range_not_satisfiable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    IDEMPOTENCY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_RUNNING = "idempotency_key_running"
    # what the worker found
    FETCH_REFUSED = "fetch_refused"
    FETCH_FAILED = "fetch_failed"
    NOT_AN_IMAGE = "not_an_image"
    TYPE_NOT_ALLOWED = "type_not_allowed"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_COMPLEX = "too_complex"
    TRAILING_BYTES = "trailing_bytes"
    TOOK_TOO_LONG = "took_too_long"
    CHANGED = "changed_after_finish"
    CORRUPTED = "corrupted"
    WORKER_LOST = "worker_lost"
    STORE_FAULT = "store_fault"
    # ours
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


MEANINGS: Mapping[Code, str] = {
    Code.BAD_REQUEST: "The request is malformed: {reason}",
    Code.INVALID: "The request has invalid fields: {reason}",
    Code.EMPTY: "The body is empty; an upload needs at least one byte.",
    Code.TOO_LARGE: "The file is larger than the limit of {limit} bytes.",
    Code.LENGTH_REQUIRED: "A Content-Length is needed here.",
    Code.UNSUPPORTED_TYPE: "The media type {media_type} is not accepted here; accepted: {accepted}.",
    Code.DIGEST_MISMATCH: "The bytes that arrived do not have the declared digest.",
    Code.BAD_FILENAME: "The filename is not usable: {reason}",
    Code.METHOD_NOT_ALLOWED: "The method is not allowed here.",
    Code.UNAUTHENTICATED: "No valid credentials were sent.",
    Code.FORBIDDEN: "These credentials lack the scope {scope}.",
    Code.LINK_INVALID: "The signed URL is not valid, or no longer: ask for a fresh one.",
    Code.NOT_FOUND: "There is no such {what}.",
    Code.GONE: "The {what} existed and was removed.",
    Code.PART_SIZE: "Part {number} must have {expected} bytes.",
    Code.PART_UNKNOWN: "Part {number} is not in the plan of this upload.",
    Code.PARTS_MISSING: "The upload is not complete: parts are missing.",
    Code.OFFSET_MISMATCH: "The upload stands at offset {offset}.",
    Code.LOCKED: "Another request is writing to this upload.",
    Code.FINISHED: "The upload is finished and takes no more bytes.",
    Code.FINAL: "The operation is {status} and cannot be cancelled.",
    Code.UPLOAD_EXPIRED: "The upload was not finished before its deadline.",
    Code.UPLOAD_CANCELLED: "The upload was cancelled.",
    Code.IN_USE: "The asset is already used elsewhere.",
    Code.EXISTS: "Another {what} has this name or id already.",
    Code.VERSION_CONFLICT: "The resource was changed by another request.",
    Code.PRECONDITION: "The resource is at version {version}, not at the one that the request names.",
    Code.RANGE: "The asset has {size} bytes; the range asked for lies outside.",
    Code.TIMEOUT: "The body did not arrive completely; what came is kept where the upload can go on.",
    Code.RATE_LIMITED: "Too many requests; try again in {retry_after} seconds.",
    Code.QUOTA_EXCEEDED: "The quota of {limit} {quota} does not allow for this: {used} are in use.",
    Code.IDEMPOTENCY_REUSED: "The Idempotency-Key was used for another request.",
    Code.IDEMPOTENCY_RUNNING: "The request with this Idempotency-Key is still running; try again in {retry_after} seconds.",
    Code.FETCH_REFUSED: "The address may not be fetched: {reason}",
    Code.FETCH_FAILED: "The file could not be fetched: {reason}",
    Code.NOT_AN_IMAGE: "The file is not an image of a known format.",
    Code.TYPE_NOT_ALLOWED: "The file is {media_type}, which is not accepted; accepted: {accepted}.",
    Code.TRUNCATED: "The image is incomplete: its data ends too early.",
    Code.UNDECODABLE: "The image is damaged and cannot be decoded.",
    Code.TOO_MANY_PIXELS: "The image has {pixels} pixels, counting frames; the limit is {limit}.",
    Code.TOO_MANY_FRAMES: "The image has more than {limit} frames.",
    Code.TOO_COMPLEX: "The image needs more memory to decode than is allowed.",
    Code.TRAILING_BYTES: "After the end of the image the file goes on for {trailing} bytes.",
    Code.TOOK_TOO_LONG: "The file took too long to process.",
    Code.CHANGED: "The file changed after the upload was finished.",
    Code.CORRUPTED: "The bytes that are stored are not those that arrived: send the file again.",
    Code.WORKER_LOST: "Processing was tried {attempts} times and never came to an end.",
    Code.STORE_FAULT: "The file could not be stored within the time allowed for retries.",
    Code.OVERLOADED: "The service takes no new work for the moment ({parts}); what was begun goes on.",
    Code.UNAVAILABLE: "The service cannot take this request right now.",
    Code.INTERNAL: "An unexpected error happened.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was refused: the code, the sentence for a human, and the facts behind it."""

    code: Code
    message: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def problem(code: Code, **facts: Fact) -> Problem:
    """A problem whose message is the code's sentence filled with `facts`; a fact that is missing shows as `?`."""
    said = {name: ", ".join(map(str, fact)) if isinstance(fact, list) else fact for name, fact in facts.items()}
    return Problem(code, MEANINGS[code].format_map(_Facts(said)), facts)


class _Facts(dict[str, Fact]):
    def __missing__(self, key: str) -> str:
        return "?"


class UploadError(Exception):
    """A refusal. Raise it with a code and facts; never build a response or a message at the raising place."""

    def __init__(self, code: Code, **facts: Fact) -> None:
        self.problem = problem(code, **facts)
        super().__init__(self.problem.message)

    @property
    def code(self) -> Code:
        """The code of the refusal."""
        return self.problem.code


def refuse(why: Problem) -> UploadError:
    """The refusal that a check's problem stands for, to be raised."""
    return UploadError(why.code, **why.facts)


class Moved(UploadError):
    """The record moved on: the step's precondition no longer holds."""


class Fault(Exception):
    """Something of ours is down, slow or full; the same call may succeed later."""


class RecordsDown(Fault):
    """Redis does not answer, or the outcome of a commit is unknown: delete nothing, let the sweeps decide."""


class StoreDown(Fault):
    """The store does not answer, or refuses for a reason of its own (full, denied)."""


class BrokerDown(Fault):
    """A job could not be handed to the broker; the lease will send it again."""


class Busy(Fault):
    """A writer still holds the staged bytes."""


class Unreadable(Fault):
    """A record that this version cannot read: one that a newer one wrote, or that was damaged. Others go on."""


class ClientGone(Exception):
    """The sender of a body closed its connection, or sent nothing for too long."""


class Lost(Exception):
    """The operation was cancelled or taken over while this worker had it."""

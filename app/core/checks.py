"""The small pure checks: what was measured, held against what was promised. None means that nothing is wrong.

::

    length      bytes that arrived            the upload's length, the policy's most bytes
    media_type  the type by magic bytes       the policy's types
    dimensions  width and height              at least one pixel
    frames      frames                        the policy's most frames
    pixels      pixels, counting frames       the policy's most pixels for this type
    trailing    bytes behind the image's end  the policy's word on them
    digest      sha-256                       the digest that the client declared

Every limit is inclusive.
"""

from __future__ import annotations

from app.core.errors import Code, Problem, problem
from app.core.facts import Facts
from app.core.policy import IMAGES, Policy, Trailing
from app.core.ports import Header
from app.core.upload import Upload

DECODABLE = frozenset({*IMAGES, "image/avif", "image/tiff"})
UNKNOWN = "application/octet-stream"


def length(size: int, upload: Upload) -> Problem | None:
    """Bytes are there (unless none were announced, and the policy takes that), as many as were finished, no more than the policy takes."""
    if size == 0 and not (upload.policy.empty and upload.length == 0):
        return problem(Code.EMPTY)
    if size > upload.policy.max_bytes:
        return problem(Code.TOO_LARGE, limit=upload.policy.max_bytes, size=size)
    return problem(Code.CHANGED) if upload.length not in {None, size} else None


def media_type(measured: str, upload: Upload) -> Problem | None:
    """The policy takes files of this type."""
    if upload.policy.accepts(measured):
        return None
    if measured == UNKNOWN:
        return problem(Code.NOT_AN_IMAGE)
    return problem(Code.TYPE_NOT_ALLOWED, media_type=measured, accepted=list(upload.policy.media_types))


def dimensions(header: Header) -> Problem | None:
    """There is a pixel to decode."""
    return None if min(header.width, header.height, header.frames) > 0 else problem(Code.UNDECODABLE)


def frames(header: Header, upload: Upload) -> Problem | None:
    """Not too many frames. Comes before `pixels`: a count that was stopped would understate them."""
    limit = upload.policy.max_frames
    return problem(Code.TOO_MANY_FRAMES, limit=limit) if header.frames > limit else None


def pixels(header: Header, measured: str, upload: Upload) -> Problem | None:
    """Not too many pixels for this type, counting frames."""
    limit = upload.policy.pixels_of(measured)
    return problem(Code.TOO_MANY_PIXELS, pixels=header.pixels, limit=limit) if header.pixels > limit else None


def trailing(behind: int, upload: Upload) -> Problem | None:
    """Nothing follows the image's end; or the policy allows it, or a warning is enough for it (`warnings`)."""
    return problem(Code.TRAILING_BYTES, trailing=behind) if behind and upload.policy.trailing is Trailing.REFUSE else None


def warnings(facts: Facts, policy: Policy) -> tuple[Problem, ...]:
    """What is told of good bytes, because the policy wants it told."""
    return (problem(Code.TRAILING_BYTES, trailing=facts.trailing),) if facts.trailing and policy.trailing is Trailing.WARN else ()


def digest(measured: str, upload: Upload) -> Problem | None:
    """The bytes are those that the client declared."""
    return None if upload.digest in {None, measured} else problem(Code.DIGEST_MISMATCH)

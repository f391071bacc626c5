"""Measure, then judge: length → signature → header → decode → digest, cheap before dear; the first refusal ends it."""

from __future__ import annotations

from collections.abc import Callable

from app.core import checks
from app.core.errors import Code, Problem, UploadError, refuse
from app.core.facts import Facts
from app.core.policy import ANY, Policy
from app.core.ports import Gauge, Header, Landed
from app.core.upload import Upload

Stage = Callable[[str], None]

NO_SOUND_IMAGE = frozenset(
    {Code.NOT_AN_IMAGE, Code.TRUNCATED, Code.UNDECODABLE, Code.TOO_MANY_PIXELS, Code.TOO_MANY_FRAMES, Code.TOO_COMPLEX}
)

LOOKED_AT_AGAIN = 1024**3  # bytes of a refused file that are read once more, to see whether the damage is ours


def measure(gauge: Gauge, landed: Landed, upload: Upload, progress: Stage) -> Facts:
    """The facts of a landed file that its policy takes. `progress` hears of every stage as it begins; what it raises passes through.

    Raises UploadError with the code of the first check that refuses. A file that is kept as a plain file has no dimensions.
    """
    progress("measuring")
    _require(checks.length(landed.size, upload))
    measured, image = _judged(gauge, landed, upload, progress)
    progress("digesting")
    digest = landed.digest or (landed.whole() if landed.whole else gauge.digest(landed.file))
    _require(checks.digest(digest, upload))
    return _facts(landed.size, digest, measured, image)


def _judged(gauge: Gauge, landed: Landed, upload: Upload, progress: Stage) -> tuple[str, tuple[Header, int] | None]:
    """The type, and what `_image` says. Nobody is told that a file is damaged when it was damaged here."""
    try:
        measured = gauge.signature(landed.file)
        _require(checks.media_type(measured, upload))
        return measured, _image(gauge, landed, upload, measured, progress)
    except UploadError:
        if landed.check and landed.size <= LOOKED_AT_AGAIN:
            landed.check()
        raise


def _image(gauge: Gauge, landed: Landed, upload: Upload, measured: str, progress: Stage) -> tuple[Header, int] | None:
    """The header of a sound image, and how many bytes follow it; None for what is, or may be kept as, a plain file."""
    if measured not in checks.DECODABLE:
        return None
    try:
        return _sound(gauge, landed, upload, measured, progress)
    except UploadError as refusal:
        if refusal.code in NO_SOUND_IMAGE and _keeps_any(upload.policy):
            return None
        raise


def _sound(gauge: Gauge, landed: Landed, upload: Upload, measured: str, progress: Stage) -> tuple[Header, int]:
    header = gauge.header(landed.file, measured, upload.policy.max_frames)
    _require(checks.dimensions(header))
    _require(checks.frames(header, upload))
    _require(checks.pixels(header, measured, upload))
    progress("judging")
    behind = gauge.decode(landed.file, measured, lambda: progress("judging"))
    _require(checks.trailing(behind, upload))
    return header, behind


def _keeps_any(policy: Policy) -> bool:
    return ANY in policy.media_types and not policy.judge


def _require(found: Problem | None) -> None:
    if found:
        raise refuse(found)


def _facts(size: int, digest: str, media_type: str, image: tuple[Header, int] | None) -> Facts:
    if image is None:
        return Facts(size, digest, media_type)
    header, behind = image
    return Facts(size, digest, media_type, header.width, header.height, header.frames, header.orientation, header.has_alpha, behind)

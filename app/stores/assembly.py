"""Which parts and pieces make up a whole."""

from __future__ import annotations

from app.core.errors import Code, UploadError
from app.core.parts import Part, Parts
from app.core.upload import Piece


def covering(parts: Parts, length: int) -> list[Part]:
    """The parts that make up exactly [0, length), in order; what an earlier beginning left beyond is not among them.

    An empty file has one part without bytes: S3 makes no object of no parts.
    Raises UploadError(CHANGED) when they do not.
    """
    first = parts.held.get(1)
    chosen: list[Part] = [first] if length == 0 and first is not None and first.size == 0 else []
    end = 0
    while end < length:
        part = parts.held.get(len(chosen) + 1)
        if part is None or part.offset != end or part.size == 0:
            raise UploadError(Code.CHANGED)
        chosen.append(part)
        end += part.size
    if end != length:
        raise UploadError(Code.CHANGED)
    return chosen


def check_run(pieces: tuple[Piece, ...], start: int, end: int) -> None:
    """Raise UploadError(GONE) unless the pieces follow one another from `start` to `end`."""
    for piece in pieces:
        if piece.offset != start:
            break
        start += piece.size
    if start != end:
        raise UploadError(Code.GONE, what="upload")


def trimmed(pieces: tuple[Piece, ...], offset: int) -> tuple[Piece, ...]:
    """What of the pieces lies before `offset`."""
    return tuple(Piece(p.key, p.offset, min(p.size, offset - p.offset)) for p in pieces if p.offset < offset)

"""The pieces that a stream left below a part: fetched back when the part fills, or when the whole is made."""

from __future__ import annotations

from app.core.errors import Code, UploadError
from app.core.upload import Piece
from app.stores.link import GONE, Link
from app.stores.spool import pour


def fetch_pieces(link: Link, pieces: tuple[Piece, ...], fd: int, origin: int) -> None:
    """Put pieces into a file, each at its offset from `origin`. Raises UploadError(GONE) when one is missing or short."""
    for piece in pieces:
        with link.speaking(GONE) as s3:
            answer = s3.get_object(Bucket=link.bucket, Key=link.full(piece.key), Range=f"bytes=0-{piece.size - 1}")
            with answer["Body"] as body:
                got = pour(body.read, fd, piece.offset - origin)
        if got != piece.size:
            raise UploadError(Code.GONE, what="upload")

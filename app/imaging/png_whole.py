"""A PNG judged without a pixel in memory: the sum of every chunk, the rows of every frame, and what the other chunks say by Pillow's reader of them.

Pillow reads what is small (palette, text, profile, the frames' control); the data, which it would decode and we need not, is inflated,
counted and forgotten. What a full load refuses is refused; a wrong sum of image data, and bytes that are missing or too many, too.
"""

from __future__ import annotations

from typing import BinaryIO

from isal import isal_zlib
from PIL.PngImagePlugin import PngStream

from app.core.errors import Code, UploadError
from app.imaging import png
from app.imaging.png import DATA, FRAME, HEAD, TRAILER, Chunk
from app.imaging.png_rows import Rows, Shape
from app.imaging.reading import blocks, damaged, take

_FRAME_DATA = b"fdAT"
_SEQUENCE = 4  # the bytes of its number before the data of a frame
FED = 64 * 1024  # bytes given to the inflater at a time: what it leaves for the next piece is copied
_PALETTE = 3 * 256  # bytes, at the most


def whole(file: BinaryIO) -> int:
    """Every chunk up to the trailer is there with its sum, and the rows of every frame are whole. Where the image ends.

    Raises UploadError: TRUNCATED, UNDECODABLE, TOO_COMPLEX; and what Pillow and isal_zlib raise for chunks that they cannot read.
    """
    frames, end = _Frames(file), 0
    for chunk in png.chunks(file):
        frames.take(chunk)
        end = chunk.offset + chunk.length + 4
    frames.end()
    return end


class _Frames:
    """Follows the chunks: the data of each image in one run, as many images as were counted, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        head = next(png.chunks(file))
        self._head = png.payload(file, head)
        _, self._canvas = png.shape(file, {head.kind: head})
        self._left = self._count = png.header(file, png.MOST_FRAMES).frames
        self._file, self._stream = file, PngStream(file)
        self._rows, self._due, self._open = Rows(self._canvas), DATA, False

    def take(self, chunk: Chunk) -> None:
        """The next chunk."""
        if chunk.kind in {DATA, _FRAME_DATA}:
            self._data(chunk)
            return
        if self._open:  # the data of an image stands together
            self._rows.end()
            self._open = False
        _verify(self._file, chunk, None)
        if chunk.kind != TRAILER:
            self._told(chunk)
        if chunk.kind == FRAME:
            self._control()

    def end(self) -> None:
        """Raises UploadError: TRUNCATED without any data, UNDECODABLE when there were fewer frames than counted."""
        if not self._rows.begun:
            raise UploadError(Code.TRUNCATED) if self._due == DATA else damaged()
        if self._left > 1:
            raise damaged()

    def _data(self, chunk: Chunk) -> None:
        """Image data. Such that belongs to no frame, or stands apart from the rest of it, is passed over, as decoders do."""
        self._call(chunk)
        mine = chunk.kind == self._due and (self._open or not self._rows.begun)
        if mine and self._due == DATA and not self._rows.begun:
            self._agree()
        self._open = self._open or mine
        _verify(self._file, chunk, self._rows if mine else None)

    def _told(self, chunk: Chunk) -> None:
        if chunk.kind == HEAD and png.payload(self._file, chunk) != self._head:  # a second one, that says something else
            raise damaged()
        self._call(chunk)

    def _call(self, chunk: Chunk) -> None:
        """Let Pillow read what the chunk says. Of data it takes the number in the sequence, and ends by EOFError."""
        if not hasattr(self._stream, f"chunk_{chunk.kind.decode()}"):
            return
        self._file.seek(chunk.offset)
        try:
            self._stream.call(*chunk)
        except EOFError:
            return

    def _agree(self) -> None:
        """Before the first row: Pillow's reader understood what ours did. Raises UploadError(UNDECODABLE)."""
        told, size = self._stream, (self._canvas.width, self._canvas.height)
        box, frames = told.im_info.get("bbox"), told.im_n_frames
        apart = frames is not None and box is None
        sized = told.im_size == size and 0 not in size and box in {None, (0, 0, *size)}
        counted = (frames or 1) + apart == self._count
        coloured = told.im_mode and (told.im_palette is None or len(told.im_palette[1]) <= _PALETTE)
        if not (sized and counted and coloured):
            raise damaged()

    def _control(self) -> None:
        """A frame is announced: after the first data, the one before is over."""
        if not self._rows.begun:
            if self._due != DATA:  # two controls, and no data between them
                raise damaged()
            return
        self._left -= 1
        self._due, self._rows = _FRAME_DATA, Rows(self._frame_shape())

    def _frame_shape(self) -> Shape:
        """Nothing that was not counted, by its number or its size, is ever inflated. Pillow saw that it lies on the canvas."""
        left, top, right, bottom = self._stream.im_info["bbox"]
        if self._left < 1 or right == left or bottom == top:
            raise damaged()
        return self._canvas._replace(width=right - left, height=bottom - top)


def _verify(file: BinaryIO, chunk: Chunk, rows: Rows | None) -> None:
    """Read a chunk through, hold it against its sum, and give image data to `rows`."""
    file.seek(chunk.offset)
    number = take(file, min(_SEQUENCE, chunk.length)) if chunk.kind == _FRAME_DATA else b""
    crc = isal_zlib.crc32(number, isal_zlib.crc32(chunk.kind))
    for block in blocks(file, chunk.length - len(number), FED):
        crc = isal_zlib.crc32(block, crc)
        if rows:
            rows.feed(block)
    if crc != int.from_bytes(take(file, 4), "big"):
        raise damaged()

"""Bytes from a socket into a file without being seen: `splice` through a pipe, each thread its own, kept (splice(2), pipe(7)).

A pipe that is not known to be empty is never used again: what another request left in it would get into the wrong file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
from contextlib import suppress

SIZES = (1024 * 1024, 256 * 1024)  # bytes; the kernel grants a user only so much of all pipes together, so the smaller is tried too
MOST = SIZES[0]
UNABLE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
FLAGS = 0x01 | 0x02  # SPLICE_F_MOVE, SPLICE_F_NONBLOCK: Python names them from 3.12 on

_local = threading.local()


class Unable(Exception):
    """The kernel splices nothing from here; no byte was taken."""


class Pipe:
    """One pipe, which is empty between two calls of `carry`."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_CLOEXEC)
        for size in SIZES:
            with suppress(OSError):
                fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, size)
                break

    def take(self, sock: socket.socket, limit: int) -> int:
        """What the socket has, at most `limit` bytes, to be given at once; 0 at its end. Raises OSError, Unable."""
        try:
            return os.splice(sock.fileno(), self._in, min(limit, MOST), flags=FLAGS)
        except OSError as error:
            if error.errno in UNABLE:
                raise Unable from error
            raise

    def give(self, fd: int, offset: int, count: int) -> None:
        """What was taken, into a file at `offset`. Raises OSError; the pipe is then gone."""
        try:
            self._give(fd, offset, count)
        except BaseException:
            forget()
            raise

    def _give(self, fd: int, offset: int, left: int) -> None:
        while left:
            try:
                moved = os.splice(self._out, fd, left, offset_dst=offset)
            except OSError as error:
                if error.errno not in UNABLE:
                    raise
                moved = _write_all(fd, os.read(self._out, left), offset)  # a file system that splices nothing
            left, offset = left - moved, offset + moved

    def close(self) -> None:
        """Nothing is to be had of it any more."""
        os.close(self._in)
        os.close(self._out)


def pipe() -> Pipe:
    """The thread's own. Raises Unable where there are no more."""
    held: Pipe | None = getattr(_local, "pipe", None)
    if held is None:
        try:
            held = _local.pipe = Pipe()
        except OSError as error:
            raise Unable from error
    return held


def forget() -> None:
    """The thread's pipe may hold something: the next request gets another one."""
    held: Pipe | None = getattr(_local, "pipe", None)
    if held is not None:
        _local.pipe = None
        held.close()


def _write_all(fd: int, content: bytes, offset: int) -> int:
    left = memoryview(content)
    while left:
        written = os.pwrite(fd, left, offset)
        left, offset = left[written:], offset + written
    return len(content)

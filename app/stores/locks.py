"""Byte-range locks that belong to an open file, not to a process: two threads of one process exclude each other too.

fcntl(2), "Open file description locks" (Linux 3.15). A lock goes with its descriptor, so no death leaves one behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

F_OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)  # named by Python on most, not all, builds for Linux
FLOCK = "@hhqqi4x"  # struct flock: type, whence, start, length, pid (0 here)
TO_THE_END = 0


def lock(fd: int, offset: int, length: int) -> bool:
    """Take [offset, offset + length) for writing, without waiting; length TO_THE_END has no end. False while another file has some of it."""
    wanted = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, length, 0)
    try:
        fcntl.fcntl(fd, F_OFD_SETLK, wanted)
    except OSError as taken:
        if taken.errno not in {errno.EAGAIN, errno.EACCES}:
            raise
        return False
    return True

"""Ports of `slipway up`: held open for web from the start, so that nobody else can take it and no connection is lost while web starts again."""

from __future__ import annotations

import errno
import random
import socket
import time
from contextlib import closing

from app.cli.ground import Taken

BACKLOG = 2048  # as gunicorn
LINGER = 3.0  # seconds in which the web processes of a supervisor that was killed let go of their port
QUIET = range(20000, 32000)  # below the ports that kernels hand out for connections


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises Taken."""
    deadline = time.monotonic() + LINGER
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Taken(f"cannot listen at port {port} of {host}: {error.strerror}") from error
            if time.monotonic() > deadline:
                raise Taken(f"port {port} of {host} is in use") from error
            time.sleep(0.1)


def free(host: str, port: int) -> int:
    """A port that a process of ours is going to bind: the one that was asked for, if it is free, or for 0 any. Raises Taken."""
    if port:
        listen(host, port).close()
        return port
    for candidate in random.sample(QUIET, 100):
        try:
            with closing(_bound(host, candidate)):
                return candidate
        except OSError:
            continue
    raise Taken(f"no free port was found on {host}")


def _bound(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)

"""A TCP proxy in front of a server that breaks connections where a test says so, or holds them."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections import Counter
from typing import Self
from urllib.parse import urlsplit

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
PART = re.compile(rb"PUT \S+/parts/(\d+)\?\S+ HTTP/1.1\r\n")


class Cutting:
    """`cuts`: numbers of bytes, counted over all that clients send, after which every connection is reset.

    `hold_at`: once so many came, nothing more is let through until `release`. `sent` counts what clients sent, `parts` how often each part began.
    """

    def __init__(self, url: str, *, cuts: tuple[int, ...] = (), hold_at: int | None = None) -> None:
        self._target = (urlsplit(url).hostname, urlsplit(url).port)
        self._cuts = list(cuts)
        self._hold_at = hold_at
        self._free = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.sent = 0
        self.held = threading.Event()
        self.parts: Counter[int] = Counter()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._door.close()
        self.cut()

    def release(self) -> None:
        """Let everything through from now on."""
        self._hold_at = None
        self._free.set()

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            doomed, self._open = self._open, set()
        for each in doomed:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
                server = socket.create_connection(self._target)
            except OSError:
                if self._door.fileno() < 0:
                    return
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        """Both ways, until one ends; then both are closed: a socket that nobody reads would hold its sender."""
        back = threading.Thread(target=self._pass, args=(server, client), kwargs={"of_client": False}, daemon=True)
        back.start()
        self._pass(client, server, of_client=True)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pass(self, source: socket.socket, target: socket.socket, *, of_client: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(64 * 1024):
                if of_client:
                    self._count(piece)
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _count(self, piece: bytes) -> None:
        with self._lock:
            self.sent += len(piece)
            self.parts.update(int(number) for number in PART.findall(piece))
            due = bool(self._cuts) and self.sent >= self._cuts[0]
            if due:
                self._cuts.pop(0)
        if due:
            self.cut()
        if self._hold_at is not None and self.sent >= self._hold_at:
            self.held.set()
            self._free.wait(60)

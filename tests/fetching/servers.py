"""Servers of files, honest ones and others: a socket, a thread for each connection, and a function that says what is sent back."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import suppress
from itertools import repeat

END = b"\r\n\r\n"
STEP = 0.02  # seconds between the bytes of a slow server
PATIENCE = 20.0  # seconds after which a server ends what no client has ended


class Server:
    """Listens on `address`. `answer(wire, head, ended)` is called with each request's head; bytes that it returns are sent.

    Without `reads` it answers as soon as somebody connects; `late`: so many seconds after that it begins to speak. `heads`: the heads of the requests that came; `connections`: how many were made, with or without a request.
    """

    def __init__(self, answer, address="127.0.0.1", tls=None, *, reads=True, late=0.0):
        self.answer, self.tls, self.reads, self.late = answer, tls, reads, late
        self.heads, self.connections = [], 0
        self.ended = threading.Event()
        self.listening = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.address, self.port = address, self.listening.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def url(self, target="/file", host=None):
        host = host or (f"[{self.address}]" if ":" in self.address else self.address)
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{target}"

    def close(self):
        self.ended.set()
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _accept(self):
        while True:
            try:
                wire, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(wire,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, plain):
        wire = plain
        with suppress(OSError):  # a client that went, in the middle of a handshake or of an answer
            wire.settimeout(PATIENCE)
            self.ended.wait(self.late)
            wire = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            head = _head(wire) if self.reads else b""
            self.heads.append(head)
            sent = self.answer(wire, head, self.ended)
            if sent is not None:
                wire.sendall(sent)
                _close_properly(wire)
        wire.close()


def _head(wire):
    head = b""
    while END not in head and (some := wire.recv(4096)):
        head += some
    return head


def _close_properly(wire):
    """Say that this was all, with TLS's own word where there is TLS, and wait until the other side has heard it."""
    if isinstance(wire, ssl.SSLSocket):
        wire.unwrap()
    else:
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(4096):
            pass


# ---------------------------------------------------------------- what is sent


def ok(body=b"", *fields, framed=True):
    """A whole answer; `framed`: with its length."""
    lines = ["HTTP/1.1 200 OK", *fields, *([f"Content-Length: {len(body)}"] if framed else [])]
    return "\r\n".join(lines).encode() + END + body


def chunked(body, size):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def moved(location, status=302):
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0".encode() + END


def always(sent):

    def answer(wire, head, ended):
        return sent

    return answer


def by_path(**answers):
    """The answer by the path without its slash."""

    def answer(wire, head, ended):
        return answers[head.split()[1].decode().lstrip("/")]

    return answer


def slowly(sent, start=0):
    """The first `start` bytes at once, the rest a byte at a time."""

    def answer(wire, head, ended):
        wire.sendall(sent[:start])
        for byte in sent[start:]:
            ended.wait(STEP)
            wire.sendall(bytes((byte,)))
        _close_properly(wire)

    return answer


def silent(sent=b""):
    """Some bytes, then nothing, and no end."""

    def answer(wire, head, ended):
        wire.sendall(sent)
        ended.wait(PATIENCE)

    return answer


def endless(begin, piece):
    """Without an end of its own."""

    def answer(wire, head, ended):
        wire.sendall(begin)
        for more in repeat(piece):
            if ended.is_set():
                return
            wire.sendall(more)

    return answer


def torn(sent):
    """Some bytes, then a reset."""

    def answer(wire, head, ended):
        wire.sendall(sent)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()

    return answer


def ragged(sent):
    """Some bytes, then the end of TCP without TLS's own."""

    def answer(wire, head, ended):
        wire.sendall(sent)
        wire.shutdown(socket.SHUT_RDWR)

    return answer

"""The connection: to an address that was judged, and with an end to every wait.

httpcore asks its network backend for a connection and for TLS over it. This one resolves a name once, has every address judged, and connects to those
addresses themselves, so that no second answer of a name server (DNS rebinding) can lead elsewhere. The certificate is verified for the name.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import httpcore

from app.fetching.addresses import Address, Guard, family
from app.fetching.refusals import BROKEN, SLOW, UNKNOWN, UNREACHABLE, UNTRUSTED, failed

Resolve = Callable[[str, int], Sequence[str]]  # host, port -> addresses; raises OSError

MOST_ADDRESSES = 4  # tried in the order of the resolver; a name with a hundred dead ones shall not hold a worker


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: for the name, and for each connection; without a byte; for everything together, less than a worker's soft limit."""

    connect: float = 5.0
    silence: float = 10.0
    whole: float = 100.0


class Clock:
    """Runs from the beginning of one fetch to its end, redirects and all."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._end = time.monotonic() + pace.whole

    def at_most(self, seconds: float) -> float:
        """How long a wait may take that shall not take longer than `seconds`. Raises FETCH_FAILED when no time is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise failed(SLOW)
        return min(seconds, left)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine knows it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)]


class Wire(httpcore.NetworkBackend):
    """Makes the connections of one fetch."""

    def __init__(self, guard: Guard, resolver: Resolve, clock: Clock) -> None:
        self._guard, self._resolver, self._clock = guard, resolver, clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # httpcore's; ours are the clock's
        local_address: str | None = None,  # noqa: ARG002  # httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  # httpcore's
    ) -> httpcore.NetworkStream:
        """See httpcore. Raises FETCH_REFUSED when any address of the host may not be spoken to, FETCH_FAILED when none answers."""
        return Stream(self._dial(self._judged(host, port), port), self._clock)

    def _judged(self, host: str, port: int) -> list[Address]:
        found = list(dict.fromkeys(map(self._guard.judge, _literal(host) or self._resolved(host, port))))
        if not found:
            raise failed(UNKNOWN)
        return found[:MOST_ADDRESSES]

    def _resolved(self, host: str, port: int) -> Sequence[str]:
        """None for a name that is not known, or not in time: the system's resolver has no limit. A thread left behind ends when that gives up."""
        answers: SimpleQueue[Sequence[str]] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolver(host, port))
            except OSError:
                answers.put(())

        Thread(target=ask, name="resolver", daemon=True).start()
        try:
            return answers.get(timeout=self._clock.at_most(self._clock.pace.connect))
        except Empty:
            return ()

    def _dial(self, addresses: list[Address], port: int) -> socket.socket:
        why: OSError | None = None
        for address in addresses:
            made = socket.socket(family(address), socket.SOCK_STREAM)
            try:
                made.settimeout(self._clock.at_most(self._clock.pace.connect))
                made.connect((str(address), port))
            except OSError as error:
                made.close()
                why = error
            else:
                return made
        raise failed(UNREACHABLE) from why


def _literal(host: str) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        return []


class Stream(httpcore.NetworkStream):
    """One connection. Every wait of it is the clock's, whatever httpcore would allow."""

    def __init__(self, made: socket.socket, clock: Clock) -> None:
        self._socket, self._clock = made, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # httpcore's
        """Some bytes, none at the end. Raises FETCH_FAILED."""
        self._socket.settimeout(self._clock.at_most(self._clock.pace.silence))
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError:
            raise failed(SLOW) from None
        except OSError as error:
            raise failed(BROKEN) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # httpcore's
        """Send all of it. Raises httpcore.WriteError, after which httpcore still looks for an answer."""
        if not buffer:
            return  # a connection that was reset says so once: to whoever reads, please
        self._socket.settimeout(self._clock.at_most(self._clock.pace.silence))
        try:
            self._socket.sendall(buffer)
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Let go."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # httpcore's
    ) -> httpcore.NetworkStream:
        """TLS over this connection. An end without TLS's own closing is a fault, not an end (RFC 9112 9.8). Raises FETCH_FAILED."""
        try:
            self._socket.settimeout(self._clock.at_most(self._clock.pace.silence))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname, suppress_ragged_eofs=False)
        except OSError as error:
            self.close()
            raise failed(UNTRUSTED) from error
        return Stream(wrapped, self._clock)

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002  # httpcore's
        """Nothing: connections are neither shared nor kept."""
        return None

"""Who waits hears: one subscription and one thread a process, shared by all who wait.

There is one channel for all operations. A wait then costs no command at all, and after a broken connection one SUBSCRIBE restores everything;
a channel an operation would cost two commands and a hand-over between threads for every wait. What nobody here waits for is one look into a dict.
What was announced while the connection was broken is not known, so a new subscription wakes everybody.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from app.core.errors import RecordsDown
from app.records import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.client import PubSub

    from app.core.refs import Ref
    from app.records.link import Link

log = logging.getLogger(__name__)

LISTEN = 5.0  # seconds, at most, until a subscription stands
IDLE = 2.0  # seconds between looks at whether the ear was closed
AGAIN = 0.1  # seconds after a broken connection, before the next try


class RedisSignals:
    """The port Signals. The ear of a process is made on first use; a child made by fork makes its own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ears: dict[int, _Ear] = {}

    @contextmanager
    def listen(self, ref: Ref) -> Iterator[_Waiter]:
        """Subscribed once it is entered. Raises RecordsDown when no subscription comes about."""
        with self._ear().waiter(keys.member(ref)) as waiter:
            yield waiter

    def close(self) -> None:
        """End the thread of this process."""
        if ear := self._ears.pop(os.getpid(), None):
            ear.closed.set()

    def _ear(self) -> _Ear:
        made = self._ears.get(os.getpid())
        return made if made is not None else self._ears.setdefault(os.getpid(), _Ear(self._link))


class _Waiter:
    """The port Waiter."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether something was announced. Cleared before the caller reads the record, so nothing falls between."""
        told = self._told.wait(seconds)
        self._told.clear()
        return told

    def tell(self) -> None:
        """Something was announced."""
        self._told.set()


class _Ear:
    """The subscription of one process, and who waits behind it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._waiters: defaultdict[str, list[_Waiter]] = defaultdict(list)
        self._thread: threading.Thread | None = None
        self._hearing = threading.Event()
        self.closed = threading.Event()

    @contextmanager
    def waiter(self, name: str) -> Iterator[_Waiter]:
        """Told of everything that is announced under `name` from now on."""
        waiter = _Waiter()
        self._enter(name, waiter)
        try:
            if not self._hearing.wait(LISTEN):
                raise RecordsDown("no subscription")
            waiter.wait(0)  # what came until here, the caller reads anyway
            yield waiter
        finally:
            self._leave(name, waiter)

    def _enter(self, name: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiters[name].append(waiter)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
                self._thread.start()

    def _leave(self, name: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiters[name].remove(waiter)
            if not self._waiters[name]:
                del self._waiters[name]

    def _run(self) -> None:
        while not self.closed.is_set():
            try:
                self._hear()
            except RedisError as error:
                log.warning("subscription lost", extra={"reason": str(error)})
                self.closed.wait(AGAIN)

    def _hear(self) -> None:
        client: Any = self._link.client  # held here, for it closes its pool when it goes
        try:
            with client.pubsub() as channel:
                channel.subscribe(keys.CHANGED)
                while not self.closed.is_set():
                    self._one(channel)
        finally:
            self._hearing.clear()

    def _one(self, channel: PubSub) -> None:
        message = channel.get_message(timeout=IDLE)
        if message is None:
            return
        if message["type"] == "subscribe":
            self._tell(None)
            self._hearing.set()
        elif message["type"] == "message":
            self._tell(message["data"])

    def _tell(self, name: str | None) -> None:
        """Wake who waits for `name`; everybody for None."""
        with self._lock:
            groups = list(self._waiters.values()) if name is None else [self._waiters.get(name, [])]
            for waiter in (waiter for group in groups for waiter in group):
                waiter.tell()

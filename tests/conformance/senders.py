"""Bodies for tests: they keep the port `Body`, and count what was read of them."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator

from app.core.errors import ClientGone

MIB = 1024 * 1024
PATIENCE = 30.0


def content(size: int, seed: int = 1) -> bytes:
    """Bytes that compress and repeat nowhere, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def quiet(_offset: int) -> None:
    """A tick that lets everything pass."""


class Sender:
    """A client that sends `data`, at most `step` bytes at once; `leaves_at`: it closes its connection after so many bytes."""

    def __init__(self, data: bytes, *, told: bool = False, step: int = 256 * 1024, leaves_at: int | None = None) -> None:
        self.length = len(data) if told else None
        self.taken = 0
        self._data, self._step, self._leaves_at = data, step, leaves_at

    def _next(self, limit: int) -> bytes:
        if self._leaves_at is not None and self.taken >= self._leaves_at:
            raise ClientGone
        end = min(self.taken + min(limit, self._step), len(self._data) if self._leaves_at is None else self._leaves_at)
        chunk = self._data[self.taken : end]
        self.taken += len(chunk)
        return chunk

    def into(self, fd: int, offset: int, limit: int) -> int:
        chunk = self._next(limit)
        return os.pwrite(fd, chunk, offset) if chunk else 0

    def chunks(self, limit: int) -> Iterator[bytes]:
        while limit and (chunk := self._next(limit)):
            limit -= len(chunk)
            yield chunk


class Paused(Sender):
    """Sends its first step, says so (`begun`), and the rest after `go`."""

    def __init__(self, data: bytes, step: int = 1) -> None:
        super().__init__(data, step=step)
        self.begun, self.go = threading.Event(), threading.Event()

    def _next(self, limit: int) -> bytes:
        if self.taken:
            self.begun.set()
            assert self.go.wait(PATIENCE)
            self._step = MIB
        return super()._next(limit)


class Beside:
    """A call in a thread of its own; its result, or what it raised, on leaving."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.result: object = None
        self.error: BaseException | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001  # handed to who waits
            self.error = error

    def wait(self) -> object:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result

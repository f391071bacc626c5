"""The port Meter: numbers in mapped files of this process' slot, where whoever is scraped finds them.

A number is taken down in about two microseconds: it is kept in memory and copied into a mapped page, and no system call is made. So it is there
after a SIGKILL. The files have one size, which is set aside before they are mapped: a full memory disk cannot kill a process that counts.
"""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.utils import floatToGoString

from app.metrics import slots
from app.metrics.catalogue import BY_WHAT, FAMILIES, Family, Type

log = logging.getLogger(__name__)

SIZES = {
    Type.COUNTER: 128 * 1024,
    Type.HISTOGRAM: 384 * 1024,
    Type.LIVE: 16 * 1024,
}  # bytes of a file: several times what all dialects need
ROW = 48  # bytes of a row beyond its key: length, padding, value, time
Labels = tuple[str, ...]


class _File:
    """A mapped dictionary that never grows."""

    def __init__(self, path: Path, size: int) -> None:
        with path.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        self._values: Any = MmapedDict(str(path))
        self._known = {str(key) for key, *_ in self._values.read_all_values()}
        self._left = size - sum(len(key.encode()) + ROW for key in self._known)

    def cell(self, key: str) -> _Cell:
        """The cell of a key, with what it held. Raises OverflowError when there is no room for another."""
        if key not in self._known:
            self._left -= len(key.encode()) + ROW
            if self._left < 0:
                raise OverflowError(key)
            self._known.add(key)
        return _Cell(self._values, key)


class _Cell:
    """One number."""

    __slots__ = ("_file", "_key", "_value")

    def __init__(self, file: Any, key: str) -> None:
        self._file, self._key = file, key
        self._value: float = file.read_value(key)[0]

    def add(self, amount: float) -> None:
        """So much more."""
        self._value += amount
        self._file.write_value(self._key, self._value, 0.0)


class _Series:
    """The cells of one metric with these labels: one, or a histogram's sum and buckets."""

    def __init__(self, file: _File, family: Family, labels: Labels) -> None:
        self._bounds = family.bounds

        def cell(suffix: str, **le: str) -> _Cell:
            names, texts = [*family.labels, *le], [*labels, *le.values()]
            return file.cell(mmap_key(family.root, family.root + suffix, names, texts, ""))

        if family.type is Type.HISTOGRAM:
            self._sum = cell("_sum")
            self._buckets = [cell("_bucket", le=floatToGoString(bound)) for bound in (*family.bounds, float("inf"))]
        else:
            self._sum = cell("_total" if family.type is Type.COUNTER else "")

    def add(self, amount: float) -> None:
        self._sum.add(amount)
        if self._bounds:
            self._buckets[bisect_left(self._bounds, amount)].add(1.0)


class Ledger:
    """The meter of every process that is forked from this one, each in a slot of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._slot: slots.Slot | None = None
        self._failed = False
        self._files: dict[Type, _File] = {}
        self._series: dict[tuple[str, ...], _Series | None] = {}
        os.register_at_fork(after_in_child=self._forked)

    def count(self, what: str, amount: float = 1.0, /, **labels: str) -> None:
        """See the port."""
        self._add(what, amount, labels)

    def observe(self, what: str, value: float, /, **labels: str) -> None:
        """See the port."""
        self._add(what, value, labels)

    def shift(self, what: str, by: float, /, **labels: str) -> None:
        """See the port."""
        self._add(what, by, labels)

    def open(self) -> None:
        """Hold a slot from now on: a parent does, so that not everything begins anew when its last child dies."""
        with self._lock:
            self._opened()

    def _add(self, what: str, amount: float, labels: dict[str, str]) -> None:
        key = (what, *labels.values())
        with self._lock:
            if key not in self._series:
                self._series[key] = self._made(BY_WHAT[what], labels)
            if series := self._series[key]:
                series.add(amount)

    def _made(self, family: Family, labels: dict[str, str]) -> _Series | None:
        """The series, or None where it cannot be kept: counting is no reason to fail a request."""
        if tuple(labels) != family.labels:
            raise TypeError(f"{family.what} has the labels {family.labels}, in this order")
        files = self._opened()
        try:
            return _Series(files[family.type], family, tuple(labels.values())) if files else None
        except OverflowError:
            log.warning("no room for another series of metrics", extra={"metric": family.name})
            return None

    def _opened(self) -> dict[Type, _File]:
        if self._slot is None and not self._failed:
            try:
                slot = self._slot = slots.claim(self.folder)
                self._files = {of: _File(slot.file(of), size) for of, size in SIZES.items()}
            except OSError as error:
                self._failed, self._files = True, {}
                log.warning("this process keeps no metrics", extra={"reason": str(error)})
            for plain in FAMILIES if self._files else ():
                if plain.type is not Type.STATE and not plain.labels:
                    _Series(self._files[plain.type], plain, ())  # 0 from the beginning: what grows from nothing is no growth to Prometheus
        return self._files

    def _forked(self) -> None:
        """In a child: the slot is the parent's, and so may the lock be that was held at that moment."""
        if self._slot:
            self._slot.release()
        self._lock, self._slot, self._failed = threading.Lock(), None, False
        self._files, self._series = {}, {}


@cache
def ledger_in(folder: Path) -> Ledger:
    """The one ledger of this process over a folder."""
    return Ledger(folder)

"""Runs some programs until it is told to stop: prints what they say, starts again what died, ends them in order and in time.

One thread, one loop. honcho prints; it does not supervise here: it would end everything with the first process that dies,
and sends SIGTERM to whole groups.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from types import FrameType

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from app.cli.child import Child, Program

TICK = 0.2  # seconds: how often it looks around when nothing happens
STAGES = (3.5, 8.0, 9.0)  # seconds after the order to stop at which each stage must have ended, or the next is asked all the same …
KILL = 8.0  # … and from here on it is killed
TWICE = 1.0  # seconds: an order so much later than the first means "at once"; make and a terminal may both pass the same one on
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """`add` some programs, then `run`. `poll` is called at every tick until it returns True."""

    def __init__(self, names: list[str]) -> None:
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._printer = Printer(sys.stdout, width=max(map(len, names)))
        self._colours = dict(zip(names, get_colours(), strict=False))
        self._asked: float | None = None
        self._hurry = False

    @property
    def stopping(self) -> bool:
        """Whether the order to stop came."""
        return self._asked is not None

    def stop(self) -> None:
        """Give the order to stop."""
        self._asked = self._asked or time.monotonic()

    def add(self, program: Program) -> None:
        """Start a program, and keep it running."""
        child = Child(program)
        self._children.append(child)
        self._start(child)

    def say(self, text: str, name: str = "up") -> None:
        """Print lines under a name. A reader that went away does not matter."""
        with suppress(BrokenPipeError):
            for line in text.splitlines():
                self._printer.write(Message("line", line, datetime.now().astimezone(), name, self._colours.get(name)))

    # ------------------------------------------------------------ the loop

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Signals are heard, and whatever happens inside, nothing is left running after it."""
        before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # a signal ends the wait at once
        self._selector.register(reader, selectors.EVENT_READ, lambda: os.read(reader, 4096))
        try:
            yield
        finally:
            self._end()
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, poll: Callable[[], bool]) -> None:
        """Until the order to stop comes."""
        pending = True
        while not self.stopping:
            if pending and poll():
                pending = False
            self._turn()
            self._revive()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Whether `until` became true in time; false also when the order to stop came."""
        deadline = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < deadline:
            if until():
                return True
            self._turn(0.02)
        return False

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry = self._asked is not None and time.monotonic() - self._asked > TWICE
        self.stop()

    def _turn(self, seconds: float = TICK) -> None:
        """Print what came, and bury who died."""
        for key, _ in self._selector.select(seconds):
            key.data()
        for child in self._children:
            status = child.ended()
            if status is not None:
                self._bury(child, status)

    # ------------------------------------------------------------ children

    def _start(self, child: Child) -> None:
        child.start()
        self._selector.register(child.output, selectors.EVENT_READ, lambda: self._print(child))

    def _print(self, child: Child, *, ended: bool = False) -> None:
        for line in child.lines(ended=ended):
            self.say(line, child.program.name)
        if child.silent and child.output in self._selector.get_map():
            self._selector.unregister(child.output)

    def _bury(self, child: Child, status: int) -> None:
        self._print(child, ended=True)
        if not child.silent:
            self._selector.unregister(child.output)
        child.forget()
        if not self.stopping:
            self.say(f"{child.program.name} ended with status {status}; it is started again in {child.due - time.monotonic():.1f} s")

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and child.due <= now and not self.stopping:
                self._start(child)

    # ------------------------------------------------------------ the end

    def _end(self) -> None:
        """Stage by stage; who is late does not hold the others up. Over in less than ten seconds."""
        self.stop()
        began = time.monotonic()
        for stage, until in enumerate(STAGES):
            for child in self._living():
                if child.program.stage == stage:
                    child.ask()
            self._await(stage, began + until)
            if until >= KILL:
                self._kill(stage)
        while self._living():
            self._turn(0.01)

    def _await(self, stage: int, deadline: float) -> None:
        """Until all of this stage and the ones before have ended, or the time is up."""
        while self._living(stage) and time.monotonic() < deadline and not self._hurry:
            self._turn(0.05)

    def _kill(self, stage: int) -> None:
        for child in self._living(stage):
            self.say(f"{child.program.name} is killed: it did not end in time")
            child.kill()

    def _living(self, stage: int = len(STAGES)) -> list[Child]:
        return [child for child in self._children if child.process is not None and child.program.stage <= stage]

"""One process under supervision: a session of its own, so that its leader can be asked to end and its descendants be found."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
PAUSE_FIRST, PAUSE_MOST = 0.5, 30.0  # seconds before a process that died is started again: doubling
HEALTHY = 30.0  # a process that lived this long begins again at PAUSE_FIRST
LONGEST_LINE = 64 * 1024  # bytes held back while a line has no end
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """What is to run: a shell's command line. `stage` orders the end: 0 ends first. `fds` are handed over open."""

    name: str
    command: str
    env: Mapping[str, str]
    cwd: Path
    stage: int = 0
    fds: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A program, its process of the moment, and when it is to be started again."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    silent: bool = False  # it closed its output
    _began: float = 0.0
    _pause: float = PAUSE_FIRST
    _rest: bytearray = field(default_factory=bytearray)

    def start(self) -> None:
        """Start the process: leader of a new session, killed when this process dies."""
        parent = os.getpid()
        self.silent = False
        self._began = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S602 - a line of a Procfile is a shell's command line, written by the operator
            f"exec {self.program.command}",
            shell=True,
            cwd=self.program.cwd,
            env=dict(self.program.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.program.fds,
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - the supervisor has one thread
        )
        os.set_blocking(self.output, False)

    @property
    def output(self) -> int:
        """The file descriptor from which its output is read."""
        if self.process is None or self.process.stdout is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return self.process.stdout.fileno()

    def lines(self, *, ended: bool = False) -> list[str]:
        """The lines that came since the last call; at the end also one that has no end."""
        with suppress(BlockingIOError):
            while piece := os.read(self.output, 65536):
                self._rest += piece
            self.silent = True
        whole, last = self._rest.rpartition(b"\n")[::2]
        if ended or len(last) > LONGEST_LINE:
            whole, last = self._rest, bytearray()
        self._rest = bytearray(last)
        return whole.decode(errors="replace").splitlines()

    def ended(self) -> int | None:
        """The leader's exit status once it has ended, negative for a signal. What it left in its session is killed before it is forgotten."""
        if self.process is None or not os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        self.kill()
        return self.process.wait()

    def forget(self) -> None:
        """After the end: give back the pipe, and say when it is due again."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        now = time.monotonic()
        if now - self._began > HEALTHY:
            self._pause = PAUSE_FIRST
        self.due = now + self._pause
        self._pause = min(2 * self._pause, PAUSE_MOST)

    def ask(self) -> None:
        """SIGTERM to the leader alone: prefork children have that signal at its default and would die in the middle of a task."""
        self._signal(os.kill, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to all of its session."""
        self._signal(os.killpg, signal.SIGKILL)

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                send(self.process.pid, number)


def _die_with(parent: int) -> None:
    """In the new process: whoever kills the supervisor with -9 takes this one along."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

"""What a person sees while files go out: a bar for each, and one for all; nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

LONGEST = 40  # characters of a name


class Board(Protocol):
    """Told by many threads how far each file is."""

    def begin(self, name: str, size: int | None) -> int:
        """A file begins; its number."""

    def tick(self, number: int, size: int) -> None:
        """So many bytes more of it, or fewer when they went in vain."""

    def stage(self, number: int, word: str) -> None:
        """What is done with it."""

    def end(self, number: int) -> None:
        """It is over."""

    def say(self, line: str) -> None:
        """Something that a person should know."""


class Quiet:
    """No bars. What matters still goes to stderr, unless it is `mute`."""

    def __init__(self, *, mute: bool) -> None:
        self._mute = mute

    def begin(self, name: str, size: int | None) -> int:  # noqa: ARG002 - the protocol's
        """Nothing to see."""
        return 0

    def tick(self, number: int, size: int) -> None:
        """Nothing to see."""

    def stage(self, number: int, word: str) -> None:
        """Nothing to see."""

    def end(self, number: int) -> None:
        """Nothing to see."""

    def say(self, line: str) -> None:
        """A line on stderr."""
        if not self._mute:
            click.echo(line, err=True)


class Bars:
    """A bar for each file under way, and one for all."""

    def __init__(self, progress: Progress, total: int | None) -> None:
        self._progress = progress
        self._all = progress.add_task("[bold]all files", total=total, stage="")

    def begin(self, name: str, size: int | None) -> int:
        """A bar more."""
        shown = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
        return self._progress.add_task(escape(shown), total=size, stage="")

    def tick(self, number: int, size: int) -> None:
        """It grows, or shrinks."""
        self._progress.advance(TaskID(number), size)
        self._progress.advance(self._all, size)

    def stage(self, number: int, word: str) -> None:
        """A word beside it."""
        self._progress.update(TaskID(number), stage=word)

    def end(self, number: int) -> None:
        """A bar less."""
        self._progress.remove_task(TaskID(number))

    def say(self, line: str) -> None:
        """A line above the bars."""
        self._progress.console.print(escape(line))


@contextmanager
def board(total: int | None, *, quiet: bool) -> Iterator[Board]:
    """Bars on a terminal; without one, or for the `quiet`, none. `total`: bytes of all files, where they are known."""
    if quiet or not sys.stderr.isatty():
        yield Quiet(mute=quiet)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty(), transient=True) as progress:
        yield Bars(progress, total)

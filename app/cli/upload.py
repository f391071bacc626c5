"""`slipway upload`: files to any Slipway, and what came of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from app.cli import progress, results
from app.cli.notes import Notes
from app.cli.patience import GivenUp, Patience, Stopped
from app.cli.progress import Board
from app.cli.remote import Json, Refused, Remote, final, somebody, speaking
from app.cli.results import Result
from app.cli.sending import Sender
from app.cli.sources import Changed, Source, opened

PIPE = "-"
POLL = 1.0  # seconds between looks, where the server does not say
INTERRUPTED = 130  # the exit status of what SIGINT ended


@dataclass(frozen=True, slots=True)
class Uploading:
    """One run: how files are sent, and how long their results are waited for (seconds; 0: not at all)."""

    remote: Remote
    sender: Sender
    board: Board
    patience: float

    def file(self, path: Path) -> Result:
        """A file from the disk to its result."""
        name = str(path)
        try:
            with opened(path, self.remote.patience) as source:
                number = self.board.begin(path.name, source.size)
                try:
                    return self._sent(source, name, number)
                finally:
                    self.board.end(number)
        except Refused as refusal:
            return results.refused(name, refusal)
        except GivenUp as fault:
            return results.failed(name, results.NETWORK, str(fault))
        except Changed as fault:
            return results.failed(name, results.LOCAL, str(fault))
        except Stopped:
            return results.failed(name, results.STOPPED, "Interrupted.")

    def _sent(self, source: Source, name: str, number: int) -> Result:
        """What is known for good is noted no more, also that it is gone again: the next run then begins anew."""
        operation = self.sender.send(source, number)
        try:
            result = self._result(name, operation, number)
        except Refused:
            self.sender.settled(source)
            raise
        self.sender.settled(source)
        return result

    def pipe(self, filename: str) -> Result:
        """What comes through standard input, to its result."""
        number = self.board.begin(filename, None)
        try:
            return self._result(PIPE, self.sender.stream(filename, number), number)
        except Refused as refusal:
            return results.refused(PIPE, refusal)
        except (GivenUp, Changed) as fault:
            return results.failed(PIPE, results.NETWORK, str(fault))
        finally:
            self.board.end(number)

    def _result(self, name: str, operation: str, number: int) -> Result:
        """What came of it, waited for. A result that takes longer than was asked for is pending."""
        self.board.stage(number, "processing")
        shown = settled(self.remote, operation, self.patience) if self.patience else {}
        if not shown or not final(shown):
            return Result(name, "pending", operation)
        if problem := shown.get("problem"):
            return Result(name, shown["status"], operation, problem=(str(problem.get("code")), str(problem.get("detail"))))
        if shown["status"] != "completed":
            return Result(name, shown["status"], operation, problem=(shown["status"], f"The upload was {shown['status']}."))
        path = self.remote.path(shown["resourceUrl"])
        facts = self.remote.ask("GET", path).document
        return Result(name, "completed", operation, str(facts.get("id")), shown["resourceUrl"], facts)


def settled(remote: Remote, operation: str, patience: float) -> Json:
    """An operation once it is final, or as it stands when patience, in seconds, ran out."""
    deadline = time.monotonic() + patience
    while True:
        left = deadline - time.monotonic()
        asked = time.monotonic()
        shown = remote.operation(operation, max(left, 0.0))
        if final(shown) or left <= 0:
            return shown
        if time.monotonic() - asked < POLL:  # it was not waited for there: so many others wait
            remote.patience.rest(min(max(POLL, shown["after"]), max(left, 0.0)))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@speaking
@click.option("--recursive", "-r", is_flag=True, help="Also what lies in folders.")
@click.option("--filename", help="The name of what comes through standard input (`-`).")
@click.option("--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Requests with bytes at a time.")
@click.option("--digest/--no-digest", default=True, show_default=True, help="Send the sha-256, so that the server verifies the bytes.")
@click.option("--resume/--no-resume", default=True, show_default=True, help="Go on with an upload of the same file that was cut off.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the result.")
@click.option("--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, help="Seconds to wait for a result.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, one a line; see docs/cli.md.")
@click.option("--quiet", "-q", is_flag=True, help="No bars, no remarks.")
def upload(
    files: tuple[Path, ...],
    url: str | None,
    key: str | None,
    recursive: bool,  # noqa: FBT001 - as above, and so are the others
    filename: str | None,
    parallel: int,
    digest: bool,  # noqa: FBT001 - as above
    resume: bool,  # noqa: FBT001 - as above
    wait: bool,  # noqa: FBT001 - as above
    timeout: float,
    as_json: bool,  # noqa: FBT001 - as above
    quiet: bool,  # noqa: FBT001 - as above
) -> None:
    """Upload files, and say what came of them.

    Exit status: 0 when all went well, 1 when a file did not, 2 when the command makes no sense. What was cut off, by Ctrl-C or by a network
    that stays away, is gone on with by the same command.
    """
    paths = listed(files, recursive=recursive)
    if (PIPE in map(str, paths)) != (filename is not None) or (filename is not None and len(paths) > 1):
        raise click.UsageError("`-` stands for one file, alone, and needs a name: `slipway upload - --filename photo.jpg`.")
    where, who = somebody(url, key)
    total = None if filename is not None else sum(size_of(path) for path in paths)
    notes = Notes(keep=resume)
    notes.tidy()
    with progress.board(total, quiet=quiet or as_json) as board:
        remote = Remote(where, who, Patience(board.say), connections=2 * parallel)
        sender = Sender(remote, notes, board, parallel=parallel, digests=digest)
        run = Uploading(remote, sender, board, timeout if wait else 0.0)
        bad = 0
        for result in [run.pipe(filename)] if filename is not None else each(run, paths, parallel):
            bad += not result.good
            show(result, as_json=as_json)
    sys.exit(1 if bad else 0)


def each(run: Uploading, paths: list[Path], parallel: int) -> Iterator[Result]:
    """The results, in the order of the files. Ctrl-C ends the process: what was noted is enough to go on."""
    pool = ThreadPoolExecutor(parallel)
    under_way: list[Future[Result]] = [pool.submit(run.file, path) for path in paths]
    try:
        for future in under_way:
            yield future.result()
    except KeyboardInterrupt:
        run.remote.patience.stop.set()
        run.board.say("Interrupted. What was sent is kept for a while: the same command goes on with it.")
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # threads may still wait for an answer, which nobody wants any more
    pool.shutdown()


def show(result: Result, *, as_json: bool) -> None:
    """On stdout; for people, what went wrong on stderr."""
    click.echo(result.document() if as_json else result.line(), err=not (as_json or result.good))


def listed(files: tuple[Path, ...], *, recursive: bool) -> list[Path]:
    """The files meant, each once, those of folders in order. Raises click.UsageError for a folder that is not asked for."""
    found: dict[Path, None] = {}
    for path in files:
        if not path.is_dir() or str(path) == PIPE:
            found[path] = None
        elif recursive:
            found |= dict.fromkeys(sorted(inside for inside in path.rglob("*") if inside.is_file()))
        else:
            raise click.UsageError(f"{path} is a folder: --recursive uploads what lies in it.")
    return list(found)


def size_of(path: Path) -> int:
    """In bytes, for the bar; what cannot be read is told later."""
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""The supervisor over toys: who is asked first, who is killed, what is left."""

import json
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.house.source import ROOT
from tests.services.up import eventually

STAGES = (1.5, 3.0, 4.0)


class Toys:
    def __init__(self, folder, *programs):
        self.folder = folder
        command = [sys.executable, "-m", "tests.cli.toy", json.dumps(programs), json.dumps(STAGES)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def wrote(self, name):
        file = self.folder / name
        return file.read_text().split() if file.exists() else []

    def end(self, number=signal.SIGTERM):
        """Seconds until it was gone, and what it printed."""
        began = time.monotonic()
        self.process.send_signal(number)
        said = self.process.communicate(timeout=20)[0]
        return time.monotonic() - began, said


@pytest.fixture
def toys(tmp_path):
    made = []

    def start(*programs):
        made.append(Toys(tmp_path, *programs))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()


def polite(folder, name):
    """Says when it began and when it was asked to end, in the order in which that happened."""
    return f"sh -c 'trap \"echo {name} >> {folder}/ends; exit 0\" TERM; echo {name} >> {folder}/starts; while :; do sleep 0.05; done'"


def stubborn(folder, name):
    return f"sh -c 'trap \"\" TERM; echo {name} >> {folder}/starts; while :; do sleep 0.05; done'"


def orphan(folder):
    """Dies at once, and leaves a process in its session."""
    return f"sh -c 'sleep 600 & echo $! >> {folder}/orphans; exit 3'"


def test_stages_end_one_after_the_other(toys, tmp_path):
    run = toys(*((name, polite(tmp_path, name), stage) for name, stage in (("redis", 2), ("worker", 1), ("web", 0))))
    eventually(lambda: len(run.wrote("starts")) == 3)
    took, _ = run.end()
    assert run.wrote("ends") == ["web", "worker", "redis"]
    assert took < STAGES[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_who_does_not_listen_is_killed_and_holds_nobody_up_for_long(toys, tmp_path, number):
    run = toys(("web", stubborn(tmp_path, "web"), 0), ("worker", polite(tmp_path, "worker"), 1), ("redis", polite(tmp_path, "redis"), 2))
    eventually(lambda: len(run.wrote("starts")) == 3)
    everybody = psutil.Process(run.process.pid).children(recursive=True)
    took, said = run.end(number)
    assert run.wrote("ends") == ["worker", "redis"]
    assert "web is killed" in said
    assert STAGES[0] < took < STAGES[-1] + 1
    assert not psutil.wait_procs(everybody, timeout=2)[1]


def test_what_a_dead_leader_left_is_killed_before_it_is_started_again(toys, tmp_path):
    run = toys(("web", orphan(tmp_path), 0))
    eventually(lambda: len(run.wrote("orphans")) >= 2)
    first, *_ = map(int, run.wrote("orphans"))
    eventually(lambda: not psutil.pid_exists(first) or psutil.Process(first).status() == psutil.STATUS_ZOMBIE, what="the end of the orphan")
    assert "ended with status 3; it is started again in" in run.end()[1]


def test_the_pause_before_a_new_start_grows(toys):
    run = toys(("web", "sh -c 'exit 1'", 0))
    pauses = []
    while len(pauses) < 3:
        line = run.process.stdout.readline()
        pauses += [float(found[1]) for found in [re.search(r"started again in ([\d.]+) s", line)] if found]
    assert pauses == [0.5, 1.0, 2.0]


def test_children_alone_are_not_asked_to_end(toys, tmp_path):
    """SIGTERM goes to the leader; a child with the signal at its default would die of it."""
    child = f'trap "echo child >> {tmp_path}/asked" TERM; echo ready >> {tmp_path}/starts; while :; do sleep 0.05; done'
    leader = (
        f"sh -c 'trap \"echo leader >> {tmp_path}/asked; sleep 0.5; exit 0\" TERM; (sh {tmp_path}/child &) ; while :; do sleep 0.05; done'"
    )
    (tmp_path / "child").write_text(child)
    run = toys(("worker", leader, 1))
    eventually(lambda: run.wrote("starts"))
    run.end()
    assert run.wrote("asked") == ["leader"]


def test_lines_are_printed_under_their_names(toys, tmp_path):
    run = toys(
        ("web", f"sh -c 'echo one; printf two; echo x >> {tmp_path}/done; exec sleep 600'", 0),
        ("keeper", f"sh -c 'echo three; echo x >> {tmp_path}/done; exec sleep 600'", 0),
    )
    eventually(lambda: len(run.wrote("done")) == 2)
    _, said = run.end()
    printed = {line.partition(" ")[2].strip() for line in said.splitlines()}
    assert {"web    | one", "web    | two", "keeper | three"} <= printed


def test_a_program_that_closes_its_output_costs_no_time(toys, tmp_path):
    run = toys(("web", f"sh -c 'exec >&- 2>&-; echo x > {tmp_path}/done; exec sleep 600'", 0))
    eventually(lambda: run.wrote("done"))
    process = psutil.Process(run.process.pid)
    used, began = sum(process.cpu_times()[:2]), time.monotonic()
    eventually(lambda: time.monotonic() - began > 1.5)
    assert sum(process.cpu_times()[:2]) - used < 0.5
    run.end()

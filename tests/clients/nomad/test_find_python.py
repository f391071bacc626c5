"""Which Python the Nomad client gets: one that runs, not one that is merely called so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

FIND = Path(__file__).with_name("find-python")
NEW, OLD = "exit 0", "exit 1"  # what the question after the version answers
SHIM = "echo 'pyenv: python3.12: command not found' >&2; exit 127"


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def found(tmp_path: Path, on_path: dict[str, str], in_pyenv: dict[str, str]) -> tuple[int, str]:
    """Exit status and what it printed, where PATH and pyenv hold these programs and nothing else."""
    for name, body in on_path.items():
        program(tmp_path / "path" / name, body)
    for version, body in in_pyenv.items():
        program(tmp_path / "pyenv" / "versions" / version / "bin" / "python3", body)
    env = os.environ | {"PATH": str(tmp_path / "path"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    done = subprocess.run(["/bin/sh", FIND], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip().replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("on_path", "in_pyenv", "answer"),
    [
        ({"python3.12": NEW, "python3.13": NEW}, {}, (0, "/path/python3.12")),
        ({"python3.12": SHIM, "python3.13": NEW}, {}, (0, "/path/python3.13")),
        ({"python3": NEW}, {"3.12.1": NEW}, (0, "/path/python3")),
        ({"python3.12": SHIM, "python3": OLD}, {"3.11.7": OLD, "3.12.1": NEW, "3.13.0": NEW}, (0, "/pyenv/versions/3.12.1/bin/python3")),
        ({"python3.12": SHIM, "python3": OLD}, {"3.11.7": OLD}, (1, "")),
        ({}, {}, (1, "")),
    ],
)
def test_each_candidate_is_run(tmp_path, on_path, in_pyenv, answer):
    assert found(tmp_path, on_path, in_pyenv) == answer

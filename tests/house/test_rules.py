"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT, modules

TOP_LEVEL = {
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "Procfile",
    "constraints.txt",
    "app",
    "workers",
    "tests",
    "deploy",
    "docs",
}
EMPTY_WORDS = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
KEY_MAKERS = {"app/core/keys.py", "app/core/refs.py", "app/records/keys.py"}
KEYS = re.compile(r"^(up|pt|op|as|bl|dg|fo|doc|al|gone|idem|tok|key|lock|pulse|ix):|^(blobs|staged|manifests)/")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listing.stdout.splitlines() if (ROOT / name).exists()]


def test_the_top_level_stays_short():
    assert {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")} <= TOP_LEVEL


def test_the_layers_hold():
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_settings_alone_read_the_environment():
    readers = {"environ", "environb", "getenv", "getenvb", "putenv"}
    found = [
        str(path)
        for path, _, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in readers and ast.unparse(node.value) == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and readers & {name.name for name in node.names})
    ]
    assert set(found) == {"app/settings/environment.py"}


def test_keys_are_made_where_keys_are_made():
    """No f-string outside the keys' modules begins as a key of Redis or of the store does."""
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path, _, tree in modules()
        if str(path) not in KEY_MAKERS
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant) and KEYS.match(str(node.values[0].value))
    ]
    assert not found


def test_every_room_opens_with_its_law():
    """What lives here, what it may know, what it must never do: a few lines, not a word."""
    laws = {path: ast.get_docstring(tree) or "" for path, _, tree in modules() if path.name == "__init__.py"}
    assert not [str(path) for path, law in laws.items() if len(law) < 60]


def test_every_module_says_what_it_is():
    assert not [str(path) for path, _, tree in modules() if not ast.get_docstring(tree)]


def test_an_exception_to_a_rule_gives_its_reason():
    """`# noqa: X001 - reason`, `# type: ignore[code] # reason`; never a whole file."""
    reasoned = re.compile(r"(# noqa: [A-Z0-9, ]+( - | +# )\S|# type: ignore\[[\w, -]+\] +# \S)")
    excused = [
        f"{path}:{number} {line.strip()}"
        for path, text, _ in modules()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"# *(noqa|type: *ignore|ruff:|mypy:)", line) and not reasoned.search(line)
    ]
    assert not excused


def test_no_module_has_an_empty_name():
    assert not [str(path) for path, _, _ in modules() if EMPTY_WORDS & {path.stem, *path.parts}]


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("app", "flask"),
        ("app.wiring", "flask"),
        ("app.core.processing", "flask"),
        ("app.core.reception", "redis"),
        ("workers.celery", "flask"),
        ("workers.celery", "werkzeug"),
        ("app.factory", "workers"),
    ],
)
def test_importing_one_leaves_the_other_out(imported, absent):
    program = f"import sys, {imported}; sys.exit({absent!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or f"{imported} imports {absent}"

"""What every test may use, and the rule of CI: there a skipped test is a failure."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.services.up import shared

settings.register_profile("house", deadline=None, print_blob=True)  # the machine is shared: a slow example is no failure
settings.load_profile("house")


HERE = Path(__file__).parent
SLOW = (  # by their place: real servers and processes, whole doors row by row, and modules of thousands of rows
    "live",
    "clients",
    "workers",
    "conformance",
    "cli/test_supervisor.py",
    "cli/test_upload.py",
    "records/test_machine.py",
    "records/test_servers.py",
    "records/test_faults.py",
    "core/test_chaos.py",
    "core/test_kept.py",
    "dialects/test_",
    "dialects/backoffice",
    "dialects/contentful",
    "dialects/nomad",
    "dialects/squidex",
    "dialects/wdesk",
    "imaging/test_limits.py",
    "imaging/test_renderer",
    "web/test_cors.py",
    "web/test_limits.py",
)


def pytest_collection_modifyitems(items):
    """`make check` leaves out what is slow."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def short_dir():
    """A folder whose path is short enough for unix sockets (107 bytes)."""
    path = Path(tempfile.mkdtemp(prefix="sw-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def up():
    """The `slipway up` of this test process: use it, never break it."""
    return shared()


def _skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if os.environ.get("CI") and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    skipped = _skipped(config)
    if os.environ.get("CI") and skipped:
        terminalreporter.section("skipped, which CI does not allow", red=True, bold=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[-1]}")

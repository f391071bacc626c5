"""The live tests that npm @squidex/squidex 2.0 ships, unmodified, against a real `slipway up`.

Of its asset tests one is left out: it has the server fetch a file from the Internet. test_fetch.py plays it with a server of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.node import found
from tests.clients.squidex.app import options

pytestmark = pytest.mark.live

RUNNER = Path(__file__).with_name("own.mjs")


def test_what_the_package_ships_passes():
    client = options()
    env = {
        "CONFIG__APP__NAME": client["appName"],
        "CONFIG__CLIENT__ID": client["clientId"],
        "CONFIG__CLIENT__SECRET": client["clientSecret"],
        "CONFIG__SERVER__URL": client["url"],
    }
    command = [found(), "--test-reporter=tap", RUNNER, "assets.test.ts", "errors.test.ts"]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^# (pass|fail|skipped) (\d+)$", done.stdout, re.MULTILINE))
    assert counts == {"pass": "3", "fail": "0", "skipped": "1"}, done.stdout

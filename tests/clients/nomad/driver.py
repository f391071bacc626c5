"""Runs calls of the Nomad client for a test, in the client's own Python: a JSON object a line on stdin, its answer a line on stdout.

    {"config": {…}, "threads": 3}            begins with a new client
    {"call": "get_asset", "args": [], "named": {}}
    {"set": {"token": "…"}}                  changes what the client keeps
    -> {"value": …, "log": […]}              and all that it logged as an error: this client seldom raises, and returns None instead
    -> {"error": {"kind", "message"}, "log": […]}

A call whose name begins with _ is one of the functions that the client's methods are made of.
"""

from __future__ import annotations

import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nomad_media_pip.src import nomad_sdk
from nomad_media_pip.src.admin.asset_upload import multi_thread_upload, upload_thread


class Log(logging.Handler):
    """What was logged as an error since it was asked for."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


class Driver:
    """One client at a time."""

    client: Any = None

    def run(self, command: dict[str, Any]) -> Any:
        if "config" in command:
            workers = command["threads"]
            multi_thread_upload.ThreadPoolExecutor = lambda max_workers: ThreadPoolExecutor(min(workers, max_workers))
            self.client = nomad_sdk.Nomad_SDK(command["config"])
            return None
        if "set" in command:
            return vars(self.client).update(command["set"])
        name = command["call"]
        if name.startswith("_"):
            inside = nomad_sdk if hasattr(nomad_sdk, name) else upload_thread
            return getattr(inside, name)(self.client, *command["args"])
        return getattr(self.client, name)(*command["args"], **command["named"])


def main() -> None:
    """Answer until stdin ends."""
    driver, log = Driver(), Log()
    logging.getLogger().addHandler(log)
    for line in sys.stdin:
        try:
            answer = {"value": driver.run(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - whatever the client raises is what the test looks at
            answer = {"error": {"kind": type(error).__name__, "message": str(error)}}
        print(json.dumps(answer | {"log": log.taken()}), flush=True)


main()

"""The port of /metrics: a small server in a thread, for whoever gets the port.

Every process that leads others, or has none, tries. Of those that share a machine one gets the port and answers for all of them, because they
share a folder of slots; when it ends, another takes the port over. In a container there is one, and it has the port for itself.

The parent of a prefork pool forks while this thread runs: it therefore uses nothing that a child uses too (connections of its own, a meter that a
child begins anew, no logging on the way).
"""

from __future__ import annotations

import errno
import gzip
import logging
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import AF_INET6
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from app.metrics import slots
from app.metrics.catalogue import BY_ROOT
from app.metrics.ledger import Ledger
from app.metrics.state import Look, collected

log = logging.getLogger(__name__)

PATH = "/metrics"
RETRY = 2.0  # seconds between two tries to get the port
SILENCE = 10.0  # seconds for a head, and for a reader: nobody keeps a thread


def serve(address: str, port: int, ledger: Ledger, looks: Callable[[], Sequence[Look]]) -> threading.Thread:
    """Serve from a thread, from when the port is free until the process ends. `looks` are made in the thread, when it has the port."""
    ledger.open()
    thread = threading.Thread(target=_run, args=(address, port, ledger.folder, looks), name="metrics", daemon=True)
    thread.start()
    return thread


def _run(address: str, port: int, folder: Path, looks: Callable[[], Sequence[Look]]) -> None:
    pause = threading.Event()
    while True:
        try:
            server = Server((address, port), Exported(folder))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                log.warning("metrics are not served", extra={"address": address, "port": port, "reason": str(error)})
                pause.wait(30 * RETRY)
            pause.wait(RETRY)
        else:
            server.exported.looks = _made(looks)
            server.serve_forever()


def _made(looks: Callable[[], Sequence[Look]]) -> Sequence[Look]:
    """None where they cannot be made, a store that can be written no more: whoever has the port serves what was counted."""
    try:
        return looks()
    except Exception:  # else the port would be held by a thread that ended, and no other process could answer
        log.exception("metrics are served without the state")
        return ()


class Exported:
    """Everything there is to export: what the processes of this machine counted, and the state of the house."""

    def __init__(self, folder: Path, looks: Sequence[Look] = ()) -> None:
        self.folder, self.looks = folder, looks

    def collect(self) -> Iterator[Metric]:
        """As the library asks for it."""
        for metric in MultiProcessCollector.merge(slots.values(self.folder)):
            family = BY_ROOT.get(metric.name)
            if family:  # else of another version of ours
                metric.documentation = family.help
                yield metric
        yield from collected(self.looks)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each scraper."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], exported: Exported) -> None:
        self.exported = exported
        if ":" in address[0]:
            self.address_family = AF_INET6
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """GET /metrics, and nothing else."""

    server: Server
    timeout = SILENCE
    server_version = "slipway"
    sys_version = ""

    def do_GET(self) -> None:
        """The metrics in the form that the scraper prefers."""
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        encode, media_type = choose_encoder(self.headers.get("Accept") or "")
        content = encode(self.server.exported)
        zipped = "gzip" in (self.headers.get("Accept-Encoding") or "")
        content = gzip.compress(content, 1) if zipped else content
        self.send_response(HTTPStatus.OK)
        for name, text in {"Content-Type": media_type, "Content-Length": str(len(content))}.items():
            self.send_header(name, text)
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no news."""

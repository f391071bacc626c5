import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0


class Door:
    """A running door: its port and what it told."""

    def __init__(self, log):
        self.port = None
        self.log = log

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        return closing(sock)

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def wait_for(self, wanted):
        """The first event that is wanted."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for event in self.events():
                if wanted(event):
                    return event
            selectors.DefaultSelector().select(0.02)
        raise AssertionError(f"never told; told {self.events()[-5:]}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def read_answer(stream):
    """One final response from a socket file."""
    status = int(stream.readline().split()[1])
    headers = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    if status == 100:
        return read_answer(stream)
    return Answer(status, headers, stream.read(int(headers["content-length"])))


@contextmanager
def gunicorn(folder, *more):
    """The app of `door.py` behind a gunicorn of its own."""
    found = Door(folder / "events")
    options = ["-k", "gthread", "-w", "1", "--threads", "4", "-b", "127.0.0.1:0", "--keep-alive", "30", "--no-control-socket", *more]
    env = {**os.environ, "DOOR_LOG": str(found.log)}
    command = [sys.executable, "-m", "gunicorn", *options, "tests.web.door:app"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if listening := re.search(r"Listening at: https?://127\.0\.0\.1:(\d+)", line):
                found.port = int(listening[1])
                break
        yield found
    finally:
        process.send_signal(signal.SIGQUIT)
        process.stderr.close()
        process.wait(10)


@pytest.fixture(scope="session")
def door(tmp_path_factory):
    with gunicorn(tmp_path_factory.mktemp("door")) as found:
        yield found


@pytest.fixture
def speak(door):
    """One request on its own connection -> its answer."""

    def speak(head, body=b"", headers=()):
        with door.connect() as sock, sock.makefile("rb") as stream:
            sock.sendall(request_bytes(head, body, headers))
            return read_answer(stream)

    return speak


def request_bytes(head, body=b"", headers=()):
    """A request; its Content-Length unless the headers frame it otherwise."""
    lines = [f"{head} HTTP/1.1", "Host: door", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(data, size=7):
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

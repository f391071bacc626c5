"""What benchmarks of the way in are made of: a client that costs next to nothing, and the cost of the servers that it feeds.

::

    with Cost(server.everybody()) as cost:
        fed = feed(f"{url}/put/{{n}}", size=256 * MIB, count=8, connections=1, headers={"Authorization": "Bearer …"})
    print(fed.rate, cost.per_gib(fed.bytes))

The client is C (`feed.c`, compiled once with `cc`); without a compiler threads of this process send, and the figures are worse for both sides.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

MIB = 1 << 20
GIB = 1 << 30
BLOCK = MIB
MASK = (1 << 64) - 1
HERE = Path(__file__).parent


# ---------------------------------------------------------------- sending


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: its status (0: no answer), the bytes of its body that were sent, how long it took, the Location that it got."""

    status: int
    bytes: int
    seconds: float
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """All requests of one run, in the order of their URLs, and how long they took together."""

    seconds: float
    answers: tuple[Answered, ...]

    @property
    def bytes(self) -> int:
        """What was sent of all bodies."""
        return sum(each.bytes for each in self.answers)

    @property
    def statuses(self) -> list[int]:
        """One for each request."""
        return [each.status for each in self.answers]

    @property
    def rate(self) -> float:
        """MB (10^6 bytes) a second."""
        return self.bytes / 1e6 / self.seconds


def feed(
    url: str | Sequence[str],
    size: int,
    count: int = 1,
    connections: int = 1,
    headers: Mapping[str, str] | None = None,
    method: str = "PUT",
) -> Result:
    """Send `count` bodies of `size` bytes over so many connections at once, each kept while the server keeps it.

    `url`: one for all, `{n}` in it is the request's number from 0, or a list with one for each (`count` is then its length). One host for all.
    """
    urls = [url.replace("{n}", str(n)) for n in range(count)] if isinstance(url, str) else list(url)
    at = urlsplit(urls[0])
    heads = [_head(method, each, size, headers or {}) for each in urls]
    binary = _compiled()
    send = functools.partial(_from_c, binary) if binary else _from_here
    return send(at.hostname or "", at.port or 80, connections, size, heads)


def _head(method: str, url: str, size: int, headers: Mapping[str, str]) -> bytes:
    at = urlsplit(url)
    target = (at.path or "/") + (f"?{at.query}" if at.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {at.netloc}", f"Content-Length: {size}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@functools.cache
def block() -> bytes:
    """The MiB of which every body is made, over and over."""
    x, words = 1, bytearray()
    for _ in range(BLOCK // 8):
        x ^= (x << 13) & MASK
        x ^= x >> 7
        x ^= (x << 17) & MASK
        words += x.to_bytes(8, "little")
    return bytes(words)


def pieces(size: int) -> Iterator[bytes]:
    """A body of `size` bytes, a block at a time."""
    whole, rest = divmod(size, BLOCK)
    yield from (block() for _ in range(whole))
    if rest:
        yield block()[:rest]


@functools.cache
def sha256(size: int) -> str:
    """The digest of a body of `size` bytes, in hex."""
    digest = hashlib.sha256()
    for piece in pieces(size):
        digest.update(piece)
    return digest.hexdigest()


@functools.cache
def _compiled() -> Path | None:
    """The C client; None on a machine without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    binary = Path(tempfile.mkdtemp(prefix="feed-")) / "feed"
    subprocess.run([compiler, "-O2", "-pthread", "-o", binary, HERE / "feed.c"], check=True)
    return binary


def _from_c(binary: Path, host: str, port: int, connections: int, size: int, heads: Sequence[bytes]) -> Result:
    command = [binary, host, str(port), str(connections), str(size)]
    done = subprocess.run(command, input=b"".join(head + b"\0" for head in heads), stdout=subprocess.PIPE, check=True)
    answers, seconds = dict[int, Answered](), 0.0
    for line in done.stdout.decode().splitlines():
        first, *rest = line.split(" ")
        if first == "total":
            seconds = float(rest[0]) / 1e6
        else:
            answers[int(first)] = Answered(int(rest[0]), int(rest[1]), float(rest[2]) / 1e6, rest[3] or None)
    return Result(seconds, tuple(answers[n] for n in range(len(heads))))


def _from_here(host: str, port: int, connections: int, size: int, heads: Sequence[bytes]) -> Result:
    own = threading.local()

    def send(head: bytes) -> Answered:
        kept: http.client.HTTPConnection | None = getattr(own, "kept", None)
        if kept is None:
            kept = own.kept = http.client.HTTPConnection(host, port, timeout=600)
            kept.connect()
        began, sent = time.perf_counter(), 0
        try:
            kept.sock.sendall(head)
            for piece in pieces(size):
                kept.sock.sendall(piece)
                sent += len(piece)
        except OSError:
            pass  # the server closed; what it said before is to be read
        return _answer(own, kept, sent, began)

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        answers = tuple(pool.map(send, heads))
    return Result(time.perf_counter() - began, answers)


def _answer(own: threading.local, kept: http.client.HTTPConnection, sent: int, began: float) -> Answered:
    response = http.client.HTTPResponse(kept.sock, method="PUT")
    try:
        response.begin()
        response.read()
        status, location = response.status, response.getheader("Location")
    except (OSError, http.client.HTTPException):
        status, location = 0, None
    if status == 0 or response.will_close:
        kept.close()
        own.kept = None
    return Answered(status, sent, time.perf_counter() - began, location)


# ---------------------------------------------------------------- what it costs


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one process, between the beginning and the end: seconds of processor, minor page faults, and its resident set in bytes."""

    cpu_seconds: float
    minor_faults: int
    rss_before: int
    rss_peak: int


@dataclass(slots=True)
class Cost:
    """What processes spend while the block runs; one that ends meanwhile counts for nothing. `spent`: by process, after the block.

    The peak is the kernel's own (VmHWM), set back at the beginning, so that nothing has to be sampled.
    """

    processes: Iterable[psutil.Process]
    spent: dict[psutil.Process, Spent] = field(default_factory=dict)
    _began: dict[psutil.Process, tuple[float, int, int]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for process in self.processes:
            _forget_peak(process)
            self._began[process] = (_cpu(process), _faults(process), _memory(process, "VmRSS"))
        return self

    def __exit__(self, *_: object) -> None:
        for process, (cpu, faults, rss) in self._began.items():
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                self.spent[process] = Spent(_cpu(process) - cpu, _faults(process) - faults, rss, _memory(process, "VmHWM"))

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all."""
        return sum(each.cpu_seconds for each in self.spent.values())

    @property
    def minor_faults(self) -> int:
        """Of all."""
        return sum(each.minor_faults for each in self.spent.values())

    @property
    def rss_added(self) -> int:
        """By how many bytes the process that grew most was larger at its peak than before."""
        return max((each.rss_peak - each.rss_before for each in self.spent.values()), default=0)

    @property
    def rss_peak(self) -> int:
        """The largest resident set of one process, in bytes."""
        return max((each.rss_peak for each in self.spent.values()), default=0)

    def per_gib(self, size: int) -> tuple[float, float]:
        """Seconds of processor and minor faults for each GiB of `size` bytes."""
        return self.cpu_seconds * GIB / size, self.minor_faults * GIB / size


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _faults(process: psutil.Process) -> int:
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[7])  # proc(5): minflt, the tenth field


def _memory(process: psutil.Process, name: str) -> int:
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak(process: psutil.Process) -> None:
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")  # proc(5): sets VmHWM back to the present size

"""A Redis with a replica, and three sentinels that promote it: all on free ports of the loopback, in one short folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import redis

from tests.services.redis_server import binary
from tests.services.seaweed import free_ports
from tests.services.up import eventually

MASTER = "main"


class Sentinels:
    """`url_of(db)`: what a room takes. `fail_over`: the master is killed, and the replica is the master when it returns."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sls-", dir="/tmp"))
        *self.servers, one, two, three = free_ports(5)
        self.sentinels = [one, two, three]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def url_of(self, db: int) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"sentinel://{hosts}/{MASTER}?db={db}"

    def __enter__(self) -> Self:
        first, second = self.servers
        self._run(first, "--save", "", "--appendonly", "no")
        self._run(second, "--save", "", "--appendonly", "no", "--replicaof", "127.0.0.1", str(first))
        for port in self.sentinels:
            config = self.folder / f"{port}.conf"
            config.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {self.folder}\nsentinel monitor {MASTER} 127.0.0.1 {first} 2\n"
                f"sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 5000\n"
            )
            self._processes[port] = subprocess.Popen([binary(), config, "--sentinel"], stdout=subprocess.DEVNULL)
        eventually(self._knows_everybody, what="sentinels that know one another and the replica")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def master(self) -> int:
        """The port of the master, as a majority of the sentinels says."""
        said = [self._ask(port, "get-master-addr-by-name") for port in self.sentinels]
        ports = [int(each[1]) for each in said if each]
        return max(set(ports), key=ports.count) if ports else 0

    def fail_over(self) -> None:
        old = self.master
        client = redis.Redis(port=old)
        client.set("before the fall", 1)
        assert client.wait(1, 5000) == 1  # replication is asynchronous: what is not there yet would be lost
        self._processes.pop(old).kill()
        new = next(port for port in self.servers if port != old)
        eventually(lambda: self.master == new and redis.Redis(port=new).role()[0] in {"master", b"master"}, 30, "the failover")

    def _run(self, port: int, *options: str) -> None:
        where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--dbfilename", f"{port}.rdb"]
        self._processes[port] = subprocess.Popen(
            [binary(), *where, *options, "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL
        )

    def _ask(self, port: int, command: str):
        try:
            return redis.Redis(port=port, decode_responses=True, socket_timeout=2).execute_command("SENTINEL", command, MASTER)
        except redis.RedisError:
            return None

    def _knows_everybody(self) -> bool:
        return all(
            len(self._ask(port, "sentinels") or ()) == len(self.sentinels) - 1 and len(self._ask(port, "replicas") or ()) == 1
            for port in self.sentinels
        )

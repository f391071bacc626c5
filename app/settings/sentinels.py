"""A Redis behind Sentinel, as one URL: `sentinel://[user:password@]host[:port],host[:port]…/master[?db=1][&sentinel_password=…]`.

User and password are those of the Redis itself; the sentinels are spoken to without TLS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

SCHEME = "sentinel"
PORT = 26379
WANTED = "sentinel://[user:password@]host[:port],host[:port]/master?db=0"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_URL = re.compile(r"sentinel://(?:([^@/]*)@)?([^@/?]+)/([A-Za-z0-9._-]+)(?:\?(.*))?")


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Where the sentinels are, and what they are asked for: the master of this name; of it the database `db`."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    db: int = 0
    username: str | None = None
    password: str | None = None
    sentinel_password: str | None = None


def parse(url: str) -> Sentinels | None:
    """The sentinels that a URL names; None for a URL of another scheme. Raises ValueError, saying what is wanted."""
    if not url.startswith(f"{SCHEME}://"):
        return None
    found = _URL.fullmatch(url)
    hosts = [_HOST.fullmatch(host) for host in found[2].split(",")] if found else []
    query = dict(parse_qsl(found[4] or "", keep_blank_values=True)) if found else {}
    number = query.pop("db", "0")
    secret = query.pop("sentinel_password", None)
    if not found or query or not re.fullmatch(r"[0-9]{1,4}", number) or not all(hosts):
        raise ValueError(WANTED)
    user, _, password = (found[1] or "").partition(":")
    places = tuple((host[1].strip("[]"), _port(host[2])) for host in hosts if host)
    return Sentinels(places, found[3], int(number), unquote(user) or None, unquote(password) or None, secret)


def _port(text: str | None) -> int:
    port = int(text or PORT)
    if not 0 < port < 1 << 16:
        raise ValueError(WANTED)
    return port

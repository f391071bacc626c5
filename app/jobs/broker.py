"""What both ends of the broker agree on, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from app.core import timing
from app.settings import sentinels

ASKING = 1.0  # seconds for a sentinel to answer; the next one is asked then

TRANSPORT: dict[str, Any] = {
    "visibility_timeout": timing.VISIBILITY,  # longer than the hard limit, or a long task would be handed out twice
    "unacked_restore_interval": 5,  # what a dead worker held comes back within seconds of its time-out …
    "unacked_restore_throttle": 1,  # … and not only at every tenth look
    "socket_timeout": 10.0,  # the default, none, can hang a process for ever
    "socket_connect_timeout": 5.0,
    "socket_keepalive": True,
    "health_check_interval": 25,
}

DOOR: dict[str, Any] = {
    **TRANSPORT,
    "socket_timeout": 3.0,  # a client waits behind this; the lease makes up for a message that was not sent
    "socket_connect_timeout": 3.0,
    "max_retries": 0,  # kombu would try to connect again and again before it says no
}


def address(url: str, transport: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A broker's URL and transport options as kombu wants them.

    Sentinels are a URL each there, and their master is an option. Of `rediss://` kombu checks no certificate unless it is told to.
    """
    behind = sentinels.parse(url)
    if behind is None:
        return _checked(url), dict(transport)
    asking = {"socket_timeout": ASKING, "socket_connect_timeout": ASKING, "password": behind.sentinel_password}
    options = {**transport, "master_name": behind.master, "sentinel_kwargs": asking}
    return ";".join(_sentinel(behind, host, port) for host, port in behind.hosts), options


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in parts.query:
        return url
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, "ssl_cert_reqs=required"]))))


def _sentinel(behind: sentinels.Sentinels, host: str, port: int) -> str:
    user, password = quote(behind.username or "", safe=""), quote(behind.password or "", safe="")
    who = f"{user}:{password}@" if user or password else ""
    return f"sentinel://{who}{f'[{host}]' if ':' in host else host}:{port}/{behind.db}"

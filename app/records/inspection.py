"""What a Redis says of itself."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.exceptions import ResponseError

from app.core.ports.inspection import RedisFacts
from app.records import clock
from app.records.link import Link, connect, faults

SETTINGS = ("appendonly", "appendfsync")


class Inspector:
    """The port RedisInspector over one URL, of records or of a broker."""

    def __init__(self, url: str) -> None:
        self._url = plain(url)

    def look(self) -> RedisFacts:
        """As the port says."""
        link = Link(lambda: connect(self._url))
        try:
            with faults():
                return self._facts(link)
        finally:
            link.close()

    def _facts(self, link: Link) -> RedisFacts:
        told: Mapping[str, Any] = link.client.info("everything")
        before = time.time()
        theirs = clock.read([link.one("TIME")])
        now = (before + time.time()) / 2
        settings = _settings(link)
        return RedisFacts(
            server="Valkey" if "valkey_version" in told else "Redis",
            version=_version(str(told.get("valkey_version") or told.get("redis_version", ""))),
            run_id=str(told.get("run_id", "")),
            db=int(link.client.connection_pool.connection_kwargs.get("db") or 0),
            policy=told.get("maxmemory_policy"),
            limit=int(told.get("maxmemory", 0)),
            used=int(told.get("used_memory", 0)),
            memory=int(told.get("total_system_memory", 0)),
            appends=bool(int(told["aof_enabled"])) if "aof_enabled" in told else None,
            syncs=settings.get("appendfsync"),
            skew=theirs - now,
        )


def plain(url: str) -> str:
    """The URL as redis-py has it: kombu's scheme for sockets names the database in another way."""
    if not url.startswith("redis+socket:"):
        return url
    parts = urlsplit(url)
    return f"unix://{parts.netloc}{parts.path}?db={parse_qs(parts.query).get('virtual_host', ['0'])[0]}"


def _settings(link: Link) -> dict[str, str]:
    """What may be read of its configuration."""
    try:
        return {str(name): str(value) for setting in SETTINGS for name, value in link.client.config_get(setting).items()}
    except ResponseError:  # no such command, or not for us
        return {}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])

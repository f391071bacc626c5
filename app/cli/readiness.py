"""Whether everything that was started works: a canary went from web through the broker to both nodes, since the start."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

GLANCE = 0.5  # seconds that one look may take: the supervisor does nothing else meanwhile
REMIND = 15.0  # seconds after which it says what it is waiting for, again and again
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach what listens everywhere


class Readiness:
    """Looks at `/readyz` until it is good."""

    def __init__(self, host: str, port: int, say: Callable[[str], None]) -> None:
        self._host, self._port, self._say = EVERYWHERE.get(host, host), port, say
        self._began = self._reminded = time.monotonic()

    def reached(self) -> bool:
        """One look."""
        parts = self._parts()
        late = [name for name, part in parts.items() if not self._good(part)] if parts else ["web"]
        if late and time.monotonic() - self._reminded > REMIND:
            self._reminded = time.monotonic()
            self._say(f"not ready yet: {', '.join(late)}")
        return not late

    def _good(self, part: dict[str, Any]) -> bool:
        """A sign of life from before the start is somebody else's."""
        return bool(part["ok"]) and part.get("age", 0.0) < time.monotonic() - self._began

    def _parts(self) -> dict[str, dict[str, Any]]:
        """What web says of each part; nothing while it does not answer."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=GLANCE)
        try:
            connection.request("GET", "/readyz?canary=1")
            parts: dict[str, dict[str, Any]] = json.loads(connection.getresponse().read())["parts"]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return {}
        else:
            return parts
        finally:
            connection.close()

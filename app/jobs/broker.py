"""What both ends of the broker agree on, and why."""

from __future__ import annotations

from typing import Any

from app.core import timing

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

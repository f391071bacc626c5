"""gunicorn's settings, for every way of running the web process. What differs between machines comes from the environment."""

import os
import socket
import struct
from typing import Any

from app import logs
from app.settings import from_env
from app.web import draining
from app.wiring import hold_metrics, serve_metrics

settings = from_env()

HEAD_PATIENCE = 20  # seconds; gthread has no time-out for a head that never ends, and each such connection holds a thread
READER_PATIENCE = 60  # seconds; a client that stops reading its download would hold a thread for ever

# Threads, because a slow upload holds one; `sync` would kill uploads slower than its time-out.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = settings.web_threads
timeout = 60  # of a worker's silence, not of a request
graceful_timeout = int(settings.grace)
keepalive = 15
limit_request_line = 8190  # gunicorn's utmost; Contentful's clients ask for assets by up to 7,600 characters of a URL
max_requests = 0  # polling reaches any count in minutes, and each recycling cuts every transfer that takes longer than the grace

worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - memory, where the heartbeat's file never waits for a disk
control_socket_disable = True  # else it opens one in the home folder
# ProxyFix alone judges X-Forwarded-*, and counts the proxies (SLIPWAY_TRUSTED_PROXIES); gunicorn would trust any number of them.
forwarded_allow_ips = ""
logconfig_dict = logs.config(settings.log_level, "web")


def on_starting(_server: Any) -> None:
    """In the master: what its workers counted stays when one of them ends."""
    hold_metrics(settings)


def when_ready(server: Any) -> None:
    """Accepted sockets inherit this; the loop that reads a body has its own, shorter patience."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HEAD_PATIENCE, 0))
        if listener.sock.family != socket.AF_UNIX:
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READER_PATIENCE * 1000)


def post_worker_init(_worker: Any) -> None:
    """Long polls answer and writers save when SIGTERM comes, before gunicorn waits for them. One of this machine's processes shows the metrics."""
    draining.start()
    serve_metrics(settings)

"""The files of deploy/ and the Procfile."""

import re
import socket
import struct

import pytest
from gunicorn.app.wsgiapp import WSGIApplication
from honcho.environ import parse_procfile

from tests.house.source import ROOT

SECRET = "sixteen letters or more"


@pytest.fixture
def gunicorn(monkeypatch):
    """gunicorn's configuration as its own reader makes it."""

    def read(**env):
        for name, text in {"SLIPWAY_SECRET": SECRET, **env}.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr("sys.argv", ["gunicorn", "--config", str(ROOT / "deploy/gunicorn.conf.py"), "x:y"])
        return WSGIApplication().cfg

    return read


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("worker_class_str", "gthread"),
        ("workers", 2),
        ("threads", 32),
        ("max_requests", 0),
        ("control_socket_disable", True),
        ("forwarded_allow_ips", []),
        ("graceful_timeout", 20),
        ("reload", False),
    ],
)
def test_gunicorn_is_told(gunicorn, setting, value):
    assert getattr(gunicorn(), setting) == value


def test_gunicorn_takes_its_numbers_from_the_environment(gunicorn):
    cfg = gunicorn(WEB_CONCURRENCY="3", SLIPWAY_WEB_THREADS="8", SLIPWAY_GRACE="4")
    assert (cfg.workers, cfg.threads, cfg.graceful_timeout) == (3, 8, 4)


def test_an_accepted_connection_does_not_wait_for_ever_for_a_head(gunicorn):
    class Server:
        class Listener:
            sock = socket.create_server(("127.0.0.1", 0))

        LISTENERS = (Listener,)

    gunicorn().when_ready(Server)
    with socket.create_connection(Server.Listener.sock.getsockname()), Server.Listener.sock.accept()[0] as accepted:
        assert struct.unpack("ll", accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)) == (20, 0)
    Server.Listener.sock.close()


def test_the_procfile_has_every_process_and_web_listens_at_port():
    lines = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert list(lines) == ["release", "web", "worker", "keeper", "beat", "flower"]
    assert "$PORT" in lines["web"]
    assert all("REMAP_SIGTERM=SIGQUIT" in lines[name] for name in ("worker", "keeper"))


def test_flower_does_not_start_without_a_password(monkeypatch):
    monkeypatch.setenv("SLIPWAY_SECRET", SECRET)
    monkeypatch.delenv("SLIPWAY_FLOWER_AUTH", raising=False)
    source = compile((ROOT / "deploy/flowerconfig.py").read_text(), "flowerconfig.py", "exec")
    with pytest.raises(SystemExit, match="SLIPWAY_FLOWER_AUTH"):
        exec(source, {})


def test_redis_keeps_what_was_promised():
    text = (ROOT / "deploy/redis.conf").read_text()
    told = dict(re.findall(r"^(\w[\w-]*) (.+)$", text, re.MULTILINE))
    assert (told["maxmemory-policy"], told["appendonly"], told["save"]) == ("noeviction", "yes", '""')

"""`slipway up` with its real processes: starts, refuses, carries on, ends."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
import requests

from tests.services.pictures import gif_bomb, photo
from tests.services.redis_server import RedisServer
from tests.services.up import SLIPWAY, Up, clean_environment, eventually

pytestmark = pytest.mark.live
NAMES = ("web", "worker", "keeper", "beat", "flower", "redis")
FAST = 10.0  # seconds within which everything must have ended


def upload(up, content, name="photo.jpg"):
    answer = requests.post(f"{up.url}/v1/uploads", files={"file": (name, content)}, headers=up.bearer, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def poll(up, location):
    """The operation; none while web is away."""
    path = "/v1/" + location.partition("/v1/")[2]
    try:
        return requests.get(up.url + path, headers=up.bearer, timeout=30).json()
    except requests.ConnectionError:
        return {"status": "unknown"}


def completed(up, location, seconds=30.0):
    eventually(lambda: poll(up, location)["status"] in {"completed", "failed"}, seconds, f"the end of {location}")
    return poll(up, location)["status"] == "completed"


def gone(processes):
    return not psutil.wait_procs(processes, timeout=5)[1]


def run(*words, **env):
    return subprocess.run([SLIPWAY, *words], env=clean_environment(**env), capture_output=True, text=True, timeout=60, check=False)


# ---------------------------------------------------------------- while it runs


def test_every_part_is_ready(up):
    answer = requests.get(f"{up.url}/readyz", timeout=10)
    parts = answer.json()["parts"]
    assert answer.status_code == 200
    assert {name for name, part in parts.items() if part["ok"]} >= {"redis", "store", "worker", "keeper"}
    assert set(requests.get(f"{up.url}/readyz?for=door", timeout=10).json()["parts"]).isdisjoint({"worker", "keeper"})
    assert requests.get(f"{up.url}/healthz", timeout=10).status_code == 200


def test_all_processes_run_in_sessions_of_their_own(up):
    sessions = {name: up.leader(name) for name in NAMES}
    assert all(sessions.values()), up.said
    assert all(psutil.Process(leader.pid).ppid() == up.process.pid for leader in sessions.values())
    assert len({leader.pid for leader in sessions.values()}) == len(NAMES)


def test_the_printed_curl_line_works_as_pasted(up):
    (line,) = (line for line in up.lines if line.startswith("  curl "))
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True, timeout=30)
    assert " 202 " in done.stdout.splitlines()[0]
    assert completed(up, re.search(r"(?im)^location: (\S+)", done.stdout)[1])


def test_flower_shows_the_tasks_to_those_who_may_see_them(up):
    location = upload(up, photo(seed=7))
    assert completed(up, location)
    assert requests.get(up.flower, timeout=10).status_code == 401
    assert requests.get(f"{up.flower}/api/tasks", timeout=10).status_code == 401
    assert requests.get(f"{up.flower}/metrics", timeout=10).status_code == 401
    assert "flower_events" in requests.get(f"{up.flower}/metrics", auth=up.flower_auth, timeout=10).text
    assert requests.get(up.flower, auth=up.flower_auth, timeout=10).status_code == 200

    def shown():
        tasks = requests.get(f"{up.flower}/api/tasks", auth=up.flower_auth, params={"limit": 500}, timeout=10).json().values()
        return any(task["name"] == "slipway.process" and location.rpartition("/")[2] in task["args"] for task in tasks)

    eventually(shown, what="the task in Flower")


def test_logs_are_json_lines_without_query_strings(up):
    requests.get(f"{up.url}/healthz?signature=hush", timeout=10)
    eventually(lambda: any('"path": "/healthz"' in line for line in up.lines), what="the access log")
    web = [line.partition("| ")[2] for line in up.lines if re.match(r"\d\d:\d\d:\d\d web +\| ", line)]
    assert all(line.startswith("{") and '"time"' in line and '"level"' in line for line in web), web
    assert not any("hush" in line for line in up.lines)


def test_credentials_are_for_the_owner_alone(up):
    assert {file: (up.data / file).stat().st_mode & 0o777 for file in ("credentials.json", "secret", "flower_auth")} == {
        "credentials.json": 0o600,
        "secret": 0o600,
        "flower_auth": 0o600,
    }
    assert up.data.stat().st_mode & 0o777 == 0o700
    assert set(up.credentials) == {"url", "tenant", "api_key", "client_id", "client_secret", "username", "password"}
    assert (up.credentials["tenant"], up.credentials["client_id"]) == ("demo", "demo:default")


def test_the_data_folder_in_use_is_one_clear_line(up):
    done = run("up", "--port", "0", "--flower-port", "0", "--data-dir", str(up.data))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: the data folder {up.data} is in use by process {up.process.pid}\n"


@pytest.mark.parametrize("option", ["--port", "--flower-port"])
def test_a_port_in_use_is_one_clear_line(up, tmp_path, option):
    taken = (up.url if option == "--port" else up.flower).rpartition(":")[2]
    other = {"--port": "--flower-port", "--flower-port": "--port"}[option]
    done = run("up", option, taken, other, "0", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: port {taken} of 127.0.0.1 is in use\n"


def test_a_faulty_environment_is_said_before_anything_starts(tmp_path):
    done = run(
        "up",
        "--port",
        "0",
        "--flower-port",
        "0",
        "--data-dir",
        str(tmp_path),
        SLIPWAY_FSYNC="perhaps",
        SLIPWAY_REDSI="x",
        SLIPWAY_FLOWER_PORT="x",
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.split("=")[0].split(":")[0].strip() for line in done.stderr.splitlines()[1:]] == [
        "SLIPWAY_FLOWER_PORT",
        "SLIPWAY_FSYNC",
        "SLIPWAY_REDSI",
    ]


def test_keys_and_tenants_are_administered_beside_it(up):
    env = {"SLIPWAY_DATA": str(up.data)}
    assert run("release", **env).returncode == 0
    assert run("tenants", "add", "acme", **env).returncode == 0
    assert run("tenants", "add", "acme", **env).stderr == "Error: the tenant 'acme' exists already\n"
    assert {"acme", "demo"} <= set(run("tenants", "list", **env).stdout.split())  # other tests add theirs
    made = run("keys", "add", "--tenant", "acme", "--role", "viewer", "--name", "for looking", **env)
    key, headers = made.stdout.strip(), {"Authorization": f"Bearer {made.stdout.strip()}"}
    asked = f"{up.url}/v1/operations/none"
    assert requests.get(asked, headers=headers, timeout=10).status_code == 404
    listed = run("keys", "list", "--tenant", "acme", **env).stdout
    assert "viewer" in listed
    assert "for looking" in listed
    assert key not in listed
    (key_id,) = (line.split()[0] for line in listed.splitlines() if "for looking" in line)
    assert run("keys", "revoke", key_id, **env).returncode == 0
    assert requests.get(asked, headers=headers, timeout=10).status_code == 401
    assert run("keys", "revoke", key_id, **env).returncode == 1


def test_a_redis_elsewhere_takes_the_place_of_the_embedded_one():
    with RedisServer() as server, Up(SLIPWAY_REDIS=server.url_of(3), SLIPWAY_BROKER=server.url_of(4)) as up:
        assert up.leader("redis") is None
        assert not (up.data / "redis").exists()
        assert completed(up, upload(up, photo()))


# ---------------------------------------------------------------- processes that die


def test_what_dies_is_started_again_and_work_goes_on():
    with Up() as up:
        for name in NAMES:
            before = up.kill(name)
            eventually(lambda name=name, before=before: (now := up.leader(name)) and now.pid != before, what=f"a new {name}")
        eventually(lambda: requests.get(f"{up.url}/healthz", timeout=10).ok, what="web")
        assert completed(up, upload(up, photo()), 60)
        assert up.process.poll() is None


def test_a_supervisor_that_is_killed_takes_everybody_along():
    up = Up().start()
    everybody = up.everybody()
    up.process.kill()
    up.process.wait()
    assert gone(everybody), [process for process in everybody if process.is_running()]
    with Up(up.data, port=int(up.url.rpartition(":")[2])) as again:  # at once, at the same port, over the same data
        assert completed(again, upload(again, photo()))
    up.close()


# ---------------------------------------------------------------- the end, and the next start


def test_the_next_start_keeps_the_secrets_and_says_the_new_url():
    first = Up().start()
    kept, flower, location = first.credentials, first.flower_auth, upload(first, photo())
    first.stop()
    shutil.rmtree(first.data / "redis")  # a Redis that lost everything
    with Up(first.data) as second:
        assert {**second.credentials, "url": ""} == {**kept, "url": ""}
        assert second.url != kept["url"]
        assert second.flower_auth == flower
        assert requests.get(second.url + "/v1/" + location.partition("/v1/")[2], headers=second.bearer, timeout=10).status_code == 404
        assert completed(second, upload(second, photo()))
    first.close()


def test_it_ends_in_time_with_everything_under_way_and_keeps_its_promises():
    """An upload that trickles, a long poll, and a decode that takes many seconds."""
    slow = gif_bomb(frames=7000, width=1500, height=1500)
    first = Up(SLIPWAY_V1_MAX_PIXELS=str(10**12)).start()
    location = upload(first, slow, "slow.gif")
    eventually(lambda: poll(first, location)["status"] == "started", what="the start of the decode")
    trickle, long_poll = _trickle(first), _long_poll(first, location)
    everybody = first.everybody()
    took = first.stop()
    assert took < FAST, first.said
    assert gone(everybody), first.said
    trickle.close()
    long_poll.communicate(timeout=5)
    with Up(first.data, **first.env) as second:
        assert completed(second, location, 90), second.said
    first.close()


def _trickle(up):
    """A client in the middle of its upload."""
    host, _, port = up.url.removeprefix("http://").partition(":")
    wire = socket.create_connection((host, int(port)))
    head = f"POST /v1/uploads?filename=a.jpg HTTP/1.1\r\nHost: x\r\nAuthorization: {up.bearer['Authorization']}\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n"
    wire.sendall(head.encode() + bytes(1000))
    return wire


def _long_poll(up, location):
    """Another process that waits for the operation."""
    program = f"import requests; requests.get({location!r}, headers={{**{up.bearer!r}, 'Prefer': 'wait=30'}}, timeout=40)"
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)


def test_an_order_that_comes_while_it_starts_is_obeyed():
    up = Up().launch()
    eventually(lambda: any("redis" in line for line in up.lines), what="a first line")
    began = time.monotonic()
    up.process.send_signal(signal.SIGINT)
    up.process.wait(20)
    assert time.monotonic() - began < FAST, up.said
    up.close()

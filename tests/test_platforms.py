"""The files that start Slipway elsewhere (systemd, containers, Kubernetes): each is what its tool takes, and all say the same.

Nothing is started here: there is no engine. The image's commands and the nginx files are tried in other ways, see docs/deploy.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from honcho.environ import parse_procfile

from app.core import timing
from app.core.facts import Facts
from app.settings import VARIABLES, from_env
from app.web import cors, transfers
from tests.house.source import ROOT

BIN = Path(sys.executable).parent
SYSTEMD = ROOT / "deploy/systemd"
MANIFESTS = sorted((ROOT / "deploy/k8s").glob("*.yaml"))
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes
PROCESSES = [name for name in PROCFILE if name != "release"]
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if name in PROCFILE}
GRACE = from_env({"SLIPWAY_SECRET": "sixteen letters or more"}).grace
KUBERNETES = "1.33"


def ran(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60, **options)
    return done.returncode, done.stdout + done.stderr


def objects(kind=None):
    for file in MANIFESTS:
        for found in yaml.safe_load_all(file.read_text()):
            if kind in {None, found["kind"]}:
                yield found


PODS = {found["metadata"]["name"]: found["spec"]["template"]["spec"] for found in objects("Deployment")}


def unit(name):
    return (SYSTEMD / f"slipway-{name}.service").read_text()


# ---------------------------------------------------------------- each is what its tool takes


def test_the_dockerfile_pleases_hadolint():
    assert ran(BIN / "hadolint", ROOT / "deploy/Dockerfile") == (0, "")


def test_compose_follows_its_schema():
    code, said = ran(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "deploy/compose.yaml")
    assert code == 0, said


def test_the_yaml_is_tidy():
    code, said = ran(BIN / "yamllint", "--strict", "-c", ROOT / "deploy/.yamllint.yaml", ROOT / "deploy/compose.yaml", *MANIFESTS)
    assert code == 0, said


@pytest.mark.parametrize(
    "found", [o for o in objects() if o["kind"] != "Kustomization"], ids=lambda o: f"{o['kind']}-{o['metadata']['name']}"
)
def test_kubernetes_knows_every_field(found):
    kubernetes_validate.validate(found, KUBERNETES, strict=True)


def test_kustomize_has_every_manifest():
    (kustomization,) = objects("Kustomization")
    assert set(kustomization["resources"]) == {file.name for file in MANIFESTS} - {"kustomization.yaml"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (Debian: apt install systemd)")
def test_systemd_takes_the_units(tmp_path):
    shutil.copytree(SYSTEMD, tmp_path / "units")
    for file in (tmp_path / "units").rglob("*.*"):
        if file.is_file():
            file.write_text(file.read_text().replace("/opt/slipway", str(ROOT)))
    units = [file for file in (tmp_path / "units").iterdir() if file.suffix in {".service", ".target"}]
    assert ran("systemd-analyze", "verify", "--man=no", *units, env={"SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:"}) == (0, "")


@pytest.mark.parametrize("script", ["deploy/run", "deploy/healthy"])
def test_a_script_is_executable_and_says_what_it_takes(script):
    code, said = ran(ROOT / script, "nothing")
    assert (code, said.partition(" ")[0]) == (64, "usage:")
    assert all(name in said for name in (PROCFILE if script == "deploy/run" else ["web", "worker", "keeper"]))


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_container_asks_its_own_door_whatever_proxy_there_is(status, code):
    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.handle_request, daemon=True).start()
        env = {"PORT": str(door.server_port), "http_proxy": "http://127.0.0.1:9", "PATH": f"{BIN}:/usr/bin:/bin"}
        assert ran(ROOT / "deploy/healthy", "web", env=env)[0] == code


# ---------------------------------------------------------------- all say the same


def test_run_starts_the_line_of_the_procfile(tmp_path):
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    (tmp_path / "Procfile").write_text(
        "release: false\nweb: env A=1 python -c \"import os; print(os.getpid(), os.environ['A'], '${B:-b $PORT}')\"\n"
    )
    process = subprocess.Popen(
        [tmp_path / "deploy/run", "web"], stdout=subprocess.PIPE, text=True, env={"PORT": "5", "PATH": str(BIN) + ":/usr/bin:/bin"}
    )
    assert process.communicate()[0] == f"{process.pid} 1 b 5\n"


def test_every_process_of_the_procfile_is_started_everywhere_and_by_its_name():
    for name in PROCFILE:
        assert re.findall(r"^ExecStart=(.*)$", unit(name), re.MULTILINE) == [f"/opt/slipway/deploy/run {name}"]
        assert COMPOSE["services"][name]["command"] == [name]
    assert {name: pod["containers"][0]["args"] for name, pod in PODS.items()} == {name: [name] for name in PROCESSES}
    assert [pod["args"] for pod in PODS["web"]["initContainers"]] == [["release"]]
    wanted = (SYSTEMD / "slipway.target").read_text().partition("Wants=")[2].split("\n")[0].split()
    assert wanted == [f"slipway-{name}.service" for name in PROCESSES]


def test_every_variable_is_one_of_ours_and_each_file_of_them_is_read():
    known = {variable.name for variable in VARIABLES.values()}
    used = {
        name
        for file in (ROOT / "deploy").rglob("*")
        if file.is_file() and file.suffix != ".pyc"
        for name in re.findall(r"SLIPWAY_[A-Z_]+[A-Z]", file.read_text())
    }
    assert {name for name in used if not name.startswith("SLIPWAY_V1_")} - {"SLIPWAY_"} <= known
    for file in ("systemd/env", "compose/env.example"):
        given = dict(re.findall(r"^(SLIPWAY_\w+)=(.*)$", (ROOT / "deploy" / file).read_text(), re.MULTILINE))
        from_env(given | {"SLIPWAY_SECRET": "sixteen letters or more"})
    (told,), (kept,) = objects("ConfigMap"), objects("Secret")
    from_env(told["data"] | kept["stringData"] | {"SLIPWAY_SECRET": "sixteen letters or more"})


def test_who_ends_a_process_waits_longer_than_it_may_take():
    shown = from_env({"SLIPWAY_SECRET": "x" * 16, "SLIPWAY_GRACE": COMPOSE["x-slipway"]["environment"]["SLIPWAY_GRACE"]}).grace
    (told,) = objects("ConfigMap")
    for name in ("web", "worker", "keeper"):
        assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit(name), re.MULTILINE)[1]) >= GRACE + 10
        assert shown + 10 <= int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s"))
        before = int(
            PODS[name]["containers"][0].get("lifecycle", {"preStop": {"exec": {"command": ["sleep", "0"]}}})["preStop"]["exec"]["command"][
                1
            ]
        )
        assert before + float(told["data"]["SLIPWAY_GRACE"]) + 10 <= PODS[name]["terminationGracePeriodSeconds"]


def test_the_worker_s_children_are_not_sent_sigterm():
    assert all("KillMode=mixed" in unit(name) for name in PROCESSES)


def test_web_is_probed_at_the_door_and_workers_by_their_loop():
    web = PODS["web"]["containers"][0]
    assert (web["readinessProbe"]["httpGet"]["path"], web["livenessProbe"]["httpGet"]["path"]) == ("/readyz?for=door", "/healthz")
    for name in ("worker", "keeper"):
        assert PODS[name]["containers"][0]["livenessProbe"]["exec"]["command"] == ["/srv/slipway/deploy/healthy", name]
        assert COMPOSE["services"][name]["healthcheck"]["test"] == ["CMD", "/srv/slipway/deploy/healthy", name]


def test_metrics_are_found_where_they_are_served():
    (told,) = objects("ConfigMap")
    port = told["data"]["SLIPWAY_METRICS_PORT"]
    for found in objects("Deployment"):
        name, template = found["metadata"]["name"], found["spec"]["template"]
        if name in {"web", "worker", "keeper"}:
            assert {"name": "metrics", "containerPort": int(port)} in template["spec"]["containers"][0]["ports"]
            assert template["metadata"]["annotations"] == {
                "prometheus.io/scrape": "true",
                "prometheus.io/path": "/metrics",
                "prometheus.io/port": port,
            }
    (service,) = [found for found in objects("Service") if found["metadata"]["name"] == "web"]
    assert [each["name"] for each in service["spec"]["ports"]] == ["http"]


def test_there_is_one_beat_and_never_two():
    (beat,) = [found for found in objects("Deployment") if found["metadata"]["name"] == "beat"]
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_no_container_may_more_than_it_must():
    for pod in PODS.values():
        assert pod["enableServiceLinks"] is False  # else FLOWER_PORT=tcp://… would be taken for a setting of Flower's
        assert pod["securityContext"]["runAsNonRoot"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["resources"]["limits"]["memory"]
    for service in OURS.values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_the_image_has_no_secret_and_all_that_it_starts_with():
    lines = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert {"*", "deploy/compose/env"} <= set(lines)
    copied = {
        word
        for words in re.findall(r"^COPY (?!--)(.*) \S+$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
        for word in words.split()
    }
    assert {line[1:] for line in lines if line.startswith("!")} == copied


# ---------------------------------------------------------------- nginx


def test_nginx_waits_longer_than_we_do():
    door = (ROOT / "deploy/nginx/door.conf").read_text()
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        assert int(re.search(rf"{name} (\d+)s;", door)[1]) > 2 * timing.LONG_POLL
    kept = int(re.search(r"keepalive_timeout (\d+)s;", (ROOT / "deploy/nginx/upstream.conf").read_text())[1])
    assert kept < int(re.search(r"^keepalive = (\d+)", (ROOT / "deploy/gunicorn.conf.py").read_text(), re.MULTILINE)[1])


def test_nginx_hands_on_every_header_that_a_download_may_have():
    facts = Facts(1, "sha256:" + "0" * 64, "image/jpeg")
    door = (ROOT / "deploy/nginx/door.conf").read_text()
    handed = {name.lower() for name in re.findall(r"^ +add_header (\S+) \$upstream_http_", door, re.MULTILINE)}
    its_own = {"accept-ranges", "content-type", "content-disposition", "cache-control", "content-range"}
    with_bytes = {name for name in cors.EXPOSED if re.match("RateLimit|X-Contentful|X-AppId|Contentful|Link|Deprecation|Sunset|ETag", name)}
    wanted = {name.lower() for name in {*transfers.headers("a.jpg", facts, "inline"), *with_bytes}}
    assert wanted - its_own <= handed
    assert all(f"$upstream_http_{name.replace('-', '_')};" in door for name in handed)

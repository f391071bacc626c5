"""`slipway up`: everything on one machine. An embedded Redis where none is named, the Procfile's processes, the tenant `demo`."""

from __future__ import annotations

import shlex
import shutil
import socket
import sys
from pathlib import Path

import click
from honcho.environ import parse_procfile

from app.access.hashing import new_secret
from app.cli import ground, ports, redis_server
from app.cli.admin import check, plainly
from app.cli.child import Program
from app.cli.ground import Credentials, Ground, Taken
from app.cli.readiness import EVERYWHERE, Readiness
from app.cli.supervisor import Supervisor
from app.settings import Settings, embedded_socket, environment, from_env, metrics_folder
from app.wiring import build

ROOT = Path(__file__).resolve().parents[2]  # the clone: the Procfile stands in it
STAGES = {"web": 0, "beat": 0, "flower": 0, "worker": 1, "keeper": 1}  # who ends first
GRACE = "4"  # seconds for work under way, of the ten in which everything must have ended
PATIENCE = 60.0  # seconds for Redis to read its data


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Default: SLIPWAY_DATA, or .slipway.")
@click.option("--flower-port", type=click.IntRange(0, 65535), help="Default: SLIPWAY_FLOWER_PORT, or 5555; 0 takes any free one.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Default: SLIPWAY_METRICS_PORT, or any free one, as 0.")
@plainly
def up(host: str, port: int, data_dir: Path | None, flower_port: int | None, metrics_port: int | None) -> None:
    """Run everything on this machine, until Ctrl-C or SIGTERM."""
    env = environment()
    folder = (data_dir or Path(env.get("SLIPWAY_DATA") or ".slipway")).expanduser().absolute()
    env["SLIPWAY_DATA"] = str(folder)
    try:
        here = ground.occupy(folder)
        here.secret()
        settings = from_env(env)
        flower = ports.free(host, settings.flower_port if flower_port is None else flower_port)
        metrics = ports.free(host, settings.metrics_port if metrics_port is None else metrics_port)
        with ports.listen(host, port) as door:
            run(here, settings, env | handed(here, settings, host, door, flower, metrics), door)
        shutil.rmtree(metrics_folder(folder), ignore_errors=True)
    except (Taken, OSError) as trouble:
        raise click.ClickException(str(trouble)) from trouble


def handed(here: Ground, settings: Settings, host: str, door: socket.socket, flower: int, metrics: int) -> dict[str, str]:
    """What the processes are told beyond our own environment."""
    own = environment()
    return {
        "SLIPWAY_BIND": f"fd://{door.fileno()}",
        "SLIPWAY_FLOWER_ADDRESS": host,
        "SLIPWAY_FLOWER_PORT": str(flower),
        "SLIPWAY_FLOWER_AUTH": settings.flower_auth or here.kept("flower_auth", lambda: f"slipway:{new_secret()}"),
        "SLIPWAY_METRICS_ADDRESS": own.get("SLIPWAY_METRICS_ADDRESS") or host,
        "SLIPWAY_METRICS_PORT": str(metrics),
        "SLIPWAY_GRACE": own.get("SLIPWAY_GRACE") or GRACE,
        "PORT": str(door.getsockname()[1]),
        "PATH": f"{Path(sys.executable).parent}:{own.get('PATH', '')}",
    }


def run(here: Ground, settings: Settings, env: dict[str, str], door: socket.socket) -> None:
    """From the first process to the last. Raises Taken or a Fault when something that is needed does not answer."""
    url = settings.public_url or _url(env["SLIPWAY_FLOWER_ADDRESS"], env["PORT"])
    programs = procfile(env, door.fileno())
    supervisor = Supervisor([*(program.name for program in programs), "redis", "up"])
    with supervisor.hearing():
        _redis(supervisor, here, env)
        kept = here.credentials(url)
        house = build(settings)
        check(house)
        ground.admit(house.access, kept)
        for program in programs:
            supervisor.add(program)
        readiness = Readiness(env["SLIPWAY_FLOWER_ADDRESS"], int(env["PORT"]), supervisor.say)
        supervisor.run(lambda: readiness.reached() and _greet(here, kept, env))
        door.close()  # from here on a newcomer is refused, not kept waiting


def procfile(env: dict[str, str], door: int) -> list[Program]:
    """The Procfile's processes; `release` is what this command does itself. Raises Taken outside a clone."""
    file = ROOT / "Procfile"
    if not file.exists():
        raise Taken(f"`slipway up` runs from a clone: there is no {file}")
    commands = parse_procfile(file.read_text()).processes
    return [
        Program(name, command, env, ROOT, STAGES.get(name, 0), (door,) if name == "web" else ())
        for name, command in commands.items()
        if name != "release"
    ]


def _redis(supervisor: Supervisor, here: Ground, env: dict[str, str]) -> None:
    """Start the embedded one, unless both databases are elsewhere."""
    if env.get("SLIPWAY_REDIS") and env.get("SLIPWAY_BROKER"):
        return
    path = embedded_socket(here.folder)
    supervisor.add(redis_server.program(here.folder, ROOT / "deploy" / "redis.conf", path, environment()))
    if not supervisor.wait(lambda: redis_server.answers(path), PATIENCE) and not supervisor.stopping:
        raise Taken(f"the embedded Redis did not start within {PATIENCE:.0f} s; its lines above say why")


def _greet(here: Ground, kept: Credentials, env: dict[str, str]) -> bool:
    """Say that everything is ready, and what to try. The picture of the line that is printed lies in the data folder."""
    form = shlex.quote(f"file=@{here.sample()}")
    click.echo(f"""
Ready

  Slipway      {kept["url"]}
  Flower       {_url(env["SLIPWAY_FLOWER_ADDRESS"], env["SLIPWAY_FLOWER_PORT"])}  (user and password: {env["SLIPWAY_FLOWER_AUTH"]})
  Metrics      {_url(env["SLIPWAY_METRICS_ADDRESS"], env["SLIPWAY_METRICS_PORT"])}/metrics
  Credentials  {here.folder / "credentials.json"}

Try it:

  curl -sS -i -H 'Authorization: Bearer {kept["api_key"]}' -F {form} {kept["url"]}/v1/uploads
""")
    return True


def _url(host: str, port: str) -> str:
    shown = EVERYWHERE.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

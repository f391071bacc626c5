"""The `slipway` command: `up` runs everything on one machine; the others administer, ask, and tend.

It may know: the settings and the wiring; click, honcho's parser and printer. Processes are started here and nowhere else.
It must never: be imported by another room, answer a fault of the operator's with a traceback, or leave a process behind.
"""

from __future__ import annotations

import click

from app.cli.admin import release, tenants
from app.cli.credentials import clients, keys, users
from app.cli.purge import purge
from app.cli.rebuild import rebuild
from app.cli.up import up

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="slipway")
def main() -> None:
    """Slipway, a self-hosted upload pipeline. Everything is configured by the environment: see deploy/env.example."""


for command in (up, release, tenants, keys, clients, users, purge, rebuild):
    main.add_command(command)

"""The `slipway` command: `up` runs everything on one machine; others administer, ask, tend, and send files to a Slipway anywhere.

It may know: the settings and the wiring; click, rich, urllib3, honcho's parser and printer. Processes are started here and nowhere else.
It must never: be imported by another room, answer a fault of the operator's with a traceback, or leave a process behind.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

__all__ = ["main"]

COMMANDS: Mapping[str, str] = {  # in the order in which --help shows them -> the module in which each stands, by its name
    "up": "up",
    "release": "admin",
    "tenants": "quotas",
    "keys": "credentials",
    "clients": "credentials",
    "users": "credentials",
    "doctor": "doctor",
    "purge": "purge",
    "rebuild": "rebuild",
    "upload": "upload",
    "operations": "operations",
}


class Late(click.Group):
    """Imports a command when it is called: who uploads a file need not wait for the libraries of a server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The one of this name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"app.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command


@click.group(cls=Late, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="slipway")
def main() -> None:
    """Slipway, a self-hosted upload pipeline. Everything is configured by the environment: see deploy/env.example."""

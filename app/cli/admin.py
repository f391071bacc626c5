"""Commands that ask and end: tenants, and the check before a release."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import ParamSpec

import click

from app.access import bundles
from app.core.errors import Fault
from app.core.policy import ROLES
from app.settings import SettingsError, from_env
from app.wiring import House, build

P = ParamSpec("P")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """What the operator can mend is said in a line."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, Fault, ValueError) as fault:
            raise click.ClickException(str(fault)) from fault

    return run


def open_house() -> House:
    """The house of the environment."""
    return build(from_env())


def check(house: House) -> None:
    """Redis, the broker and the store answer. Raises the Fault of the first that does not."""
    house.records.ping()
    house.jobs.backlog()
    house.store.ping()


@click.command()
@plainly
def release() -> None:
    """Check the settings, Redis and the store once, before new processes are started."""
    check(open_house())
    click.echo("Settings, Redis and store are in order.")


@click.group()
def tenants() -> None:
    """Who owns uploads and assets. Nothing of one is visible to another."""


@tenants.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), default="admin", show_default=True, help="Of its first credentials.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as in credentials.json.")
@plainly
def add_tenant(name: str, role: str, as_json: bool) -> None:  # noqa: FBT001 - click hands a flag over so
    """Add a tenant with an API key, an OAuth2 client and a user. Their secrets, shown this once, go to stdout."""
    made = asdict(bundles.found(open_house().access, name, role))
    if as_json:
        click.echo(json.dumps(made, indent=2))
        return
    click.echo(f"added {name}; the secrets are shown only now:", err=True)
    for field, value in made.items():
        click.echo(f"{field.replace('_', ' '):<14}{value}")


@tenants.command("list")
@plainly
def list_tenants() -> None:
    """All tenants."""
    for name in open_house().access.tenants():
        click.echo(name)

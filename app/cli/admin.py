"""Commands that ask and end: tenants, keys, the check before a release."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec

import click

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
    """Who owns uploads and assets."""


@tenants.command("add")
@click.argument("name")
@plainly
def add_tenant(name: str) -> None:
    """Add a tenant."""
    if not open_house().access.add_tenant(name):
        raise ValueError(f"the tenant {name!r} exists already")
    click.echo(f"added {name}")


@tenants.command("list")
@plainly
def list_tenants() -> None:
    """All tenants."""
    for name in open_house().access.tenants():
        click.echo(name)


@click.group()
def keys() -> None:
    """API keys: sent as `Authorization: Bearer …`; only their hash is stored."""


@keys.command("add")
@click.option("--tenant", required=True)
@click.option("--role", type=click.Choice(list(ROLES)), default="editor", show_default=True)
@click.option("--name", default="", help="What the key is for.")
@plainly
def add_key(tenant: str, role: str, name: str) -> None:
    """Make a key. Its id goes to stderr, the key itself, shown this once, to stdout."""
    secret, kept = open_house().access.add_key(tenant, role, name)
    click.echo(f"{kept.id} ({role} of {tenant}); the key is shown only now:", err=True)
    click.echo(secret)


@keys.command("list")
@click.option("--tenant", required=True)
@plainly
def list_keys(tenant: str) -> None:
    """The keys of a tenant."""
    for kept in open_house().access.list_keys(tenant):
        made = datetime.fromtimestamp(kept.created_at, UTC).isoformat(timespec="seconds")
        click.echo("\t".join((kept.id, kept.role, made, "in force" if kept.revoked_at is None else "revoked", kept.name)))


@keys.command("revoke")
@click.argument("key_id")
@plainly
def revoke_key(key_id: str) -> None:
    """End a key. What was uploaded with it stays."""
    if not open_house().access.revoke_key(key_id):
        raise ValueError(f"there is no key {key_id!r} in force")
    click.echo(f"revoked {key_id}")

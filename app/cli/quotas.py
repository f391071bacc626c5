"""`slipway tenants` with `quota` and `recount`: how much a tenant may take up, and how much it does."""

from __future__ import annotations

from collections.abc import Callable

import click

from app.cli.admin import open_house, plainly, tenants
from app.settings import readers

__all__ = ["tenants"]

MOST_UPLOADS = 2**31


def _most(read: Callable[[str], int], text: str) -> int | None:
    """None for `default`. Raises ValueError, saying what is wanted."""
    try:
        return None if text == "default" else read(text)
    except ValueError as wanted:
        raise ValueError(f"{text!r}: should be {wanted}, or default") from wanted


@tenants.command("quota")
@click.argument("name")
@click.option("--bytes", "bytes_", help="Stored and in flight, like 50GB; 0 is no limit, `default` what SLIPWAY_QUOTA_BYTES says.")
@click.option("--uploads", help="Under way at once; 0 is no limit, `default` what SLIPWAY_QUOTA_UPLOADS says.")
@plainly
def quota(name: str, bytes_: str | None, uploads: str | None) -> None:
    """Show what a tenant takes up, and what it may; set its own limits first when some are given."""
    house = open_house()
    if name not in house.access.tenants():
        raise ValueError(f"there is no tenant {name!r}")
    for limit, read, text in (("bytes", readers.size, bytes_), ("uploads", readers.whole(0, MOST_UPLOADS), uploads)):
        if text is not None:
            house.tallies.allow(name, limit, _most(read, text))
    of = house.tallies.standing(name)
    click.echo(f"bytes    {of.tally.bytes} of {of.limits.bytes or 'any'} ({of.tally.rest} stored, {of.tally.flight} in flight)")
    click.echo(f"uploads  {of.tally.uploads} of {of.limits.uploads or 'any'}")


@tenants.command("recount")
@plainly
def recount() -> None:
    """Count anew what every tenant takes up. It is counted with every change, and once a day by itself: this is for what Redis lost."""
    if busy := open_house().tallies.recount():
        raise click.ClickException(f"changed too often to be counted: {', '.join(busy)}; their count stays as it was")
    click.echo("counted")

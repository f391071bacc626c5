"""`slipway rebuild`: the records made anew from what the store describes, after Redis lost them."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from app.cli.admin import open_house, plainly
from app.core.rebuilding import Rebuilding, Rebuilt

LINES = {
    "folders": "folders restored",
    "documents": "documents restored",
    "assets": "assets restored",
    "present": "records that were there, or are known to be deleted",
    "lost": "assets whose bytes are not in the store: not restored",
    "unreadable": "manifests that cannot be read",
    "uprooted": "assets whose folder is not described: in the root now",
    "renditions": "renditions that nobody knows: condemned, they are made again when asked for",
    "orphans": "blobs that no asset names",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--delete-orphans", is_flag=True, help="Condemn blobs that no asset names: left by uploads that were kept, or had just settled."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@plainly
def rebuild(dry_run: bool, delete_orphans: bool, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over so
    """Bring assets, folders and documents back from the store after a lost Redis.

    Records that are there are left alone: it may run twice, and beside everything else. What was in flight is lost, and so are credentials.
    Ends with 1 when something described could not be brought back.
    """
    house = open_house()
    say = (lambda *_: None) if as_json else (lambda word, count: click.echo(f"read {word}: {count}", err=True))
    rebuilt = Rebuilding(house.records, house.store, say).rebuild(dry_run=dry_run, delete_orphans=delete_orphans)
    if as_json:
        click.echo(json.dumps({name: value for name, value in asdict(rebuilt).items() if name != "named"}, indent=2))
    else:
        _show(rebuilt, dry_run=dry_run)
        if not house.access.tenants():
            click.echo("There are no tenants: credentials are not in the store. `slipway tenants add NAME` makes them.")
    if rebuilt.lost or rebuilt.unreadable:
        raise SystemExit(1)


def _show(rebuilt: Rebuilt, *, dry_run: bool) -> None:
    click.echo("What would be done:" if dry_run else "Done:")
    for field, meaning in LINES.items():
        click.echo(f"{getattr(rebuilt, field):>10}  {meaning}")
    if rebuilt.orphans:
        click.echo(f"            ({rebuilt.orphaned_bytes:,} bytes; --delete-orphans condemns them)")
    for key in rebuilt.failures:
        click.echo(f"  not restored: {key}")

"""`slipway purge`: what is due to go goes now, or is only counted."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from app.cli.admin import open_house, plainly
from app.core.purging import COUNTED, Due, Purging

MEANINGS = {
    "expire_uploads": "uploads past their deadline",
    "purge_assets": "assets that nobody kept until theirs",
    "purge_operations": "final operations past their retention",
    "empty_folders": "deleted folders whose contents are to go",
    "write_manifests": "manifests to be written or removed",
    "delete_doomed": "condemned uploads and blobs whose bytes may go",
    "sweep_orphans": "uploads staged for more than a day, of which those go that no record knows",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count; nothing is changed.")
@click.option("--orphans", is_flag=True, help="Look through the whole staging area too, as is done once a day.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@plainly
def purge(dry_run: bool, orphans: bool, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over so
    """Run every sweep at once, instead of waiting for beat.

    Bytes at rest go some minutes after their asset, when no worker can still be writing them: a second run then frees them.
    """
    house = open_house()
    purging = Purging(house.retention, house.emptying)
    for each in purging.due(orphans=orphans) if dry_run else purging.run(orphans=orphans):
        if as_json:
            click.echo(json.dumps(asdict(each)))
        elif isinstance(each, Due):
            click.echo(f"{_count(each):>9}  {MEANINGS[each.name]}{_rest(each)}")
        else:
            click.echo(f"{each.done:>9}  {MEANINGS[each.name]}: done in {each.seconds:.1f} s{', some are left' if each.more else ''}")


def _count(due: Due) -> str:
    return f"{due.count}+" if due.count == COUNTED else str(due.count)


def _rest(due: Due) -> str:
    """Their bytes, and how long the first has waited."""
    size = f", {due.size:,} bytes" if due.size else ""
    return f"{size}, the first since {due.since:.0f} s" if due.count and due.since else size

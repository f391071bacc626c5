"""`slipway operations`: the promises of a Slipway anywhere, listed, shown, waited for, given up."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import click

from app.cli.patience import Patience
from app.cli.remote import Json, Remote, aloud, final, somebody, speaking
from app.cli.upload import settled
from app.core.operation import Status

PAGE = 100  # operations that are asked for at once
COLUMNS = ("id", "status", "kind", "createdAt")

as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as `/v1/operations/ID` has it.")


def reach(url: str | None, key: str | None) -> Remote:
    """The Slipway that is meant; what is tried again is said on stderr."""
    return Remote(*somebody(url, key), Patience(lambda line: click.echo(line, err=True)))


@click.group(invoke_without_command=True)
@speaking
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice([status.value for status in Status]), help="May be given more than once."
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at the most.")
@as_json_option
@click.pass_context
@aloud
def operations(ctx: click.Context, url: str | None, key: str | None, statuses: tuple[str, ...], limit: int, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over so
    """The newest operations, or what a subcommand does with one."""
    ctx.obj = url, key
    if ctx.invoked_subcommand is not None:
        return
    for item in listed(reach(url, key), statuses, limit):
        click.echo(json.dumps(item) if as_json else "\t".join(str(item.get(column)) for column in COLUMNS) + _why(item))


def listed(remote: Remote, statuses: tuple[str, ...], limit: int) -> Iterator[Json]:
    """Up to `limit` operations, page by page, the newest first."""
    asked = {"limit": str(min(limit, PAGE)), **({"status": ",".join(statuses)} if statuses else {})}
    path: str | None = f"/v1/operations?{urlencode(asked)}"
    while path and limit > 0:
        page = remote.ask("GET", path).document
        yield from page["items"][:limit]
        limit -= len(page["items"])
        path = remote.path(page["next"]) if page.get("next") else None


@operations.command()
@click.argument("id")
@click.option("--wait", is_flag=True, help="Until it is final.")
@click.option("--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, help="Seconds to wait at the most.")
@as_json_option
@click.pass_obj
@aloud
def show(who: tuple[str | None, str | None], id: str, wait: bool, timeout: float, as_json: bool) -> None:  # noqa: FBT001 - as above
    """One operation. Exit status 1 when it failed or was cancelled, or is not final although it was waited for."""
    remote = reach(*who)
    shown = settled(remote, _quoted(id), timeout) if wait else remote.operation(_quoted(id))
    tell(shown, as_json=as_json)
    if shown["status"] in {"failed", "cancelled"} or (wait and not final(shown)):
        sys.exit(1)


@operations.command()
@click.argument("id")
@as_json_option
@click.pass_obj
@aloud
def cancel(who: tuple[str | None, str | None], id: str, as_json: bool) -> None:  # noqa: FBT001 - as above
    """Give one up. Exit status 1 when it is final already."""
    tell(reach(*who).ask("POST", f"/v1/operations/{_quoted(id)}/cancel").document, as_json=as_json)


def tell(shown: Json, *, as_json: bool) -> None:
    """An operation, a field a line."""
    shown = {name: value for name, value in shown.items() if name != "after"}
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name:<12} {_plain(name, value)}")


def _plain(name: str, value: object) -> object:
    if name == "problem" and isinstance(value, dict):
        return value.get("detail")
    if name == "progress" and isinstance(value, dict):
        return f"{value.get('stage') or '-'}, {value.get('bytes')} of {value.get('total')} bytes"
    return "-" if value is None else value


def _why(item: Json) -> str:
    problem = item.get("problem")
    return f"\t{problem.get('detail')}" if isinstance(problem, dict) else ""


def _quoted(id: str) -> str:
    return quote(id.encode("utf-8", "surrogateescape"), safe="")

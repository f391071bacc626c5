"""The commands for what people and programs show: keys, clients, users. Only hashes of secrets are kept, so each is shown once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from app.cli.admin import open_house, plainly
from app.core.credentials import Credential
from app.core.policy import ROLES

CLIENT = re.compile(r"[A-Za-z0-9._-]{1,64}")
USER = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")

tenant_option = click.option("--tenant", required=True)
role_option = click.option("--role", type=click.Choice(list(ROLES)), default="editor", show_default=True)


def show(secret: str, of: str, role: str, tenant: str) -> None:
    """Whose it is goes to stderr, the secret itself, shown this once, to stdout."""
    click.echo(f"{of} ({role} of {tenant}); the secret is shown only now:", err=True)
    click.echo(secret)


def listed(tenant: str, kind: str) -> None:
    """The credentials of a kind, a line each."""
    for kept in open_house().access.credentials(tenant, kind):
        click.echo("\t".join((kept.id, kept.role, _made(kept), "in force" if kept.revoked_at is None else "revoked", kept.name)))


def _made(kept: Credential) -> str:
    return datetime.fromtimestamp(kept.created_at, UTC).isoformat(timespec="seconds")


def revoked(there_was: bool, kind: str, id: str) -> None:  # noqa: FBT001 - the answer of whoever revoked it
    """Say so. Raises ValueError when there was none."""
    if not there_was:
        raise ValueError(f"there is no {kind} {id!r} in force")
    click.echo(f"revoked {id}")


# ---------------------------------------------------------------- keys


@click.group()
def keys() -> None:
    """API keys: sent as `Authorization: Bearer …`, or as a vendor's clients send them."""


@keys.command("add")
@tenant_option
@role_option
@click.option("--name", default="", help="What the key is for.")
@plainly
def add_key(tenant: str, role: str, name: str) -> None:
    """Make a key."""
    secret, kept = open_house().access.add_key(tenant, role, name)
    show(secret, kept.id, role, tenant)


@keys.command("list")
@tenant_option
@plainly
def list_keys(tenant: str) -> None:
    """The keys of a tenant."""
    listed(tenant, "key")


@keys.command("revoke")
@click.argument("key_id")
@plainly
def revoke_key(key_id: str) -> None:
    """End a key. What was uploaded with it stays."""
    revoked(open_house().access.revoke_key(key_id), "key", key_id)


# ---------------------------------------------------------------- clients


@click.group()
def clients() -> None:
    """OAuth2 clients: their id and secret are exchanged for a bearer token."""


@clients.command("add")
@tenant_option
@role_option
@click.argument("name")
@plainly
def add_client(tenant: str, role: str, name: str) -> None:
    """Make the client `TENANT:NAME`, or give it a new secret; another role ends its tokens."""
    if not CLIENT.fullmatch(name):
        raise ValueError(f"not a client's name: {name!r} (letters, digits, dots, hyphens and underscores, 64 at most)")
    client_id = f"{tenant}:{name}"
    show(open_house().access.add_client(tenant, client_id, role), client_id, role, tenant)


@clients.command("list")
@tenant_option
@plainly
def list_clients(tenant: str) -> None:
    """The clients of a tenant."""
    listed(tenant, "client")


@clients.command("revoke")
@click.argument("client_id")
@plainly
def revoke_client(client_id: str) -> None:
    """End a client and its tokens. What was uploaded with them stays."""
    revoked(open_house().access.revoke_client(client_id), "client", client_id)


# ---------------------------------------------------------------- users


@click.group()
def users() -> None:
    """Users: their name and password are exchanged for a session."""


@users.command("add")
@tenant_option
@role_option
@click.argument("username")
@plainly
def add_user(tenant: str, role: str, username: str) -> None:
    """Make a user, or give one another role and a new password, which ends his sessions."""
    if not USER.fullmatch(username):
        raise ValueError(f"not a user name: {username!r} (no blanks and no control characters, 256 at most)")
    show(open_house().access.add_user(tenant, username, role), username, role, tenant)


@users.command("list")
@tenant_option
@plainly
def list_users(tenant: str) -> None:
    """The users of a tenant."""
    listed(tenant, "user")


@users.command("revoke")
@click.argument("username")
@plainly
def revoke_user(username: str) -> None:
    """End a user and his sessions. What he uploaded stays."""
    revoked(open_house().access.revoke_user(username), "user", username)

"""Who else speaks to the shared `slipway up`, beside the tenant's editor that it makes itself: readers, users, another tenant."""

from __future__ import annotations

from functools import cache

from app.access import Access
from app.settings import from_env
from app.wiring import build
from tests.services.up import Up, shared

TENANT = "demo"


def access(up: Up) -> Access:
    """The credentials of an `up`, as its command line reaches them."""
    return build(from_env({"SLIPWAY_DATA": str(up.data)})).access


@cache
def viewers_key() -> str:
    """A key that may read and nothing else."""
    return access(shared()).add_key(TENANT, "viewer", "a reader")[0]


@cache
def viewers_client() -> tuple[str, str]:
    """Id and secret of a client that may read and nothing else."""
    return "demo:reader", access(shared()).add_client(TENANT, "demo:reader", "viewer")


@cache
def tenants_key(tenant: str) -> str:
    """A key of a tenant that is made for it."""
    people = access(shared())
    people.add_tenant(tenant)
    return people.add_key(tenant, "editor", "of another tenant")[0]


@cache
def user() -> tuple[str, str]:
    """Name and password of a user who may do what an editor may."""
    return "nomad@slipway.test", access(shared()).add_user(TENANT, "nomad@slipway.test", "editor")

"""A tenant's first credentials, one in every form that a door may ask for: an API key, a client, a user."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.hashing import new_secret
from app.access.principals import Access


@dataclass(frozen=True, slots=True)
class Bundle:
    """The credentials with their secrets, which nobody else keeps: to be shown once, or written to a private file."""

    tenant: str
    api_key: str
    client_id: str
    client_secret: str
    username: str
    password: str


def new(tenant: str) -> Bundle:
    """Fresh secrets. The client is `{tenant}:default`, the user is called like the tenant."""
    return Bundle(tenant, f"sk_{tenant}_{new_secret()}", f"{tenant}:default", new_secret(), tenant, new_secret())


def admit(access: Access, bundle: Bundle, role: str, name: str) -> None:
    """See to it that the credentials are known. What is known already stays as it is, and what was revoked stays revoked."""
    access.add_tenant(bundle.tenant)
    access.put_key(bundle.tenant, role, bundle.api_key, name)
    if access.keyring.credential("client", bundle.client_id) is None:
        access.add_client(bundle.tenant, bundle.client_id, role, bundle.client_secret)
    if access.keyring.credential("user", bundle.username) is None:
        access.add_user(bundle.tenant, bundle.username, role, bundle.password)


def found(access: Access, tenant: str, role: str) -> Bundle:
    """A new tenant and its first credentials. Raises ValueError: it exists already, or its name is no name, or is another tenant's user."""
    if access.keyring.credential("user", tenant) is not None and tenant not in access.tenants():
        raise ValueError(f"the user {tenant!r} belongs to another tenant")
    if not access.add_tenant(tenant):
        raise ValueError(f"the tenant {tenant!r} exists already")
    bundle = new(tenant)
    admit(access, bundle, role, "first key")
    return bundle

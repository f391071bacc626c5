"""Further names of assets, folders and documents: each is unique in its tenant, and stays with who had it first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.core.refs import Kind, Ref

SAME = "same:"  # so begin the names that an asset has by its content; they go with it


@dataclass(frozen=True, slots=True)
class Alias:
    """From a name to the record that has it."""

    tenant: str
    name: str
    kind: Kind
    id: str
    version: int = 0

    @property
    def ref(self) -> Ref:
        """The alias' own name among the records."""
        return alias_ref(self.tenant, self.name)

    @property
    def of(self) -> Ref:
        """The record that has it."""
        return Ref(self.kind, self.tenant, self.id)


def alias_ref(tenant: str, name: str) -> Ref:
    """Where the alias of this name lies."""
    return Ref(Kind.ALIAS, tenant, name)


def given(name: str, to: Ref) -> Alias:
    """The alias of a record."""
    return Alias(to.tenant, name, to.kind, to.id)


def same_content(dialect: str, digest: str, filename: str) -> str:
    """The name under which a dialect finds an asset of this content (`sha256:{hex}`) and filename."""
    named = hashlib.sha256(filename.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{SAME}{dialect}:{digest}:{named}"

"""What the bytes of an operation become, said at the door and kept to by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """Where nothing is said: a new asset at the root, found by its id alone.

    `asset_id`: chosen by the client or the dialect; None lets the worker make one. `replace`: the bytes of an asset of that id are
    replaced, else an id that is taken is refused (EXISTS); `rename`: filename and metadata are then replaced too; `revisions`: how many
    earlier contents stay; `move`: it goes to `parent` too; `expected`: the version at which it must stand until then, else PRECONDITION;
    `there`: it must be there until then, else GONE (an upsert goes without).
    `merge`: the metadata is laid over what was there, and a member that is None goes.
    `filename`, `metadata`: in the place of the upload's own (one upload may become several assets).
    `parent`: the folder's id. `aliases`: names under which the asset is found; one that is taken stays with who has it.
    `by_alias`: the asset that is found by it is the one whose bytes are replaced; when there is none, the new one is found by it.
    `same_alias`: the asset is found by its content and filename from then on; `unless_same`: an asset that is found so already is the
    result, and no new one is made.
    `document`, `slot`: the document of the same dialect whose slot the asset fills.
    """

    asset_id: str | None = None
    replace: bool = False
    rename: bool = False
    merge: bool = False
    filename: str | None = None
    metadata: Mapping[str, Any] | None = None
    parent: str | None = None
    aliases: tuple[str, ...] = ()
    by_alias: str | None = None
    same_alias: bool = False
    unless_same: bool = False
    move: bool = False
    expected: int | None = None
    there: bool = False
    revisions: int = 0
    document: str | None = None
    slot: str = ""

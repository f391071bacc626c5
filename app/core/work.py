"""What a worker has claimed."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.operation import ATTACH, Operation
from app.core.refs import Kind, Ref
from app.core.target import Target
from app.core.upload import Upload


@dataclass(frozen=True, slots=True)
class Work:
    """The operation as claimed, its upload, the key at which the upload's bytes rest when no equal ones do, and the id of an asset to be made."""

    op: Operation
    up: Upload
    key: str
    asset_id: str

    @property
    def refs(self) -> list[Ref]:
        """Operation, upload, blob: what every ending of the work is a commit over."""
        return [self.op.ref, self.up.ref, self.blob_ref]

    @property
    def blob_ref(self) -> Ref:
        """The upload's own blob."""
        return Ref(Kind.BLOB, self.op.tenant, self.key)

    @property
    def target(self) -> Target:
        """What the bytes become."""
        return self.op.target

    @property
    def attaching(self) -> bool:
        """Whether it uses what another operation brought to rest."""
        return self.op.kind == ATTACH

    @property
    def keeping(self) -> bool:
        """Whether the bytes rest for later use, and become no asset."""
        return self.up.kept and not self.attaching

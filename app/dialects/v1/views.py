"""The JSON of `/v1`: what a client sees of an operation, an upload and an asset."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core import parts
from app.core.asset import Asset
from app.core.operation import Operation
from app.core.parts import Part, Parts, Slot
from app.core.upload import Upload
from app.web import problems
from app.web.replies import absolute

Json = dict[str, object]


def moment(seconds: float | None) -> str | None:
    """A time as RFC 3339 in UTC, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def operation(op: Operation) -> Json:
    """The status monitor."""
    resource = absolute(f"/v1/assets/{op.asset_ids[0]}") if op.asset_ids else None
    shown: Json = {
        "id": op.id,
        "kind": op.kind,
        "status": op.status.value,
        "progress": {"stage": op.progress.stage, "bytes": op.progress.bytes, "total": op.progress.total},
        "uploadId": op.upload_id,
        "createdAt": moment(op.created_at),
        "updatedAt": moment(op.updated_at),
        "expiresAt": moment(op.expires_at),
    }
    if resource:
        shown["resourceUrl"] = resource
    if op.warnings:
        shown["warnings"] = [{"code": w.code.value, "detail": w.message, **w.facts} for w in op.warnings]
    if op.problem:
        shown["problem"] = problems.document(op.problem)
    return shown


def upload(up: Upload, offset: int) -> Json:
    """An upload as it stands: `offset` bytes of a stream are kept."""
    return {
        "id": up.id,
        "state": up.state.value,
        "filename": up.filename,
        "size": up.length,
        "mediaType": up.declared_type,
        "digest": up.digest,
        "offset": offset,
        "partSize": up.part_size if up.planned else None,
        "operationId": up.operation_id,
        "operationUrl": absolute(f"/v1/operations/{up.operation_id}"),
        "url": absolute(f"/v1/uploads/{up.id}"),
        "completeUrl": absolute(f"/v1/uploads/{up.id}/complete"),
        "createdAt": moment(up.created_at),
        "expiresAt": moment(up.expires_at),
    }


def held(table: Parts) -> list[Json]:
    """The parts that are there, by number."""
    return [_part(table.held[number]) for number in sorted(table.held)]


def _part(part: Part) -> Json:
    return {"number": part.number, "offset": part.offset, "size": part.size, "etag": part.etag}


def slots(up: Upload, numbers: list[int] | None) -> list[Slot]:
    """The places asked for; without numbers the whole plan, which is empty while the length is not known.

    Raises UploadError(PART_UNKNOWN).
    """
    if numbers is None:
        return parts.plan(up.part_size, up.length) if up.length is not None else []
    return [parts.slot(number, up.part_size, up.length, up.policy.max_parts) for number in numbers]


def asset(of: Asset, renditions: int) -> Json:
    """An asset: what was measured, never what was declared. `storedBytes` are its own, those of earlier contents, and its `renditions`."""
    facts = of.facts
    contents = sum(each.size for each in (facts, *(revision.facts for revision in of.revisions)) if each)
    return {
        "id": of.id,
        "filename": of.filename,
        "state": of.state.value,
        "digest": facts.digest if facts else None,
        "size": facts.size if facts else None,
        "storedBytes": contents + renditions,
        "mediaType": facts.media_type if facts else None,
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "frames": facts.frames if facts else None,
        "orientation": facts.orientation if facts else None,
        "trailingBytes": facts.trailing if facts else None,
        "kept": of.expires_at is None,
        "usage": of.usage,
        "uploadId": of.upload_id,
        "contentUrl": absolute(f"/v1/assets/{of.id}/content"),
        "createdAt": moment(of.created_at),
        "updatedAt": moment(of.updated_at),
        "expiresAt": moment(of.expires_at),
    }

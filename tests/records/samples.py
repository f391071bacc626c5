"""Entities to store."""

from dataclasses import replace

from app.core.alias import Alias
from app.core.asset import Asset, Blob, Pointer
from app.core.document import Document
from app.core.folder import Folder
from app.core.operation import Operation
from app.core.parts import Part
from app.core.policy import Policy
from app.core.ports import Change
from app.core.upload import Staged, Upload

NOW = 1_750_000_000.25


def an_upload(id="u1", tenant="acme", **fields):
    base = Upload(id, tenant, "me", "v1", Policy(), id, Staged(f"staging/{tenant}/{id}"), NOW, NOW + 600, 100)
    return replace(base, **fields)


def an_operation(id="u1", tenant="acme", **fields):
    return replace(Operation(id, tenant, "me", "ingest", NOW, NOW, NOW + 700, upload_id=id), **fields)


def an_asset(id="a1", tenant="acme", **fields):
    return replace(Asset(id, tenant, "me", "v1", "cat.png", NOW, NOW), **fields)


def a_folder(id="f1", tenant="acme", **fields):
    return replace(Folder(id, tenant, "me", "v1", "pictures", NOW, NOW), **fields)


def a_document(id="d1", tenant="acme", **fields):
    return replace(Document(id, tenant, "v1", "me", NOW, NOW), **fields)


def an_alias(name="n1", to=None, tenant="acme"):
    of = (to or an_asset(tenant=tenant)).ref
    return Alias(of.tenant, name, of.kind, of.id)


def a_blob(id="u1", tenant="acme", **fields):
    return replace(Blob(f"blobs/{tenant}/{id}", tenant), **fields)


def a_pointer(blob, digest="sha256:aa", **fields):
    return replace(Pointer(blob.tenant, digest, blob.key), **fields)


def a_part(number=1, size=100, etag="e"):
    return Part(number, (number - 1) * 100, size, etag)


def put(records, *entities, **more):
    """Write them, whatever stands there."""
    refs = [*(entity.ref for entity in entities), *(ref for ref, _ in more.get("hold", ()))]
    return records.commit(refs, lambda *_: Change(put=entities, **more))


def newer(entity, **fields):
    return replace(entity, version=entity.version + 1, **fields)

"""The JSON that `/v1` answers, as schemas: what `views` makes, for the document that describes it. Members may be added later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from app.core.asset import AssetState
from app.core.errors import Code
from app.core.operation import Status
from app.core.upload import State


def text(says: str = "", *, null: bool = False, **more: Any) -> fields.String:
    """A text that is always there; `null`: or null."""
    return fields.String(required=True, allow_none=null, metadata={"description": says, **more} if says else more)


def count(says: str = "", *, null: bool = False) -> fields.Integer:
    """A whole number from 0 that is always there."""
    return fields.Integer(required=True, allow_none=null, metadata={"description": says} if says else {}, validate=validate.Range(min=0))


def link(says: str) -> fields.String:
    """An absolute URL."""
    return text(says, format="uri")


def moment(says: str, *, null: bool = False) -> fields.String:
    """A time in UTC, to the millisecond."""
    return text(says, null=null, format="date-time")


def one_of(values: Iterable[str], says: str = "") -> fields.String:
    """One of these words."""
    return fields.String(required=True, validate=validate.OneOf(list(values)), metadata={"description": says} if says else {})


class Shown(Schema):
    """Whoever reads an answer passes over what he does not know."""

    class Meta:
        """How marshmallow takes what is not listed."""

        unknown = INCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """In JSON a name is `likeThis`."""
        first, *rest = field_name.split("_")
        field_obj.data_key = first + "".join(map(str.capitalize, rest))


class Problem(Shown):
    """RFC 9457; the facts behind the code are members, too."""

    type = text("`urn:slipway:problem:` and the code", format="uri")
    title = text()
    status = fields.Integer(required=True, validate=validate.Range(min=400, max=599))
    detail = text("a sentence for people")
    code = one_of(Code, "stable; what a program looks at")
    trace_id = fields.String(metadata={"description": "found in the log, too"})


class Progress(Shown):
    """Where the work stands."""

    stage = text("receiving, queued, and what a worker is at")
    bytes = count("done")
    total = count("of as many", null=True)


class Warning(Shown):  # noqa: A001 - what the document calls it
    """What its client is told although it went well; the facts behind the code are members, too."""

    code = one_of(Code)
    detail = text()


class Operation(Shown):
    """The promise."""

    id = text()
    kind = text("ingest: bytes become an asset")
    status = one_of(Status, "completed, failed and cancelled are final")
    progress = fields.Nested(Progress, required=True)
    upload_id = text(null=True)
    created_at = moment("when it was promised")
    updated_at = moment("of the last change")
    expires_at = moment("until then it may be asked for; 410 after that", null=True)
    resource_url = fields.String(metadata={"description": "the asset, as soon as it is completed", "format": "uri"})
    problem = fields.Nested(Problem, metadata={"description": "why it failed"})
    warnings = fields.List(fields.Nested(Warning), metadata={"description": "what is odd about a file that was taken"})


class Slot(Shown):
    """Where a part belongs, and where to send it."""

    number = fields.Integer(required=True, validate=validate.Range(min=1))
    offset = count("of its first byte")
    size = count("exactly; null while nobody knows where the file ends", null=True)
    url = link("PUT it here; good until the upload's deadline, for an hour at the most")


class Slots(Shown):
    """Fresh URLs."""

    parts = fields.List(fields.Nested(Slot), required=True)


class Part(Shown):
    """A part that is there."""

    number = fields.Integer(required=True, validate=validate.Range(min=1))
    offset = count("of its first byte")
    size = count()
    etag = text()


class Bytes(Shown):
    """What every form of an upload says."""

    id = text()
    state = one_of(State)
    filename = text("null where another door asks for none", null=True)
    size = count("null while it is not known", null=True)
    media_type = text("as declared", null=True)
    digest = text("as declared", null=True)
    offset = count("bytes of a stream that are kept")
    part_size = count("null for an upload that has no parts", null=True)
    operation_id = text()
    operation_url = link("the status monitor")
    url = link("this")
    complete_url = link("POST when every part is there")
    created_at = moment("when it was opened")
    expires_at = moment("the deadline")


class Upload(Bytes):
    """An upload as it stands."""

    parts = fields.List(fields.Nested(Part), metadata={"description": "those that are there, of an upload in parts"})


class Announced(Bytes):
    """An upload that waits for its bytes."""

    upload_url = fields.String(metadata={"description": "PUT the whole file here", "format": "uri"})
    parts = fields.List(fields.Nested(Slot), metadata={"description": "the plan; empty while the size is not known"})
    parts_url = fields.String(metadata={"description": "POST for fresh URLs", "format": "uri"})


class Promise(Operation):
    """The operation; beside it the upload, where one was announced."""

    upload = fields.Nested(Announced)


class Asset(Shown):
    """What was measured, never what was declared."""

    id = text()
    filename = text()
    state = one_of(AssetState)
    digest = text("`sha256:` and 64 hex digits", null=True)
    size = count(null=True)
    stored_bytes = count("its own, those of earlier contents and of renditions")
    media_type = text(null=True)
    width = count(null=True)
    height = count(null=True)
    frames = count(null=True)
    orientation = count("of EXIF, 1 to 8", null=True)
    trailing_bytes = count("that follow the end of the image", null=True)
    kept = fields.Boolean(required=True, metadata={"description": "whether it stays for ever"})
    usage = text("what it is kept for", null=True)
    upload_id = text(null=True)
    content_url = link("its bytes")
    created_at = moment("when it was made")
    updated_at = moment("of the last change")
    expires_at = moment("when it goes, unless it is kept", null=True)


class Link(Shown):
    """A URL that gives the bytes to whoever has it."""

    url = link("no key is needed")
    expires_at = moment("until then")


class Listed(Shown):
    """A page of a list, newest first."""

    next = text("the next page; null at the end", null=True, format="uri")


class Operations(Listed):
    """A page of operations."""

    items = fields.List(fields.Nested(Operation), required=True)


class Assets(Listed):
    """A page of assets."""

    items = fields.List(fields.Nested(Asset), required=True)


class UsedBytes(Shown):
    """Bytes that the tenant takes up."""

    stored = count("at rest")
    in_flight = count("of uploads under way")
    used = count("both")
    limit = count("null: none", null=True)


class UsedUploads(Shown):
    """Uploads under way."""

    in_flight = count()
    limit = count("null: none", null=True)


class Usage(Shown):
    """What the tenant takes up, and what it may."""

    bytes = fields.Nested(UsedBytes, required=True)
    uploads = fields.Nested(UsedUploads, required=True)


class Transferred(Shown):
    """What is promised at a signed URL."""

    operation_id = text()
    status = one_of(Status)


class Token(Schema):
    """RFC 6749, section 5.1."""

    class Meta(Shown.Meta):
        """As above."""

    access_token = text()
    token_type = one_of(["Bearer"])
    expires_in = count("seconds")
    scope = text("what was granted")


class OAuthError(Schema):
    """RFC 6749, section 5.2."""

    class Meta(Shown.Meta):
        """As above."""

    error = text("invalid_request, invalid_client, invalid_grant, invalid_scope, unsupported_grant_type, unsupported_token_type")
    error_description = fields.String()


class Ready(Shown):
    """Which parts of the house are up."""

    status = one_of(["ready", "unready"])
    parts = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True)
    pressure = fields.Dict(required=True, metadata={"description": "why no new work is taken, if none is"})

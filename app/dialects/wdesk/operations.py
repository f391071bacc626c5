"""Operations: polled with any valid token; their results with `file:read`."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core.errors import Code, UploadError
from app.core.operation import Operation, Status
from app.core.policy import Scope
from app.dialects.wdesk import envelope, families, links
from app.dialects.wdesk.tokens import speaker
from app.web.dialect import doors
from app.web.replies import POLL, answer
from app.web.schemas import load

OPERATIONS = Blueprint("operations", __name__)

PAGE_SIZE = 1000  # the most, as published, and what comes unasked


class Paging(Schema):
    """The query of a result collection. `$next` is opaque to clients: here how many results went before."""

    class Meta:
        """Other query parameters do no harm."""

        unknown = EXCLUDE

    most = fields.Integer(data_key="$maxpagesize", load_default=PAGE_SIZE, validate=validate.Range(min=1, max=PAGE_SIZE))
    start = fields.Integer(data_key="$next", load_default=0, validate=validate.Range(min=0))


@OPERATIONS.get("/operations/<id>")
def show(id: str) -> Response:
    """The operation as it stands, with Retry-After until it is final."""
    op = doors().library.operation(speaker(), id)
    response = answer(view(op))
    response.headers["Cache-Control"] = "no-store"
    if not op.final:
        response.headers["Retry-After"] = POLL
    return response


@OPERATIONS.get("/operations/<id>/imageUploadResults")
def results(id: str) -> Response:
    """What came of a completed upload: the ids of its images, a page of them."""
    op = doors().library.operation(speaker(Scope.ASSETS_READ), id)
    if op.status is not Status.COMPLETED:
        raise UploadError(Code.NOT_FOUND, what="result")
    page = load(Paging(), request.args.to_dict())
    end = page["start"] + page["most"]
    images = [links.image_id(asset_id) for asset_id in op.asset_ids[page["start"] : end]]
    shown: dict[str, object] = {"data": [{"type": "image", "image": image} for image in images]}
    if end < len(op.asset_ids):
        shown["@nextLink"] = f"{_results_url(op)}?%24maxpagesize={page['most']}&%24next={end}"
    return answer(shown)


def view(op: Operation) -> dict[str, object]:
    """The vendor's Operation. `originalRequest` must be a UUID: the upload's id."""
    shown: dict[str, object] = {
        "id": op.id,
        "status": op.status.value,
        "created": {"dateTime": _moment(op.created_at), "user": {"id": op.owner}},
        "updated": {"dateTime": _moment(op.updated_at)},
        "originalRequest": op.upload_id,
    }
    if op.status is Status.COMPLETED:
        shown["resourceUrl"] = _results_url(op)
    if op.problem:
        shown["details"] = [envelope.detail(op.problem)]
    return shown


def _results_url(op: Operation) -> str:
    return families.url(f"/operations/{op.id}/imageUploadResults")


def _moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

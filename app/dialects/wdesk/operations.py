"""Operations: polled with any valid token; their results with `file:read`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from app.core.errors import Code, UploadError
from app.core.operation import Operation, Status
from app.core.policy import Principal, Scope
from app.dialects.wdesk import envelope, families, files, links
from app.dialects.wdesk.moments import action, moment
from app.dialects.wdesk.tokens import speaker
from app.web.patience import followed
from app.web.replies import POLL, answer
from app.web.schemas import load

OPERATIONS = Blueprint("operations", __name__)

PAGE_SIZE = 1000  # the most, as published, and what comes unasked
OF_IMAGES, OF_IMPORTS = "imageUploadResults", "importFileResults"


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
    op, said = _operation(speaker(), id)
    response = answer(view(op, said))
    response.headers["Cache-Control"] = "no-store"
    if not op.final:
        response.headers["Retry-After"] = POLL
    return response


@OPERATIONS.get(f"/operations/<id>/{OF_IMAGES}")
def images(id: str) -> Response:
    """What came of a completed upload: the ids of its images, a page of them."""
    return _results(id, OF_IMAGES, lambda asset_id, _: {"type": "image", "image": links.hex_id(asset_id)})


@OPERATIONS.get(f"/operations/<id>/{OF_IMPORTS}")
def imports(id: str) -> Response:
    """What came of a completed import: its files, a page of them."""
    return _results(id, OF_IMPORTS, files.result)


def _results(id: str, collection: str, shown: Callable[[str, Mapping[str, Any]], dict[str, object]]) -> Response:
    op, said = _operation(speaker(Scope.ASSETS_READ), id)
    if op.status is not Status.COMPLETED or _collection(said) != collection:
        raise UploadError(Code.NOT_FOUND, what="result")
    page = load(Paging(), request.args.to_dict())
    end = page["start"] + page["most"]
    found: dict[str, object] = {"data": [shown(asset_id, said) for asset_id in op.asset_ids[page["start"] : end]]}
    if end < len(op.asset_ids):
        found["@nextLink"] = f"{_results_url(op, collection)}?%24maxpagesize={page['most']}&%24next={end}"
    return answer(found)


def _operation(who: Principal, id: str) -> tuple[Operation, Mapping[str, Any]]:
    """An operation of this door, and what was said of the file when it began, which tells an import from an image. Raises UploadError(NOT_FOUND)."""
    op, up = followed(who, id, links.NAME)
    return op, up.metadata


def _collection(said: Mapping[str, Any]) -> str:
    return OF_IMPORTS if files.is_import(said) else OF_IMAGES


def view(op: Operation, said: Mapping[str, Any]) -> dict[str, object]:
    """The vendor's Operation. `originalRequest` must be a UUID: the upload's id."""
    shown: dict[str, object] = {
        "id": op.id,
        "status": op.status.value,
        "created": action(op.created_at, op.owner),
        "updated": {"dateTime": moment(op.updated_at)},
        "originalRequest": op.upload_id,
    }
    if op.status is Status.COMPLETED:
        shown["resourceUrl"] = _results_url(op, _collection(said))
    if op.problem:
        shown["details"] = [envelope.detail(op.problem, "file" if files.is_import(said) else "image")]
    return shown


def _results_url(op: Operation, collection: str) -> str:
    return families.url(f"/operations/{op.id}/{collection}")

"""Operations: where who did not wait for the answer finds it. Not the vendor's: its own server has no such thing."""

from __future__ import annotations

from flask import Response, g, request

from app.core.errors import Code, UploadError
from app.core.operation import FETCH, Operation, Status
from app.core.policy import Principal, Scope
from app.dialects.squidex import views
from app.dialects.squidex.asked import NAME, NO_FOLDER, invalid
from app.dialects.squidex.assets import shown
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import seen
from app.web.dialect import doors
from app.web.patience import followed, promised
from app.web.replies import absolute

OPERATIONS = Routes("operations", __name__)

FETCHED_TOO_LARGE = "File exceeded maximum request size."


def path(op: Operation) -> str:
    """Where an operation is polled."""
    return f"{views.MOUNT}/api/operations/{op.id}"


@OPERATIONS.get("/api/operations/<id>")
def show(id: str) -> Response:
    """202 while it runs; then what the vendor would have answered to the upload."""
    who = doors().access.bearer(request.headers.get("Authorization"))
    g.squidex_app = who.tenant
    doors().access.require(who, Scope.OPERATIONS_READ)
    return answered(followed(who, id, NAME)[0], who)


def answered(op: Operation, who: Principal) -> Response:
    """The vendor's answer to an upload: 201 for a new asset, 200 for a new content; a refusal is raised."""
    if not op.final:
        told = {"id": op.id, "status": op.status.value, "_links": {"self": views.link("GET", path(op))}}
        return promised(op, told, NAME)
    _raise_failure(op)
    of = seen(who, op.asset_ids[0])
    response = shown(of, who, 200 if op.target.replace else 201, duplicate=of.upload_id != op.upload_id)
    if not op.target.replace:
        response.headers["Location"] = absolute(views.assets_path(of.tenant, of.id))
    return response


def _raise_failure(op: Operation) -> None:
    if op.problem is not None:
        why = op.problem
        if op.kind == FETCH and why.code is Code.TOO_LARGE:
            raise invalid(FETCHED_TOO_LARGE)
        if why.code is Code.NOT_FOUND and why.facts.get("what") == "folder":
            raise invalid(NO_FOLDER)
        raise UploadError(why.code, **{"id": op.target.asset_id, "expected": op.target.expected, **why.facts})
    if op.status is not Status.COMPLETED:
        raise UploadError(Code.UPLOAD_CANCELLED)

"""Many changes in one request: each is done for itself, and its outcome told by the place that it had in the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, validate

from app.core.errors import UploadError
from app.core.policy import Principal, Scope
from app.dialects.squidex import changes
from app.dialects.squidex.asked import Body, Truth, body, existing_folder
from app.dialects.squidex.envelope import error_dto
from app.dialects.squidex.routes import Routes
from app.dialects.squidex.shelf import there
from app.dialects.squidex.tokens import speaker
from app.web.dialect import doors
from app.web.replies import answer

BULK = Routes("bulk", __name__)

MOST = 1000  # jobs; each is a commit of its own
SCOPES: Mapping[str, Scope] = {"annotate": Scope.ASSETS_WRITE, "move": Scope.ASSETS_WRITE, "delete": Scope.ASSETS_DELETE}


def _known(value: str) -> None:
    if value.lower() not in SCOPES:
        raise ValidationError(f"No such type: {value}.")


class Job(changes.Annotation):
    """One change. Its type is annotation where none is said."""

    id = fields.String(required=True)
    type = fields.String(load_default="Annotate", validate=_known)
    parent_id = fields.String(data_key="parentId", allow_none=True, load_default=None)
    permanent = Truth(load_default=False)
    expected_version = fields.Integer(data_key="expectedVersion", allow_none=True, load_default=None, strict=True)


class Jobs(Body):
    """The body. What the vendor can leave out for speed (`optimizeValidation`, `doNotScript`) makes no difference here."""

    jobs = fields.List(fields.Nested(Job), allow_none=True, load_default=None, validate=validate.Length(max=MOST))


@BULK.post("/api/apps/<app>/assets/bulk")
def update(app: str) -> Response:
    """All that can be done is done; what cannot is told, and does not hinder the rest."""
    who = speaker(app, Scope.ASSETS_READ)
    jobs = body(Jobs())["jobs"] or []
    return answer([_outcome(who, number, job) for number, job in enumerate(jobs)])


def _outcome(who: Principal, number: int, job: Mapping[str, Any]) -> dict[str, object]:
    told: dict[str, object] = {"jobIndex": number, "id": job["id"], "contentId": job["id"]}
    try:
        _do(who, job)
    except UploadError as refusal:
        why = refusal.problem
        told["error"] = error_dto(replace(why, facts={"id": job["id"], "expected": expected(job), **why.facts}))
    return told


def _do(who: Principal, job: Mapping[str, Any]) -> None:
    kind, version = job["type"].lower(), expected(job)
    doors().access.require(who, SCOPES[kind])
    if kind == "delete":
        changes.delete(who, job["id"], version, permanent=job["permanent"])
    elif kind == "move":
        changes.move(who, there(who, job["id"]), existing_folder(who, job["parent_id"]), version)
    else:
        changes.annotate(who, there(who, job["id"]), job, version)


def expected(job: Mapping[str, Any]) -> int | None:
    """The version that the job names; the vendor writes `any` as a negative one."""
    version: int | None = job["expected_version"]
    return None if version is None or version < 0 else version

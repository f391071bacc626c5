"""What the lists of `/v1` share: the question in the query, and the slice that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from marshmallow import Schema

from app.core.listing import Slice, Wanted
from app.core.policy import Principal
from app.core.refs import Kind, Place, Shelf
from app.web.dialect import doors
from app.web.paging import Question, query
from app.web.schemas import load


def asked(who: Principal, schema: Schema, path: str, kind: Kind) -> tuple[Question, dict[str, Any]]:
    """The question of the request, and its filters. Raises UploadError(INVALID)."""
    told = query(request)
    return Question(path, kind, who.tenant, told), load(schema, told)


def sliced(question: Question, wanted: dict[str, Any], shelves: tuple[Shelf, ...], fits: Callable[[Any], bool]) -> Slice:
    """The page asked for: made before `before`, and at `since` or later. Raises UploadError(INVALID) for a wrong cursor."""
    first = Place(wanted["before"]) if "before" in wanted else None
    return doors().library.slice(Wanted(shelves, wanted["limit"], fits, question.place or first, wanted.get("since")))

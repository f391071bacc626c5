"""Where a complete call is looked after that took longer than its client would wait."""

from __future__ import annotations

from flask import Blueprint, Response

from app.core.operation import Operation
from app.core.policy import Scope
from app.dialects.nomad.account import speaker
from app.dialects.nomad.links import MOUNT
from app.dialects.nomad.places import NAME
from app.dialects.nomad.uploads import outcome
from app.web.patience import followed

OPERATIONS = Blueprint("operations", __name__, url_prefix="/api/operations")


@OPERATIONS.get("/<id>")
def show(id: str) -> Response:
    """202 while the worker has it, then what complete would have answered."""
    return outcome(*followed(speaker(Scope.OPERATIONS_READ), id, NAME))


def monitor(op: Operation) -> str:
    """Where an operation is polled."""
    return f"{MOUNT}/api/operations/{op.id}"

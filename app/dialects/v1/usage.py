"""`/v1/usage`: what the tenant takes up, and what it may."""

from __future__ import annotations

from flask import Blueprint, Response

from app.core.policy import Scope
from app.dialects.v1.access import speaker
from app.web.dialect import doors
from app.web.replies import answer

USAGE = Blueprint("usage", __name__, url_prefix="/usage")


@USAGE.get("")
def show() -> Response:
    """Bytes at rest and in flight, uploads under way; a limit of null is none."""
    of = doors().standing(speaker(Scope.ASSETS_READ).tenant)
    shown = {
        "bytes": {"stored": of.tally.rest, "inFlight": of.tally.flight, "used": of.tally.bytes, "limit": of.limits.bytes or None},
        "uploads": {"inFlight": of.tally.uploads, "limit": of.limits.uploads or None},
    }
    response = answer(shown)
    response.headers["Cache-Control"] = "no-store"
    return response

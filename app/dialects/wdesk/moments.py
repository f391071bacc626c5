"""Who did something, and when, as the vendor's Action."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def action(seconds: float, user: str) -> dict[str, object]:
    """At a time, by a user."""
    return {"dateTime": moment(seconds), "user": {"id": user}}

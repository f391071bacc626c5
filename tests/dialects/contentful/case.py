"""What the contract of dialects needs to know of Contentful."""

from __future__ import annotations

from tests.dialects.cases import Ask, Case, Headers
from tests.dialects.contentful.speak import MASTER, asset
from tests.dialects.house import Door

PROCESS = f"{MASTER}/assets/promised/files/en-US/process"
SOME_ID = "0190d6e5-0000-7000-8000-000000000000"


def _speak(door: Door) -> Headers:
    """Somebody with a key, and an asset that waits for its processing."""
    who = door.key()
    if door.send("GET", f"{MASTER}/assets/promised", who).status_code != 200:
        asset(door, who, id="promised")
    return who


CASE = Case(
    speak=_speak,
    asks=(Ask("PUT", PROCESS, {"Prefer": "respond-async"}),),
    final=lambda answer: answer.status_code == 204,
    too_large=lambda _door, _who: ("POST", f"{MASTER}/uploads"),
    open_to_all=frozenset({f"/contentful/{SOME_ID}/{SOME_ID}/{SOME_ID}/{SOME_ID}"}),
)

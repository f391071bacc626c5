"""What the contract of all dialects needs to know of Nomad Media."""

from __future__ import annotations

from app.core.reception import Opening
from app.web.dialect import EXTENSION
from tests.dialects.cases import Ask, Case, Headers
from tests.dialects.house import Door
from tests.dialects.nomad.speak import API, UPLOAD, user
from tests.dialects.pictures import picture
from tests.web.flows import Pieces

ID = "0190d6e5-0000-7000-8000-000000010000"  # ends as the id of an upload does


def _speak(door: Door) -> Headers:
    """Somebody who logged in, and an upload of his with all its parts."""
    who = user(door)
    speaker, policy = door.access.bearer(who["Authorization"]), door.app.extensions[EXTENSION].policies["nomad"]
    content = picture()
    known = {"asset": ID, "place": "nomad:/a.png", "parent": None}
    opening = Opening("a.png", length=len(content), planned=True, id=ID, metadata=known)
    up = door.house.reception.open(speaker, "nomad", policy, opening)
    door.house.reception.accept_part(up, 1, Pieces(content))
    return who


def _final(answer) -> bool:
    return answer.status_code == 200 and answer.get_json()["totalItemCount"] == 1 and bool(answer.get_json()["items"][0]["id"])


CASE = Case(
    speak=_speak,
    asks=(Ask("POST", f"{UPLOAD}/{ID}/complete", {"Prefer": "respond-async"}),),
    final=_final,
    too_large=lambda _door, _who: ("POST", f"{API}/account/login"),
    open_to_all=frozenset({f"{API}/account/login", f"{API}/account/refresh-token"}),
)

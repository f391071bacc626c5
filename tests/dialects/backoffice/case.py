"""What the contract of all dialects needs to know of Backoffice."""

from __future__ import annotations

from tests.dialects.backoffice.speak import KEY, PLACE, TYPE, form, key, part
from tests.dialects.cases import Ask, Case

LATER = {**TYPE, "Prefer": "respond-async"}


def _final(answer) -> bool:
    return answer.status_code == 200 and bool(KEY.fullmatch(answer.get_json()["data"]["key"]))


CASE = Case(
    speak=key,
    asks=(Ask("POST", PLACE, LATER, form(part())), Ask("POST", PLACE, LATER, form(part(filename="B.PNG", media_type=None)))),
    final=_final,
    too_large=lambda _door, _who: ("POST", PLACE),
)

"""The contract's entry of Squidex."""

from __future__ import annotations

from app.core.errors import Code
from tests.dialects.cases import Ask, Case
from tests.dialects.squidex.speak import ASSETS, FORM, file, form, token

SOME_ID = "0190d6e5-0000-7000-8000-000000000000"
LATER = {"Content-Type": FORM, "Prefer": "respond-async"}
OPEN = f"/squidex/api/assets/{SOME_ID}/{SOME_ID}"  # a download takes no credentials unless the asset is protected


def _too_large(_door, who):
    who["Content-Type"] = FORM  # another type is refused before the length is looked at
    return "POST", ASSETS


CASE = Case(
    speak=token,
    asks=(
        Ask("POST", ASSETS, LATER, form(file())),
        Ask("POST", f"{ASSETS}/chosen", LATER, form(file(b"text", "a.txt", "text/plain"))),
    ),
    final=lambda answer: answer.status_code in {200, 201} and bool(answer.get_json()["_links"]["content"]),
    too_large=_too_large,
    open_to_all=frozenset({"/squidex/identity-server/connect/token", OPEN, f"{OPEN}/<path:more>"}),
    wordless=frozenset({Code.RATE_LIMITED}),
)

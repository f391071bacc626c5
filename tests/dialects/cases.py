"""What the contract needs to know of each dialect: how its clients speak. One entry a dialect; one that is missing fails the contract.

The entries of v1 and wdesk stand here; another dialect's is the `CASE` of `tests/dialects/{name}/case.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.errors import Code
from tests.dialects.house import Door, bearer
from tests.dialects.pictures import picture

Headers = dict[str, str]


@dataclass(frozen=True)
class Ask:
    """A request that is answered with 202. `fulfil` does what the client still owes after it."""

    method: str
    path: str
    headers: Headers = field(default_factory=dict)
    body: Any = None
    fulfil: Callable[[Door, Any, Headers], None] = lambda *_: None


@dataclass(frozen=True)
class Case:
    """`speak`: the headers of somebody who may do everything. `open_to_all`: paths that take no credentials.

    `asks`: what is promised with 202. `final`: whether an answer of its Location is the vendor's last word.
    `too_large`: method and path of a request whose body is refused by its Content-Length alone.
    `wordless`: the refusals that the vendor sends without a body.
    """

    speak: Callable[[Door], Headers]
    asks: tuple[Ask, ...]
    final: Callable[[Any], bool]
    too_large: Callable[[Door, Headers], tuple[str, str]]
    open_to_all: frozenset[str] = frozenset()
    wordless: frozenset[Code] = frozenset()


def _v1_put(door: Door, answer: Any, _headers: Headers) -> None:
    assert door.send("PUT", answer.get_json()["upload"]["uploadUrl"], None, picture()).status_code == 202


def _completed(answer: Any) -> bool:
    return answer.status_code == 200 and answer.get_json()["status"] == "completed" and bool(answer.get_json()["resourceUrl"])


V1 = Case(
    speak=lambda door: door.key(),
    asks=(
        Ask("POST", "/v1/uploads", {"Content-Type": "image/png"}, picture()),
        Ask("POST", "/v1/uploads", {}, {"filename": "a.png"}, _v1_put),
    ),
    final=_completed,
    too_large=lambda _door, _who: ("POST", "/v1/uploads"),
    open_to_all=frozenset({"/v1/openapi.json"}),
)


def _token(door: Door) -> Headers:
    client_id, secret = door.client_of()
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
    return bearer(door.send("POST", "/wdesk/oauth2/token", None, form).get_json()["access_token"])


def _wdesk_put(door: Door, answer: Any, who: Headers) -> None:
    assert door.send("PUT", answer.get_json()["uploadUrl"], who, picture()).status_code == 200


def _upload_url(door: Door, who: Headers) -> tuple[str, str]:
    return "PUT", door.send("POST", "/wdesk/content/images/upload", who).get_json()["uploadUrl"]


WDESK = Case(
    speak=_token,
    asks=(
        Ask("POST", "/wdesk/content/images/upload", fulfil=_wdesk_put),
        Ask("POST", "/wdesk/prototype/platform/content/images/upload", body={"fileName": "a.png"}, fulfil=_wdesk_put),
    ),
    final=_completed,
    too_large=_upload_url,
    open_to_all=frozenset({"/wdesk/oauth2/token", "/wdesk/iam/v1/oauth2/token"}),
)


def cases() -> Mapping[str, Case]:
    """Every entry, by the dialect's name."""
    elsewhere = sorted(file.parent.name for file in Path(__file__).parent.glob("*/case.py"))
    return {"v1": V1, "wdesk": WDESK} | {name: importlib.import_module(f"tests.dialects.{name}.case").CASE for name in elsewhere}

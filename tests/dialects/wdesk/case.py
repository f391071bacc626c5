"""What the contract of all dialects needs to know of Wdesk, with the import of files."""

from __future__ import annotations

from dataclasses import replace

from tests.dialects.cases import WDESK, Ask

CSV = b"a,b\n1,2\n"


def _put(door, answer, who):
    assert door.send("PUT", answer.get_json()["uploadUrl"], who, CSV).status_code == 200


IMPORTS = tuple(
    Ask("POST", f"/wdesk{family}/files/import", body={"fileName": "a.csv"}, fulfil=_put)
    for family in ("", "/prototype/platform", "/platform/v1")
)
CASE = replace(WDESK, asks=(*WDESK.asks, *IMPORTS))

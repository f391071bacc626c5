"""What the vendor's JSON is woven from: ids, links, moments, and the URL of a file.

::

    /contentful/{space}/{asset}/{token}/{file name}     the token is ours: an HMAC over what the file is; no Authorization is asked for
"""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime
from urllib.parse import quote

from app.core.policy import DAY
from app.web.dialect import doors
from app.web.replies import absolute

NAME = "contentful"
MOUNT = "/contentful"
MASTER = "master"  # the one environment of a space
ALPHABET = string.ascii_letters + string.digits
ID_LENGTH = 22
TOKEN_LENGTH = 32  # hex digits, as many as the vendor's


def new_id() -> str:
    """22 letters and digits: 131 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))


def link(kind: str, id: str) -> dict[str, object]:
    """A Link, as it stands in `sys`."""
    return {"sys": {"type": "Link", "linkType": kind, "id": id}}


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def second(seconds: float) -> str:
    """The same to the second, written with milliseconds: how an upload tells its times (recorded)."""
    return moment(float(int(seconds)))


def midnight_after(arrived: float) -> float:
    """When an upload that arrived then expires: the first midnight in UTC that is at least 24 hours later."""
    return -(-(arrived + DAY) // DAY) * DAY


def token(space: str, asset_id: str, digest: str) -> str:
    """Proves that a URL of these bytes was given by us. The same bytes of the same asset have the same one."""
    return doors().signer.seal("GET", f"{MOUNT}/{space}/{asset_id}/{digest}", 0.0)[1][:TOKEN_LENGTH]


def file_url(space: str, document_id: str, token: str, filename: str) -> str:
    """`fields.file.{locale}.url`: protocol-relative, as every client expects it."""
    return absolute(f"{MOUNT}/{space}/{document_id}/{token}/{quote(filename, safe='')}").partition(":")[2]

"""How a client of Wdesk speaks, for the tests of its door."""

from __future__ import annotations

import io

import pytest

from app.dialects.wdesk import envelope
from tests.dialects.house import Row, bearer, says
from tests.dialects.pictures import picture

NEW, OLD = "/wdesk", "/wdesk/prototype/platform"
FAMILIES = pytest.mark.parametrize("family", [NEW, OLD])
TOKEN_PATHS = ["/wdesk/oauth2/token", "/wdesk/iam/v1/oauth2/token"]


def token(door, tenant="acme", role="editor", name="default", scope=None):
    client_id, secret = door.client_of(tenant, role, name)
    form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    return bearer(door.client.post("/wdesk/oauth2/token", data=form).get_json()["access_token"])


def initiate(door, who, family=NEW, body=None):
    return door.run(Row("POST", f"{family}/content/images/upload", who, body, 202)).get_json()


def uploaded(door, who, content=None, family=NEW, name=None):
    promise = initiate(door, who, family, {"fileName": name} if name else None)
    door.run(Row("PUT", promise["uploadUrl"], who, content or picture()))
    return promise


def image_of(door, who, promise):
    found = door.run(Row("GET", promise["operationLocation"] + "/imageUploadResults", who)).get_json()
    return found["data"][0]["image"]


def refusal(status, *words):
    """A row's judgement of an error: the vendor's form, and these words in the message."""
    return {"code": f"{status}{envelope.NAMES[status]}", "message": says(*words)}


ENDPOINTS = [
    ("POST", "{family}/content/images/upload", "file:write"),
    ("GET", "{family}/operations/{operation}", None),
    ("GET", "{family}/operations/{operation}/imageUploadResults", "file:read"),
    ("GET", "{family}/content/images/{image}", "file:read"),
    ("PATCH", "{family}/content/images/{image}", "file:write"),
    ("PUT", "{put}", "file:write"),
    ("GET", "{download}", "file:read"),
]


class Slow(io.RawIOBase):
    """A body in two halves; `between` happens before the second."""

    def __init__(self, content: bytes, between) -> None:
        half = len(content) // 2
        self.pieces = [content[:half], content[half:]]
        self.between = between

    def readable(self):
        return True

    def readinto(self, room):
        if len(self.pieces) == 1 and self.between:
            self.between, between = None, self.between
            between()
        piece = self.pieces.pop(0) if self.pieces else b""
        room[: len(piece)] = piece
        return len(piece)


def slowly(door, promise, who, content, between):
    environ = {"wsgi.input": Slow(content, between), "CONTENT_LENGTH": str(len(content))}
    return door.send("PUT", promise["uploadUrl"], who, None, environ)

"""How a client of the Backoffice API speaks, for the tests of its door."""

from __future__ import annotations

import re

from tests.dialects.house import Row
from tests.dialects.pictures import picture

PLACE = "/backoffice/upload/image"
BOUNDARY = "----a-boundary"
TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
KEY = re.compile(r"uploads/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.(jpg|jpeg|gif|png|webp)")
JSON = {"Content-Type": "application/json"}


def key(door, tenant="acme", role="editor"):
    return {"x-api-key": door.access.add_key(tenant, role)[0]}


def part(name="image", filename: str | None = "photo.png", content=None, media_type: str | None = "image/png"):
    """One part of a form; without a filename a text field."""
    called = "" if filename is None else f'; filename="{filename}"'
    declared = f"Content-Type: {media_type}\r\n" if media_type else ""
    head = f'Content-Disposition: form-data; name="{name}"{called}\r\n{declared}\r\n'
    return f"--{BOUNDARY}\r\n{head}".encode() + (picture() if content is None else content) + b"\r\n"


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send(door, who, *parts, status=200, path=PLACE, headers=None, **wanted):
    """The answer to a form of these parts; of one good image when none are said."""
    return door.run(Row("POST", path, {**who, **TYPE, **(headers or {})}, form(*(parts or (part(),))), status, **wanted))


def uploaded(door, who, *parts, **how):
    """The key of an image."""
    answer = send(door, who, *parts, **how).get_json()
    assert set(answer) == {"data"}
    assert set(answer["data"]) == {"key"}
    assert KEY.fullmatch(answer["data"]["key"])
    return answer["data"]["key"]


def refusal(*words):
    """A row's judgement of an error: the vendor's form, one entry that has these words."""
    return {"errors": lambda found: [set(one) for one in found] == [{"detail"}] and all(word in found[0]["detail"] for word in words)}


def nothing_left(door):
    """Whether no bytes are staged or at rest, and no asset was made, once what is condemned has gone."""
    door.pass_time(24 * 3600.0)
    door.sweep()
    store, redis = door.house.store, door._redis()
    return not list(store.staged_before(-1.0)) and not store._kept and not list(redis.scan_iter("as:*"))

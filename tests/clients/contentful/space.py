"""How the Contentful clients are pointed at our door, and what they all get back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.clients.keys import TENANT
from tests.services.up import Up, shared

SPACE, ENVIRONMENT = TENANT, "master"  # a space is a tenant
DEFAULTS = {"spaceId": SPACE, "environmentId": ENVIRONMENT}
QUICK = {"processingCheckWait": 100, "processingCheckRetries": 300}  # of the client's polling for a processed file
NOT_FOUND = "The resource could not be found."


def host(up: Up | None = None) -> str:
    """Host and port, without a scheme, as these clients want it."""
    return (up or shared()).url.removeprefix("http://")


def options(up: Up | None = None, **more: Any) -> dict[str, Any]:
    """Of the JavaScript client."""
    up = up or shared()
    door = {"insecure": True, "host": host(up), "hostUpload": host(up), "basePath": "/contentful"}
    return {"accessToken": up.credentials["api_key"], **door, **more}


def file_of(upload_id: str, name: str = "cute_cat.png", type: str = "image/png") -> dict[str, Any]:
    """A locale's file that an upload is to become."""
    return {"contentType": type, "fileName": name, "uploadFrom": {"sys": {"type": "Link", "linkType": "Upload", "id": upload_id}}}


def downloaded(url: str) -> bytes:
    """What lies behind a `fields.file.{locale}.url`, which names no scheme and asks for no credentials."""
    assert url.startswith("//")
    answer = requests.get(f"http:{url}", timeout=30)
    assert answer.status_code == 200
    return answer.content


def uploaded_bytes(upload_id: str) -> bytes:
    """The upload itself, unmodified, as its page says that it can be retrieved."""
    path = f"{shared().url}/contentful/spaces/{SPACE}/uploads/{upload_id}"
    answer = requests.get(path, headers={**shared().bearer, "Accept": "image/*, application/octet-stream"}, timeout=30)
    assert answer.status_code == 200
    return answer.content


def is_an_upload(sys: dict[str, Any]) -> None:
    """The resource as its page draws it."""
    assert (sys["type"], sys["space"]["sys"]) == ("Upload", {"type": "Link", "linkType": "Space", "id": SPACE})
    assert sys["createdBy"]["sys"]["linkType"] == "User"
    assert re.fullmatch(r"[0-9A-Za-z]{22}", sys["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", sys["createdAt"])
    created, expires = datetime.fromisoformat(sys["createdAt"]), datetime.fromisoformat(sys["expiresAt"])
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=5)
    assert expires == expires.replace(hour=0, minute=0, second=0, microsecond=0)
    assert timedelta(hours=24) <= expires - created < timedelta(hours=48)

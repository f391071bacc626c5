"""How a client of Squidex speaks, for the tests of its door."""

from __future__ import annotations

import base64
import hashlib
import io
import re

from tests.dialects.house import Row, bearer
from tests.dialects.pictures import picture

APP = "/squidex/api/apps/acme"
ASSETS = f"{APP}/assets"
ROOT = "00000000-0000-0000-0000-000000000000"
TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00")
TYPE_400 = "https://www.rfc-editor.org/rfc/rfc7231#section-6.5.1"
BOUNDARY = "----formdata-undici-012345678901"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def token(door, tenant="acme", role="editor", name="default"):
    client_id, secret = door.client_of(tenant, role, name)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": "squidex-api"}
    return bearer(door.client.post("/squidex/identity-server/connect/token", data=form).get_json()["access_token"])


def part(name, value=b"", filename=None, kind=None):
    """One part of a form; a field without filename."""
    value = value if isinstance(value, bytes) else value.encode()
    head = f'Content-Disposition: form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head += "" if kind is None else f"\r\nContent-Type: {kind}"
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + value + b"\r\n"


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def file(content=None, name="logo.png", kind="image/png"):
    return part("file", picture() if content is None else content, name, kind)


def upload(door, who, *parts, path=ASSETS, method="POST", status=201, **more):
    """Send a form; without parts a small image."""
    headers = who | {"Content-Type": FORM} | more.pop("headers", {})
    return door.run(Row(method, path, headers, form(*(parts or (file(),))), status, **more))


def asset(door, who, content=None, name="logo.png", kind="image/png", query=""):
    """A new asset."""
    return upload(door, who, file(content, name, kind), path=ASSETS + query).get_json()


def folder(door, who, name="Pictures", parent=None):
    body = {"folderName": name} | ({"parentId": parent} if parent else {})
    return door.run(Row("POST", f"{ASSETS}/folders", who, body, 201)).get_json()


def refusal(status, *details, **shown):
    """A row's judgement of an ErrorDto."""
    wanted = {"statusCode": status, "traceId": lambda v: bool(TRACE.fullmatch(v))} | shown
    if details:
        wanted |= {"message": "Validation error", "details": list(details), "type": TYPE_400}
    return wanted


def squidex_hash(content: bytes, name: str) -> str:
    """The formula of the page: over the base64 of the content's hash, the name, the size."""
    inner = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return base64.b64encode(hashlib.sha256(f"{inner}{name}{len(content)}".encode()).digest()).decode()


def body_of(answer):
    return io.BytesIO(answer.get_data()).read()

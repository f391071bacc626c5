"""How a client of Nomad Media speaks, for the tests of its door."""

from __future__ import annotations

import io

from tests.dialects.house import BASE, Row, bearer, says

API = "/nomad/api"
UPLOAD = f"{API}/asset/upload"
ASSET = f"{API}/admin/asset"
MINE = f"{ASSET}/upload"
CHUNK = 5 * 1024 * 1024  # the smallest part
PASSWORD = "correct horse"
SOME_ID = "0190d6e5-0000-7000-8000-000000000001"


def login(door, name="anna", tenant="acme", role="admin"):
    """What a login answers."""
    if door.access.keyring.credential("user", name) is None:
        door.access.add_user(tenant, name, role, PASSWORD)
    return door.run(Row("POST", f"{API}/account/login", {}, {"username": name, "password": PASSWORD})).get_json()


def user(door, name="anna", tenant="acme", role="admin"):
    """The headers of a user who logged in."""
    return bearer(login(door, name, tenant, role)["token"])


def begin(door, who, length, path="a.bin", option="replace", *, related=False, **more):
    """Start an upload as the vendor's client does; the AssetUpload."""
    body = {"contentLength": length, "uploadOverwriteOption": option, "chunkSize": CHUNK, "relativePath": path, **more}
    return door.run(Row("POST", f"{UPLOAD}/start{'-related-asset' if related else ''}", who, body)).get_json()


def put(door, part, content):
    """PUT the bytes that a part names, out of the whole file; the ETag, quotes and all."""
    mine = content[part["startingPosition"] : part["endingPosition"] + 1]
    answer = door.send("PUT", part["url"], {"Accept": "application/json, text/plain, */*"}, mine)
    assert answer.status_code == 200, answer.get_data()
    return answer.headers["ETag"]


def confirm(door, who, part, etag, status=200):
    """Tell that a part was sent."""
    return door.run(Row("POST", f"{UPLOAD}/part/{part['id']}/complete", who, {"etag": etag}, status))


def send_parts(door, who, begun, content):
    """Every part, in order, each confirmed."""
    for part in begun["parts"]:
        confirm(door, who, part, put(door, part, content))


def complete(door, who, begun, status=200):
    """The client's last call: a POST with a JSON content type and no body."""
    return door.run(Row("POST", f"{UPLOAD}/{begun['id']}/complete", {**who, "Content-Type": "application/json"}, None, status))


def uploaded(door, who, content, **more):
    """A file all the way; the id of its asset."""
    begun = begin(door, who, len(content), **more)
    send_parts(door, who, begun, content)
    assert complete(door, who, begun).get_json()["items"] == [{"id": begun["assetId"]}]
    return begun["assetId"]


def asset(door, who, id, status=200):
    """What is said of an asset."""
    return door.run(Row("GET", f"{ASSET}/{id}", who, status=status)).get_json()


def detail(door, who, id):
    """What is said of it at length."""
    return door.run(Row("GET", f"{ASSET}/{id}/detail", who)).get_json()


def content_of(door, who, id):
    """The bytes of an asset, from the URL that is shown."""
    return door.run(Row("GET", asset(door, who, id)["fullUrl"].removeprefix(BASE))).get_data()


def mine(door, who, finished="False"):
    """The ids of the caller's uploads."""
    return [up["id"] for up in door.run(Row("GET", f"{MINE}?includeCompletedUploads={finished}", who)).get_json()]


def form(*parts, boundary="xYz"):
    """A form: (name, value), or (name, bytes, filename) for a file; its Content-Type and its bytes."""
    out = io.BytesIO()
    for name, value, *filename in parts:
        said = f'; filename="{filename[0]}"' if filename else ""
        out.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'.encode())
        out.write(value if isinstance(value, bytes) else value.encode())
        out.write(b"\r\n")
    out.write(f"--{boundary}--\r\n".encode())
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, out.getvalue()


def problem(status, *words):
    """A row's judgement of a refusal: ProblemDetails, with what the client logs of it."""
    return {
        "status": status,
        "title": bool,
        "type": bool,
        "instance": lambda path: path.startswith("/nomad"),
        "message": says(*words),
        "detail": says(*words),
        "errors": lambda found: isinstance(found, list),
    }

"""The ways in: how a file comes through each door, for the tests of what all doors share.

A way ends in one request, whose answer is the vendor's: 202 at once where he is asynchronous, his last word where he is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from app.web.dialect import EXTENSION
from tests.dialects.backoffice import speak as backoffice
from tests.dialects.contentful import speak as contentful
from tests.dialects.house import BASE, Door, Row
from tests.dialects.nomad import speak as nomad
from tests.dialects.squidex import speak as squidex
from tests.dialects.wdesk import speak as wdesk

Headers = dict[str, str]
LATER = {"Prefer": "respond-async"}
REMOTE = "https://files.example/picture.png"


@dataclass(frozen=True)
class Way:
    """`prepared` does what comes before the last request, and gives that one: method, path, headers, body.

    `waits`: the vendor is synchronous, so the answer is given after the worker's. `wants`: what else is sent, also to where the answer is later.
    """

    dialect: str
    name: str
    prepared: Callable[[Door, Headers, bytes, str], tuple[str, str, Headers, Any]]
    waits: bool = True
    wants: Headers = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.dialect}: {self.name}"

    def send(self, door: Door, who: Headers, content: bytes, name: str = "photo.png", **headers: str) -> Any:
        """The answer of the last request."""
        return self.last(door, who, content, name, **headers)()

    def last(self, door: Door, who: Headers, content: bytes, name: str = "photo.png", **headers: str) -> Callable[[], Any]:
        """The last request, to be sent by whoever calls it."""
        method, path, own, body = self.prepared(door, who, content, name)
        return lambda: door.send(method, path, who | own | self.wants | headers, body)


def _v1(_door: Door, _who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    return "POST", f"/v1/uploads?filename={name}", {"Content-Type": "image/png"}, content


def _announced(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    promise = door.run(Row("POST", "/v1/uploads", who, {"filename": name, "size": len(content)}, 202)).get_json()
    return "PUT", promise["upload"]["uploadUrl"], {}, content


def _plan(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    promise = door.run(Row("POST", "/v1/uploads", who, {"filename": name, "size": len(content), "parts": True}, 202)).get_json()
    assert door.send("PUT", promise["upload"]["parts"][0]["url"], None, content).status_code == 200
    return "POST", promise["upload"]["completeUrl"], {}, None


def _image(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    promise = wdesk.initiate(door, who, body={"fileName": name})
    return "PUT", promise["uploadUrl"], {}, content


def _file(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    wanted = {"fileName": name, "kind": "SupportingDocument"}
    promise = door.run(Row("POST", "/wdesk/files/import", who, wanted, 202)).get_json()
    return "PUT", promise["uploadUrl"], {}, content


def _backoffice(_door: Door, _who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    return "POST", backoffice.PLACE, backoffice.TYPE, backoffice.form(backoffice.part(filename=name, content=content))


def _nomad(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    begun = nomad.begin(door, who, len(content), path=f"a folder/{name}")
    nomad.send_parts(door, who, begun, content)
    return "POST", f"{nomad.UPLOAD}/{begun['id']}/complete", {"Content-Type": "application/json"}, None


def _uploaded(door: Door, who: Headers, content: bytes) -> str:
    answer = door.run(Row("POST", f"{space(door, who)}/uploads", who | contentful.RAW, content, 201))
    return answer.get_json()["sys"]["id"]


def _bytes(door: Door, who: Headers, content: bytes, _name: str) -> tuple[str, str, Headers, Any]:
    return "GET", f"{space(door, who)}/uploads/{_uploaded(door, who, content)}", {}, None


def _process(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    sent = contentful.body({"en-US": contentful.file_from(_uploaded(door, who, content), name)})
    made = door.run(Row("POST", f"{space(door, who)}/assets", who, sent, 201)).get_json()
    return "PUT", f"{space(door, who)}/assets/{made['sys']['id']}/files/en-US/process", {}, None


def _process_remote(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    door.fetcher.files[REMOTE] = content
    sent = contentful.body({"en-US": {"contentType": "image/png", "fileName": name, "upload": REMOTE}})
    made = door.run(Row("POST", f"{space(door, who)}/assets", who, sent, 201)).get_json()
    return "PUT", f"{space(door, who)}/assets/{made['sys']['id']}/files/en-US/process", {}, None


FORM = {"Content-Type": squidex.FORM}


def _create(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    return "POST", f"{app_of(door, who)}/assets", FORM, squidex.form(squidex.file(content, name))


def _create_remote(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    door.fetcher.files[REMOTE] = content
    return "POST", f"{app_of(door, who)}/assets", FORM, squidex.form(squidex.part("url", REMOTE), squidex.part("name", name))


def _chosen(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    return "POST", f"{app_of(door, who)}/assets/chosen", FORM, squidex.form(squidex.file(content, name))


def _replaced(door: Door, who: Headers, content: bytes, name: str) -> tuple[str, str, Headers, Any]:
    sent = squidex.form(squidex.file(None, "before.png"))
    with unhurried(door):
        made = door.run(Row("POST", f"{app_of(door, who)}/assets", who | FORM, sent, 201)).get_json()
    return "PUT", f"{app_of(door, who)}/assets/{made['id']}/content", FORM, squidex.form(squidex.file(content, name))


WAYS = (
    Way("v1", "raw", _v1, waits=False),
    Way("v1", "announced", _announced, waits=False),
    Way("v1", "parts", _plan, waits=False),
    Way("wdesk", "image", _image, waits=False),
    Way("wdesk", "file", _file, waits=False),
    Way("backoffice", "form", _backoffice),
    Way("nomad", "parts", _nomad),
    Way("contentful", "bytes of an upload", _bytes, wants={"Accept": "image/*"}),
    Way("contentful", "process", _process, waits=False),
    Way("contentful", "process from a URL", _process_remote, waits=False),
    Way("squidex", "new", _create),
    Way("squidex", "new from a URL", _create_remote),
    Way("squidex", "chosen id", _chosen),
    Way("squidex", "new content", _replaced),
)

SPEAK: Mapping[str, Callable[..., Headers]] = {
    "v1": lambda door, tenant="acme": door.key(tenant, "admin"),
    "wdesk": lambda door, tenant="acme": wdesk.token(door, tenant, "admin"),
    "backoffice": lambda door, tenant="acme": backoffice.key(door, tenant, "admin"),
    "nomad": lambda door, tenant="acme": nomad.user(door, f"user of {tenant}", tenant),
    "contentful": lambda door, tenant="acme": door.key(tenant, "admin"),
    "squidex": lambda door, tenant="acme": squidex.token(door, tenant, "admin"),
}


def hurry(door: Door, dialect: str) -> None:
    """From now on the workers are away, and the door waits for nobody."""
    policies = door.app.extensions[EXTENSION].policies
    policies[dialect] = replace(policies[dialect], patience=0.0)
    door.jobs.hold = True


@contextmanager
def unhurried(door: Door) -> Iterator[None]:
    """The workers are at it again, and waited for."""
    policies, held = door.app.extensions[EXTENSION].policies, door.jobs.hold
    kept, door.jobs.hold = dict(policies), False
    policies.update({name: replace(policy, patience=10.0) for name, policy in policies.items()})
    try:
        yield
    finally:
        policies.update(kept)
        door.jobs.hold = held


def tenant_of(door: Door, who: Headers) -> str:
    """Whose credentials these are."""
    return door.access.bearer(who["Authorization"]).tenant


def space(door: Door, who: Headers) -> str:
    """The Contentful space of somebody."""
    return f"/contentful/spaces/{tenant_of(door, who)}"


def app_of(door: Door, who: Headers) -> str:
    """The Squidex app of somebody."""
    return f"/squidex/api/apps/{tenant_of(door, who)}"


def operations(door: Door, tenant: str = "acme") -> list[str]:
    """The ids of a tenant's operations, in the order in which they were made."""
    return sorted(name.split(":", 2)[2] for name in door._redis().scan_iter(f"op:{tenant}:*"))


def monitor(door: Door, dialect: str, op_id: str) -> str:
    """Where a dialect's clients poll an operation."""
    op = door.house.library.operation(door.principal(), op_id)
    return BASE + door.app.extensions[EXTENSION].dialects[dialect].monitor(op)

"""How a client of Contentful speaks, for the tests of its door."""

from __future__ import annotations

from tests.dialects.house import Row
from tests.dialects.pictures import picture

SPACE = "/contentful/spaces/acme"
MASTER = f"{SPACE}/environments/master"
PREFIXES = (SPACE, MASTER)
RAW = {"Content-Type": "application/octet-stream"}
JSON = "application/vnd.contentful.management.v1+json"


def upload(door, who, content=None, prefix=SPACE):
    """The id of a new upload."""
    answer = door.run(Row("POST", f"{prefix}/uploads", who | RAW, picture() if content is None else content, 201))
    return answer.get_json()["sys"]["id"]


def link_to(upload_id):
    return {"sys": {"type": "Link", "linkType": "Upload", "id": upload_id}}


def file_from(upload_id, name="cat.png", kind="image/png"):
    return {"contentType": kind, "fileName": name, "uploadFrom": link_to(upload_id)}


def body(locales, title="a cat"):
    """The body of an asset with a file for each locale."""
    return {"fields": {"title": dict.fromkeys(locales, title), "file": dict(locales)}}


def asset(door, who, sent=None, id=None):
    """A new asset; by default with one file that waits for its processing."""
    sent = body({"en-US": file_from(upload(door, who))}) if sent is None else sent
    row = Row("PUT", f"{MASTER}/assets/{id}", who, sent, 201) if id else Row("POST", f"{MASTER}/assets", who, sent, 201)
    return door.run(row).get_json()


def at(of, below=""):
    """The path of an asset."""
    return f"{MASTER}/assets/{of['sys']['id']}{below}"


def version(number):
    return {"X-Contentful-Version": str(number)}


def process(door, who, of, locale="en-US", status=204):
    return door.run(Row("PUT", at(of, f"/files/{locale}/process"), who | version(of["sys"]["version"]), status=status))


def fetched(door, who, of):
    """The asset as it stands."""
    return door.run(Row("GET", at(of), who)).get_json()


def processed(door, who, sent=None, id=None):
    """An asset all of whose files were processed."""
    made = asset(door, who, sent, id)
    for locale in made["fields"].get("file", {}):
        process(door, who, made, locale)
    return fetched(door, who, made)


def put(door, who, of, step, status=200, method="PUT"):
    """One of the steps between the states: `published`, `archived`; at the version that was seen."""
    return door.run(Row(method, at(of, f"/{step}"), who | version(of["sys"]["version"]), status=status)).get_json(force=True, silent=True)


def url_of(of, locale="en-US"):
    """The path of a file's URL, below the host."""
    url = of["fields"]["file"][locale]["url"]
    assert url.startswith("//slipway.test/contentful/")
    return url.removeprefix("//slipway.test")


def refusal(id, **more):
    """A row's judgement of an error."""
    return {"sys": {"type": "Error", "id": id}, "requestId": lambda found: len(found) == 32, **more}


def paths_of(answer):
    """The paths of a 422's errors."""
    return [error["path"] for error in answer.get_json()["details"]["errors"]]

"""The samples of the page "Uploads", as they are printed: its request in JSON, its resource, its prose."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.clients.contentful.space import ENVIRONMENT, SPACE, downloaded, is_an_upload
from tests.services.pictures import photo
from tests.services.up import eventually, shared

pytestmark = pytest.mark.live

# the numbers of its lines belong to the page
ASSOCIATE = """\
1{
2 "fields": {
3 "title": {
4 "en-US": "My cute cat pic"
5 },
6 "file": {
7 "en-US": {
8 "contentType": "image/png",
9 "fileName": "cute_cat.png",
10 "uploadFrom": {
11 "sys": {
12 "type": "Link",
13 "linkType": "Upload",
14 "id": "<use sys.id of an upload resource response here>"
15 }
16 }
17 }
18 }
19 }
20}
"""

RESOURCE = """\
1"sys": {
2 "id": "73DfxdBnwyhQNy95A8dvSf",
3 "type": "Upload",
4 "createdAt": "2017-02-21T07:49:25.000Z",
5 "expiresAt": "2017-02-23T00:00:00.000Z",
6 "space": {
7 "sys": {
8 "type": "Link",
9 "linkType": "Space",
10 "id": "qa65bkvd5q1q"
11 }
12 },
13 "createdBy": {
14 "sys": {
15 "type": "Link",
16 "linkType": "User",
17 "id": "1QaAgxMYKvdas32K4v319F"
18 }
19 }
20}
"""

PICTURE = photo(80, 60, "PNG", seed=13)


def printed(sample: str) -> str:
    """Without the page's line numbers."""
    return re.sub(r"(?m)^\d+ ?", "", sample)


def shape(value, where: str = "") -> set[str]:
    """The paths of all members."""
    if not isinstance(value, dict):
        return {where}
    return set().union(*(shape(inner, f"{where}.{name}") for name, inner in value.items()))


def space(path: str) -> str:
    return f"{shared().url}/contentful/spaces/{SPACE}/{path}"


@pytest.fixture
def upload():
    headers = {**shared().bearer, "Content-Type": "application/octet-stream"}
    answer = requests.post(space("uploads"), data=PICTURE, headers=headers, timeout=30)
    assert answer.status_code == 201
    return answer.json()


def test_the_resource_has_the_pages_shape(upload):
    sample = json.loads("{" + printed(RESOURCE) + "}")
    assert shape(sample) <= shape(upload)
    is_an_upload(upload["sys"])


def test_the_sample_associates_the_upload_with_an_asset(upload):
    body = printed(ASSOCIATE).replace("<use sys.id of an upload resource response here>", upload["sys"]["id"])
    headers = {**shared().bearer, "Content-Type": "application/vnd.contentful.management.v1+json"}
    answer = requests.post(space(f"environments/{ENVIRONMENT}/assets"), data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["fields"]) == (201, json.loads(body)["fields"])

    asset = space(f"environments/{ENVIRONMENT}/assets/{answer.json()['sys']['id']}")
    process = requests.put(f"{asset}/files/en-US/process", headers={**shared().bearer, "X-Contentful-Version": "1"}, timeout=30)
    assert (process.status_code, process.content) == (204, b"")
    eventually(
        lambda: "url" in requests.get(asset, headers=shared().bearer, timeout=30).json()["fields"]["file"]["en-US"], what="processing"
    )
    file = requests.get(asset, headers=shared().bearer, timeout=30).json()["fields"]["file"]["en-US"]
    assert (file["fileName"], file["contentType"]) == ("cute_cat.png", "image/png")
    assert file["url"].endswith("/cute_cat.png")
    assert downloaded(file["url"]) == PICTURE


def test_retrieving_and_deleting(upload):
    """ "Retrieves an unmodified image." The client, which asks for JSON, gets the resource."""
    one = space(f"uploads/{upload['sys']['id']}")
    image = requests.get(one, headers={**shared().bearer, "Accept": "image/*"}, timeout=30)
    assert (image.status_code, image.content) == (200, PICTURE)
    assert requests.get(one, headers=shared().bearer, timeout=30).json() == upload
    assert requests.delete(one, headers=shared().bearer, timeout=30).status_code == 204
    assert requests.get(one, headers={**shared().bearer, "Accept": "image/*"}, timeout=30).status_code == 404

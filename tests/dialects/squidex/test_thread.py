"""The support thread, attempt by attempt: what its author sent, what he was told, and how it ended well.

The requests are made by the library he used, from the code that he showed.
"""

from __future__ import annotations

import io

import pytest
import requests

from tests.dialects.house import Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import ASSETS, ROOT, TRACE, folder, refusal, token

URL = "http://slipway.test/squidex/api/apps/acme/assets/"  # with the slash, as he wrote it


@pytest.fixture
def head_png():
    """An open file whose name the library takes, but whose type it does not know."""
    opened = io.BytesIO(picture())
    opened.name = "/path/to/file/head.png"
    return opened


@pytest.fixture
def attempt(door, mine):
    """Sends what `requests.request("POST", url, …)` would send, judges the answer."""

    def send(status, shows=None, sends=None, **asked):
        headers = asked.pop("headers", {}) | mine
        made = requests.Request("POST", asked.pop("url", URL), headers=headers, **asked).prepare()
        path = made.url.removeprefix("http://slipway.test")
        return door.run(Row("POST", path, dict(made.headers), made.body, status, sends=sends or {}, shows=shows or {}))

    return send


UNSUPPORTED = {
    "type": "https://tools.ietf.org/html/rfc7231#section-6.5.13",
    "title": "Unsupported Media Type",
    "status": 415,
    "traceId": lambda v: bool(TRACE.fullmatch(v)),
    "statusCode": None,
}
PARENT = {"parentId": "39b46dab-60ee-4bef-ae51-64591d3f5d7f"}


@pytest.mark.parametrize("kind", ["application/json", "image/png", "image/jpg"])
def test_a_content_type_of_his_own_is_unsupported(attempt, head_png, kind):
    attempt(415, UNSUPPORTED, headers={"Content-Type": kind}, files={"file": head_png}, data=PARENT)


def test_a_part_without_a_type_is_refused_in_the_words_he_saw(attempt, head_png):
    said = attempt(400, refusal(400, "File content-type is not defined."), files={"file": head_png}, data=PARENT).get_json()
    assert set(said) == {"message", "traceId", "type", "details", "statusCode"}


def test_a_form_whose_boundary_is_not_named_has_an_invalid_format(attempt, head_png):
    made = {"headers": {"Content-Type": "multipart/form-data"}, "files": {"file": head_png}, "data": PARENT}
    attempt(400, refusal(400, "Request body has an invalid format."), **made)


def test_his_working_code_puts_the_picture_at_the_root_whatever_folder_name_says(attempt):
    given = {("file", ("yo.jpg", io.BytesIO(picture("JPEG")), "image/jpeg"))}  # a set of one pair, as he has it
    attempt(
        201,
        {"fileName": "yo.jpg", "mimeType": "image/jpeg", "parentId": ROOT, "type": "Image"},
        {"Location": lambda v: v.startswith(URL), "ETag": '"0"'},
        files=given,
        data={"folderName": "Pictures"},
    )


def test_it_ends_well_the_folder_named_in_the_address(door, mine, attempt):
    pictures = folder(door, mine, "Pictures")
    given = {"file": ("yo.jpg", io.BytesIO(picture("JPEG")), "image/jpeg")}
    made = attempt(201, {"parentId": pictures["id"]}, url=f"{URL}?parentId={pictures['id']}", files=given).get_json()
    listed = door.run(Row("GET", f"{ASSETS}?parentId={pictures['id']}", mine)).get_json()
    assert [each["id"] for each in listed["items"]] == [made["id"]]


def test_his_first_folder_would_have_been_honoured_as_a_field_had_it_existed(attempt, door, mine):
    pictures = folder(door, mine, "Pictures")
    given = {"file": ("yo.jpg", io.BytesIO(picture("JPEG")), "image/jpeg")}
    attempt(201, {"parentId": pictures["id"]}, files=given, data={"parentId": pictures["id"]})


def test_a_folder_that_is_not_there_is_named_as_the_fault(attempt):
    given = {"file": ("yo.jpg", io.BytesIO(picture("JPEG")), "image/jpeg")}
    attempt(400, refusal(400, "ParentId: Asset folder does not exist."), files=given, data=PARENT)


def test_a_token_of_another_app_sees_no_app(door, attempt):
    attempt(404, refusal(404, message="Not Found"), url=URL.replace("/acme/", "/atlas/"), files={})
    other = token(door, "other")
    door.run(Row("GET", ASSETS, other, status=404, shows=refusal(404)))

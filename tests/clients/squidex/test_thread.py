"""The forum thread "How to upload files/images through API", played: each attempt of its author, in Python as printed, and the answer that it gets.

Its end is a good one: the image is in the folder.
"""

from __future__ import annotations

import re

import pytest
import requests

from tests.clients.keys import tenants_key
from tests.clients.squidex.app import ROOT, file_hash
from tests.services.pictures import photo
from tests.services.up import shared

pytestmark = pytest.mark.live

APP = "atlas"  # as in the thread
HEAD, YO = photo(64, 64, "PNG", seed=21), photo(80, 60, "JPEG", seed=22)
TRACE = r"00-[0-9a-f]{32}-[0-9a-f]{16}-00"


class Author:
    """The program of the thread: `self.api_url`, a token, and two pictures on the disk."""

    def __init__(self, folder) -> None:
        self.api_url = f"{shared().url}/squidex"
        self.token = tenants_key(APP)
        self.head, self.yo = folder / "head.png", folder / "yo.jpg"
        self.head.write_bytes(HEAD)
        self.yo.write_bytes(YO)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": "Bearer " + self.token}

    def first(self, parent_id: str, **content_type: str) -> requests.Response:
        """The first listing: the address with its slash, `files` and `data`; what he puts as Content-Type."""
        url = self.api_url + f"/api/apps/{APP}/assets/"
        with self.head.open("rb") as body:
            files = {"file": body}
            payload = {"parentId": parent_id}
            headers = {**content_type, **self.authorization}
            return requests.request("POST", url, headers=headers, files=files, data=payload, verify=False, timeout=30)

    def working(self, query: str = "", **payload: str) -> requests.Response:
        """The second listing, which works; he wraps what he sends in a set."""
        url = self.api_url + f"/api/apps/{APP}/assets" + query
        with self.yo.open("rb") as opened:
            file = {("file", ("yo.jpg", opened, "image/jpeg"))}
            return requests.request("POST", url, headers=self.authorization, files=file, data=payload, verify=False, timeout=30)

    def folder(self, name: str) -> str:
        """What he has done before: "the folder is already created"."""
        url = self.api_url + f"/api/apps/{APP}/assets/folders"
        made = requests.post(url, json={"folderName": name}, headers=self.authorization, timeout=30)
        assert (made.status_code, made.json()["folderName"]) == (201, name)
        return made.json()["id"]

    def content(self, asset: dict) -> bytes:
        return requests.get(self.api_url + f"/api/assets/{APP}/{asset['id']}/", headers=self.authorization, timeout=30).content


@pytest.fixture
def author(tmp_path):
    return Author(tmp_path)


@pytest.mark.parametrize("type", ["application/json", "image/png", "image/jpg"])
def test_a_content_type_set_by_hand(author, type):
    answer = author.first(author.folder("Pictures"), **{"Content-Type": type})
    said = answer.json()
    assert (answer.status_code, set(said)) == (415, {"type", "title", "status", "traceId"})
    assert (said["title"], said["status"]) == ("Unsupported Media Type", 415)
    assert re.fullmatch(TRACE, said["traceId"])


def refused(answer: requests.Response, *details: str) -> None:
    """The vendor's ErrorDto, with just these details."""
    said = answer.json()
    assert (answer.status_code, set(said)) == (400, {"message", "traceId", "type", "details", "statusCode"})
    assert (said["message"], said["statusCode"], said["details"]) == ("Validation error", 400, list(details))
    assert re.fullmatch(TRACE, said["traceId"])


def test_without_the_header_the_part_has_no_type(author):
    refused(author.first(author.folder("Pictures")), "File content-type is not defined.")


def test_a_form_without_its_boundary(author):
    refused(author.first(author.folder("Pictures"), **{"Content-Type": "multipart/form-data"}), "Request body has an invalid format.")


def test_the_code_that_works_knows_no_folder_name(author):
    answer = author.working(folderName="Pictures")
    asset = answer.json()
    assert (answer.status_code, asset["fileName"], asset["mimeType"], asset["parentId"]) == (201, "yo.jpg", "image/jpeg", ROOT)
    assert asset["fileHash"] == file_hash(YO, "yo.jpg")
    assert author.content(asset) == YO


def test_the_folder_in_the_address(author):
    """ "Now it works. Thanks a lot!!!" """
    folder = author.folder("Pictures")
    answer = author.working(f"?parentId={folder}&duplicate=true")
    asset = answer.json()
    assert (answer.status_code, asset["parentId"]) == (201, folder)
    assert author.content(asset) == YO
    listed = requests.get(
        author.api_url + f"/api/apps/{APP}/assets", params={"parentId": folder}, headers=author.authorization, timeout=30
    ).json()
    assert [found["id"] for found in listed["items"]] == [asset["id"]]


def test_the_folder_in_the_form(author):
    """What he tried at first is heard today, unless the address says otherwise."""
    form, address = author.folder("Form"), author.folder("Address")
    assert author.working("?duplicate=true", parentId=form).json()["parentId"] == form
    assert author.working(f"?duplicate=true&parentId={address}", parentId=form).json()["parentId"] == address


def test_a_folder_that_is_not_there(author):
    refused(author.working("?parentId=39b46dab-60ee-4bef-ae51-64591d3f5d7f"), "ParentId: Asset folder does not exist.")

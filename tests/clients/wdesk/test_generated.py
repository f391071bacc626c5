"""Both clients that were generated from the published OpenAPI document, unmodified, against a real `slipway up`."""

from __future__ import annotations

import importlib

import pytest
import requests

from tests.services.pictures import photo
from tests.services.up import eventually, shared

pytestmark = pytest.mark.live

CLIENTS = ["openapi_client", "workiva_platform_client"]
UNKNOWN = "0190d6e5-0000-7000-8000-000000000000"


class Client:
    """A package of the vendor's, pointed at our door."""

    def __init__(self, package: str, token: str | None = None) -> None:
        self.lib = importlib.import_module(package)
        self.configuration = self.lib.Configuration(host=f"{shared().url}/wdesk", access_token=token)
        self.api = self.lib.ApiClient(self.configuration)
        self.iam, self.content, self.operations = self.lib.IAMApi(self.api), self.lib.ContentApi(self.api), self.lib.OperationsApi(self.api)
        self.files = self.lib.FilesApi(self.api)

    def sign_in(self, **scope: str) -> str:
        """Ask for a token as these clients do, and use it from now on."""
        who = shared().credentials
        given = self.iam.token_request("client_credentials", client_id=who["client_id"], client_secret=who["client_secret"], **scope)
        self.configuration.access_token = given.access_token
        assert (given.expires_in, given.token_type) == (599, "Bearer")
        return given.scope

    @property
    def headers(self) -> dict[str, str]:
        """What a script sends beside the client, to the opaque URLs."""
        return {"Authorization": f"Bearer {self.configuration.access_token}"}

    def initiated(self, name: str | None = None):
        """The 202, with its headers and its body as the client reads it; and the operation's id as scripts take it from Location."""
        wanted = self.lib.ImageUpload(file_name=name) if name else None
        answer = self.content.image_upload_with_http_info(wanted)
        assert answer.status_code == 202
        assert int(answer.headers["Retry-After"]) in range(1, 61)
        return answer.data, answer.headers["Location"].rpartition("/operations/")[2]

    def put(self, url: str, content: bytes) -> int:
        """The status of the PUT, which is no operation of the published document."""
        return requests.put(url, data=content, headers=self.headers, timeout=30).status_code

    def ended(self, id: str):
        """The operation in its final state."""
        eventually(
            lambda: self.operations.get_operation_by_id(id).status in {"completed", "cancelled", "failed"}, 30, "the end of the operation"
        )
        return self.operations.get_operation_by_id(id)


@pytest.fixture(params=CLIENTS)
def client(request):
    client = Client(request.param)
    client.sign_in()
    return client


@pytest.mark.parametrize(("name", "kept"), [("example.png", "example.png"), (None, "image.jpg")])
def test_an_image_all_the_way(client, name, kept):
    picture = photo(320, 200, "JPEG", seed=len(kept))
    promise, op = client.initiated(name)
    assert client.operations.get_operation_by_id(op).status == "acknowledged"
    assert client.put(promise.upload_url, picture) == 200
    done = client.ended(op)
    assert (done.id, done.status, done.details) == (op, "completed", None)
    assert done.created.user.id == shared().credentials["client_id"]
    assert done.created.date_time <= done.updated.date_time
    assert done.original_request.version == 7

    results = client.operations.get_image_upload_creation_results(op, maxpagesize=10)
    assert results.next_link is None
    [result] = results.data
    assert result.type == "image"
    image = client.content.get_image_by_id(result.image)
    assert (image.id, image.file_name, image.mime_type) == (result.image, kept, "image/jpeg")
    assert requests.get(image.download_url, headers=client.headers, timeout=30).content == picture
    assert requests.get(image.download_url, timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("kind", "name", "content", "container"),
    [
        ("Spreadsheet", "rows.csv", b"a,b\n1,2\n", ""),
        ("Document", "letter.docx", b"PK\3\4" + bytes(range(256)) * 4000, ""),
        ("SupportingDocument", "proof.bin", photo(), "3a2b"),
        ("Workiva", "package.tar.gz", b"\x1f\x8b and so on", ""),
    ],
)
def test_a_file_all_the_way(client, kind, name, content, container):
    options = client.lib.SupportingDocumentImportOptions(container_id=container) if container else None
    wanted = client.lib.FileImport(file_name=name, kind=kind, supporting_document_import_options=options)
    answer = client.files.import_file_with_http_info(wanted)
    op = answer.headers["Location"].rpartition("/operations/")[2]
    assert answer.status_code == 202
    assert client.operations.get_operation_by_id(op).status == "acknowledged"
    assert client.put(answer.data.upload_url, content) == 200
    done = client.ended(op)
    assert (done.status, done.details) == ("completed", None)
    assert done.resource_url.endswith(f"/operations/{op}/importFileResults")

    results = client.operations.get_import_file_results(op, maxpagesize=10)
    [result] = results.data
    assert (results.next_link, result.kind, result.container) == (None, "SupportingDocument" if kind == "Workiva" else kind, container)
    file = client.files.get_file_by_id(result.id)
    assert (file.id, file.name, file.kind, file.container, file.state) == (result.id, name, result.kind, container, "Active")
    assert file.created.user.id == shared().credentials["client_id"]
    url = requests.get(f"{shared().url}/wdesk/files/{result.id}", headers=client.headers, timeout=30).json()["downloadUrl"]
    assert requests.get(url, headers=client.headers, timeout=30).content == content
    assert requests.get(url, timeout=30).status_code == 401


def test_an_import_that_is_refused(client):
    with pytest.raises(client.lib.exceptions.BadRequestException) as refused:
        client.files.import_file(client.lib.FileImport(file_name="report.pdf", kind="Document"))
    assert refused.value.data.code == "400BadRequest"
    assert "SupportingDocument" in refused.value.data.message
    with pytest.raises(client.lib.exceptions.NotFoundException):
        client.files.get_file_by_id(UNKNOWN.replace("-", ""))
    with pytest.raises(client.lib.exceptions.NotFoundException):
        client.operations.get_import_file_results(UNKNOWN)


def test_what_is_no_image_fails_with_details(client):
    promise, op = client.initiated("example.png")
    assert client.put(promise.upload_url, b"this is no image") == 200
    failed = client.ended(op)
    assert (failed.status, failed.resource_url) == ("failed", None)
    [detail] = failed.details
    assert (detail.code, detail.target) == ("NotAnImage", "image")
    assert detail.message


def test_the_scope_that_was_asked_for(client):
    assert client.sign_in(scope="file:read") == "file:read"
    with pytest.raises(client.lib.exceptions.ForbiddenException) as refused:
        client.initiated()
    assert refused.value.status == 403
    assert refused.value.data.code == "403Forbidden"
    assert refused.value.data.message == "The API token does not have permissions to perform the request"


def _forged(client):
    client.configuration.access_token = "st_forged"
    client.initiated()


def _wrong_secret(client):
    client.iam.token_request("client_credentials", client_id=shared().credentials["client_id"], client_secret="wrong")


@pytest.mark.parametrize(
    ("act", "exception", "code"),
    [
        (_forged, "UnauthorizedException", "401Unauthorized"),
        (lambda c: c.operations.get_operation_by_id(UNKNOWN), "NotFoundException", "404NotFound"),
        (lambda c: c.operations.get_image_upload_creation_results(UNKNOWN), "NotFoundException", "404NotFound"),
        (lambda c: c.content.get_image_by_id(UNKNOWN.replace("-", "")), "NotFoundException", "404NotFound"),
        (lambda c: c.initiated("a" * 300), "BadRequestException", "400BadRequest"),
        (_wrong_secret, "UnauthorizedException", "invalid_client"),
    ],
)
def test_errors_as_the_client_reports_them(client, act, exception, code):
    with pytest.raises(getattr(client.lib.exceptions, exception)) as refused:
        act(client)
    data = refused.value.data
    assert getattr(data, "error", None) == code or data.code == code


@pytest.mark.parametrize(("version", "status"), [("2022-01-01", 202), ("2026-01-01", 202), ("1999-01-01", 400)])
def test_the_version_may_be_said_by_the_client_that_says_none(version, status):
    client = Client("workiva_platform_client")
    client.sign_in()
    if status == 202:
        assert client.content.image_upload_with_http_info(_headers={"X-Version": version}).status_code == status
        return
    with pytest.raises(client.lib.exceptions.BadRequestException, match="X-Version"):
        client.content.image_upload(_headers={"X-Version": version})


@pytest.mark.parametrize(("content", "status"), [(bytes(75_000_000), 200), (bytes(75_000_001), 400), (b"", 400)])
def test_the_limit_of_bytes_is_inclusive(content, status):
    client = Client(CLIENTS[0])
    client.sign_in()
    promise, op = client.initiated()
    assert client.put(promise.upload_url, content) == status
    assert client.ended(op).status == "failed"
    assert client.put(promise.upload_url, photo()) == 409

"""The sample of the page "Upload Asset Image", run as it is printed, and what else its callers do with curl, against a real `slipway up`."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from app.settings import from_env
from app.wiring import build
from tests.services.pictures import bare_png, chunk, photo
from tests.services.up import Up, eventually, shared

pytestmark = pytest.mark.live

KEY = re.compile(r"uploads/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.(jpg|jpeg|gif|png|webp)")
LIMIT = 15 * 1024**2

SAMPLE = """\
curl --location --request POST 'https://assets.prod.your-api-server.com/upload/image' \\
--header 'x-api-key: <api-key>' \\
--form 'image=@""'
"""


def filled(up: Up, file: str, sample: str = SAMPLE) -> str:
    """The sample with host, key and file filled in."""
    sample = sample.replace("https://assets.prod.your-api-server.com", f"{up.url}/backoffice")
    return sample.replace("<api-key>", up.credentials["api_key"]).replace('@""', f'@"{file}"')


def curl(*arguments: str, up: Up | None = None) -> tuple[int, str, str]:
    """The status, the body and the rest of what curl said."""
    url = f"{(up or shared()).url}/backoffice/upload/image"
    command = ["curl", "--silent", "--show-error", "--verbose", "--write-out", "\n%{http_code}", *arguments]
    done = subprocess.run(
        [*command, url] if "http" not in arguments[-1] else command, capture_output=True, check=True, timeout=60, text=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body, done.stderr


def image(tmp_path, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return f"image=@{tmp_path / name}"


def png_of(size: int) -> bytes:
    """A sound PNG of so many bytes."""
    return bare_png(8, 6, extra=chunk(b"prVt", bytes(size - len(bare_png(8, 6)) - len(chunk(b"prVt")))))


def key_header() -> tuple[str, str]:
    return "--header", f"x-api-key: {shared().credentials['api_key']}"


def test_the_sample_as_it_is_printed(tmp_path):
    (tmp_path / "photo.png").write_bytes(photo(fmt="PNG"))
    done = subprocess.run(
        ["/bin/sh", "-c", filled(shared(), str(tmp_path / "photo.png"))], capture_output=True, check=True, timeout=60, text=True
    )
    given = json.loads(done.stdout)
    assert set(given) == {"data"}
    assert set(given["data"]) == {"key"}
    assert KEY.fullmatch(given["data"]["key"])[1] == "png"


def test_the_key_in_the_query(tmp_path):
    url = f"{shared().url}/backoffice/upload/image?x-api-key={shared().credentials['api_key']}"
    status, body, _ = curl("--form", image(tmp_path, "photo.jpg", photo()), url)
    assert (status, KEY.fullmatch(json.loads(body)["data"]["key"])[1]) == (200, "jpg")


def test_a_chunked_form(tmp_path):
    file = image(tmp_path, "photo.webp", photo(fmt="WEBP"))
    status, body, said = curl(*key_header(), "--header", "Transfer-Encoding: chunked", "--form", file)
    assert (status, KEY.fullmatch(json.loads(body)["data"]["key"])[1]) == (200, "webp")
    assert "Transfer-Encoding: chunked" in said


@pytest.mark.parametrize("how", [[], ["--header", "Expect: 100-continue"], ["--header", "Transfer-Encoding: chunked"]])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 400), (LIMIT + 5_000_000, 400)])
def test_the_limit_counts_the_bytes_of_the_file(tmp_path, how, size, status):
    found, body, said = curl(*key_header(), *how, "--form", image(tmp_path, "photo.png", png_of(size)))
    assert found == status, said
    assert (str(LIMIT) in body) is (status == 400)
    assert ("HTTP/1.1 100 Continue" in said) is ("Expect: 100-continue" in said)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.png", photo(), "image/jpeg"),
        ("photo.png", b"no image", "not an image"),
        ("photo.png", b"", "empty"),
        ("photo.jpg", photo()[:-100], "incomplete"),
        ("photo.bmp", photo(), "must end in"),
    ],
)
def test_400_with_a_reason(tmp_path, name, content, words):
    status, body, _ = curl(*key_header(), "--form", image(tmp_path, name, content))
    [error] = json.loads(body)["errors"]
    assert status == 400
    assert words in error["detail"]


def test_401_and_403(tmp_path):
    file = image(tmp_path, "photo.png", png_of(5_000_000))
    viewer, _ = build(from_env({"SLIPWAY_DATA": str(shared().data)})).access.add_key("demo", "viewer")
    assert curl("--form", file)[:2] == (401, '{"errors": [{"detail": "Unauthorized API KEY"}]}')
    assert curl("--header", f"x-api-key: {viewer}", "--form", file)[:2] == (403, '{"errors": [{"detail": "Unauthorized roles"}]}')


# ---------------------------------------------------------------- while the workers stand still


@pytest.fixture
def patient():
    """A Slipway of our own, that waits for two seconds."""
    with Up(SLIPWAY_BACKOFFICE_PATIENCE="2") as up:
        yield up


def test_202_while_the_workers_stand_still_and_the_answer_when_they_go_on(patient, tmp_path):
    header = "--header", f"x-api-key: {patient.credentials['api_key']}"
    leader = patient.leader("worker")
    halted = [leader, *leader.children(recursive=True)]
    for process in halted:
        process.suspend()
    try:
        status, body, said = curl(*header, "--form", image(tmp_path, "photo.png", photo(fmt="PNG")), up=patient)
        assert (status, set(json.loads(body)["data"])) == (202, {"id", "status"})
        place = re.search(r"(?im)^< location: (\S+)", said)[1]
        assert place.startswith(f"{patient.url}/backoffice/operations/")
        assert curl(*header, place)[0] == 202
    finally:
        for process in halted:
            process.resume()
    eventually(lambda: curl(*header, place)[0] == 200, 30, "the answer")
    assert KEY.fullmatch(json.loads(curl(*header, place)[1])["data"]["key"])


# ---------------------------------------------------------------- asset images


def core(method: str, path: str, **body: object) -> tuple[int, dict]:
    """The status and the JSON of a call to the core API, the key in the query."""
    url = f"{shared().url}/backoffice/api/core/v2/assets/images{path}?x-api-key={shared().credentials['api_key']}"
    sent = ["--header", "Content-Type: application/json", "--data-raw", json.dumps(body)] if body else []
    status, answer, _ = curl("--location", "--request", method, *sent, url)
    return status, json.loads(answer)


def test_an_image_made_of_an_upload_found_deleted_and_restored(tmp_path):
    _, body, _ = curl(*key_header(), "--form", image(tmp_path, "photo.gif", photo(fmt="GIF")))
    key = json.loads(body)["data"]["key"]
    words = {"locale": "fr", "credit": "Élodie", "caption_html": "<p>Deux</p>"}
    file_hash = f"md5/{key}"
    status, made = core("POST", "", file_key=key, file_hash=file_hash, name="Un", gravity="east", locales=[words])
    assert (status, made["data"]["file_key"], made["data"]["deleted_at"]) == (201, key, None)
    uuid = made["data"]["id"]
    paths = [f"/by-id/{uuid}", f"/by-key/{key}", f"/by-hash/{file_hash}"]
    assert [core("GET", path) for path in paths] == [(200, made)] * 3
    assert core("DELETE", f"/{uuid}")[0] == 200
    assert [core("GET", path)[0] for path in paths] == [404] * 3
    assert core("POST", f"/{uuid}/restore")[0] == 200
    assert [core("GET", path)[0] for path in paths] == [200] * 3
    assert core("GET", "/by-id/1") == (400, {"errors": [{"detail": "Invalid UUID"}]})
    assert core("POST", "", file_key="uploads/x.png")[0] == 400


def test_the_bytes_behind_a_key(tmp_path):
    content = photo(fmt="WEBP")
    _, body, _ = curl(*key_header(), "--form", image(tmp_path, "photo.webp", content))
    url = f"{shared().url}/backoffice/{json.loads(body)['data']['key']}"
    assert curl(*key_header(), "--output", str(tmp_path / "back"), url)[0] == 200
    assert (tmp_path / "back").read_bytes() == content

"""Bytes that change between the door and their rest, on a real house: the operation says so, and nobody calls the picture damaged."""

import io

import pytest
import requests
from PIL import Image

from tests.services.up import Up, eventually


@pytest.fixture(scope="module")
def stopped():
    """A house whose worker takes up nothing until it is told."""
    with Up(SLIPWAY_V1_MEDIA_TYPES="*/*") as up:
        yield up


def picture():
    out = io.BytesIO()
    Image.effect_noise((300, 300), 60).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("what", "at"), [("picture", 2000), ("picture", 0), ("bytes", 500_000)])
def test_a_byte_that_flipped_on_the_disk_ends_the_operation_as_corrupted(stopped, what, at):
    content = picture() if what == "picture" else b"\x01\x02" * 500_000
    family = [stopped.leader("worker"), *stopped.leader("worker").children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        sent = requests.post(f"{stopped.url}/v1/uploads?filename=f", data=content, headers=stopped.bearer, timeout=30)
        assert sent.status_code == 202, sent.text
        staged = next(
            path for path in (stopped.data / "store" / "staging").rglob("*") if path.is_file() and path.stat().st_size == len(content)
        )
        with staged.open("r+b") as file:
            file.seek(at)
            file.write(bytes([content[at] ^ 1]))
    finally:
        for process in family:
            process.resume()
    found = {}

    def final():
        found.update(requests.get(sent.headers["Location"], headers={**stopped.bearer, "Prefer": "wait=5"}, timeout=30).json())
        return found["status"] in {"completed", "failed"}

    eventually(final, 60, "the end")
    assert (found["status"], found.get("problem", {}).get("code")) == ("failed", "corrupted"), found


def test_the_access_log_names_the_way(stopped):
    requests.post(f"{stopped.url}/v1/uploads?filename=seen", data=b"x" * 100_000, headers=stopped.bearer, timeout=30)
    requests.get(f"{stopped.url}/healthz", timeout=30)
    eventually(
        lambda: any('"path": "/v1/uploads"' in line and '"tier": "splice"' in line for line in stopped.lines), what="the way of a body"
    )
    eventually(lambda: any('"path": "/healthz"' in line for line in stopped.lines), what="a request without a body")
    assert not any('"path": "/healthz"' in line and '"tier"' in line for line in stopped.lines)

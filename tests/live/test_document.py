"""The native door's document against a real house: requests made from it, good and bad, and what must hold for every answer."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.services.pictures import photo

pytestmark = pytest.mark.live
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")

CONFIG = """
seed = 20261121
continue-on-failure = true

[generation]
max-examples = 15
allow-extra-parameters = false  # what is not told in a query or a header is passed over, as HTTP has it

[phases.stateful]
enabled = false  # the ids below lead further than what links would find

[checks.positive_data_acceptance]
# What is well formed may yet not fit: 400 a digest of other bytes, or an upload without any; 408 a body that is shorter than told;
# 410 what the run itself deleted; 412 and 416 what is no longer, or never was, so; 413 and 415 what the policy does not take
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 410, 412, 413, 415, 416, 429]

[checks.negative_data_rejection]
# What is gone, or is not as the request insists, is refused before its body is read
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 416, 422, 428, 429]

[parameters]
"path.tenant" = "demo"
"path.number" = 1
"""
OF_ONE = """
[[operations]]
include-path-regex = "^{path}"
{method}
parameters = {{ {values} }}
"""
UNLIKE = """
[[operations]]
include-path-regex = "{path}"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 410, 412, 413, 415, 416, 422, 429]
"""
OF_422 = {  # what no schema can say
    "/transfers/.+/parts/": "a part has the size that was planned",
    "^/v1/(uploads|operations/.+/cancel|uploads/.+/complete|assets/.+/links)$": "an Idempotency-Key goes with one request, and here one key with many",
    "^/v1/(assets|operations)$": "a cursor is only ours to make",
}


def config(things: list[tuple[str, str, dict[str, object]]]) -> str:
    """The settings of a run, with what stands for the places of some paths."""
    of_one = [
        OF_ONE.format(path=path, method=method, values=", ".join(f'"{k}" = "{v}"' for k, v in values.items()))
        for path, method, values in things
    ]
    return CONFIG + "".join(UNLIKE.format(path=path) for path in OF_422) + "".join(of_one)


@pytest.fixture
def things(up):
    """Assets, operations, uploads and signed URLs; other ones for those requests that end them."""
    kept, other = (done(up) for _ in range(2))
    planned, doomed, single = (announced(up, parts=parts) for parts in (True, True, False))
    part, whole = (urlsplit(url) for url in (planned["parts"][0]["url"], single["uploadUrl"]))
    ends, lasts = 'include-method = "DELETE"', 'exclude-method = "DELETE"'
    return [
        ("/v1/assets", lasts, {"path.id": last(kept["resourceUrl"])}),
        ("/v1/assets", ends, {"path.id": last(other["resourceUrl"])}),
        ("/v1/operations/[^/]+$", lasts, {"path.id": kept["id"]}),
        ("/v1/operations/[^/]+$", ends, {"path.id": doomed["operationId"]}),
        ("/v1/operations/.+/cancel", lasts, {"path.id": other["id"]}),
        ("/v1/uploads", lasts, {"path.id": planned["id"]}),
        ("/v1/uploads", ends, {"path.id": doomed["id"]}),
        ("/transfers/[^/]+/[^/]+/parts", lasts, {"path.id": planned["id"], **signed(part)}),
        ("/transfers/[^/]+/[^/]+$", lasts, {"path.id": single["id"], **signed(whole)}),
    ]


def done(up):
    """A completed operation."""
    made = requests.post(f"{up.url}/v1/uploads?filename=a.jpg", photo(), headers=up.bearer | {"Content-Type": "image/jpeg"}, timeout=20)
    return requests.get(made.headers["Location"], headers=up.bearer | {"Prefer": "wait=20"}, timeout=30).json()


def announced(up, *, parts):
    """An upload that waits."""
    wanted = {"filename": "b.jpg", "size": 9_000_000, "parts": parts}
    return requests.post(f"{up.url}/v1/uploads", json=wanted, headers=up.bearer, timeout=20).json()["upload"]


def last(url):
    return url.rpartition("/")[2]


def signed(url) -> dict[str, str]:
    return {f"query.{name}": values[0] for name, values in parse_qs(url.query).items()}


def test_requests_made_from_the_document_are_answered_as_it_says(up, things, tmp_path):
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(config(things))
    key = up.bearer["Authorization"]
    ran = subprocess.run(
        [SCHEMATHESIS, "--config-file", settings, "run", f"{up.url}/v1/openapi.json", "-H", f"Authorization: {key}", "--no-color"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    print(ran.stdout[-20_000:], ran.stderr[-2_000:])
    assert ran.returncode == 0, re.findall(r"^- ST\d+ .*|^_+ .* _+$", ran.stdout, re.MULTILINE)
    assert int(re.search(r"(\d+) generated", ran.stdout)[1]) > 300

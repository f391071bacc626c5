"""The four samples of the page "Initiate upload of an image", run as they are printed, with host and token filled in."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.services.pictures import photo
from tests.services.up import eventually, shared

pytestmark = pytest.mark.live

CURL = """\
curl -X POST https://api.app.wdesk.com/prototype/platform/content/images/upload \\
    -H 'Content-Type: application/json' \\
    -H 'Accept: application/json' \\
    -H 'Authorization: Bearer {access-token}' \\
    -H 'X-Version: 2022-01-01'
"""

HTTPIE = """\
http POST https://api.app.wdesk.com/prototype/platform/content/images/upload \\
    X-Version:2022-01-01 \\
    Content-Type:application/json \\
    Accept:application/json \\
    Authorization:"Bearer {access-token}"
"""

# the page has a blank behind two of the backslashes, which no shell takes
WGET = """\
wget --method=POST "https://api.app.wdesk.com/prototype/platform/content/images/upload" \\
    --output-document -  \\
    --header 'Content-Type: application/json' \\
    --header 'Accept: application/json' \\
    --header 'Authorization: Bearer {access-token}' \\
    --header 'X-Version: 2022-01-01'
"""

REQUESTS = """\
import requests

headers = {
  'X-Version': '2022-01-01',
  'Content-Type': 'application/json',
  'Accept': 'application/json',
  'Authorization': 'Bearer {access-token}'
}

r = requests.post('https://api.app.wdesk.com/prototype/platform/content/images/upload', headers = headers)

print(r.headers['Location'])
"""


@pytest.fixture
def token():
    who = shared().credentials
    form = {"client_id": who["client_id"], "client_secret": who["client_secret"], "grant_type": "client_credentials"}
    return requests.post(f"{shared().url}/wdesk/iam/v1/oauth2/token", data=form, timeout=10).json()["access_token"]


def filled(sample: str, token: str) -> str:
    return sample.replace("https://api.app.wdesk.com", f"{shared().url}/wdesk").replace("{access-token}", token)


def run(command: list[str], stdin: int) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, stdin=stdin, capture_output=True, check=True, timeout=60, env=os.environ | {"PATH": path}, text=True
    ).stdout


@pytest.fixture
def terminal():
    """The end of a terminal that a command reads from: HTTPie takes anything else for the body."""
    ours, theirs = pty.openpty()
    yield theirs
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize(("tool", "sample"), [("curl", CURL), ("http", HTTPIE), ("wget", WGET)], ids=["curl", "http", "wget"])
def test_a_sample_for_the_shell(token, terminal, tool, sample):
    if tool != "http" and not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    promise = json.loads(run(["/bin/sh", "-c", filled(sample, token)], terminal))
    assert promise["operationLocation"].endswith(f"/prototype/platform/operations/{promise['operationId']}")
    goes_on(promise["operationLocation"], promise["uploadUrl"], token)


def test_the_sample_in_python(token, terminal):
    location = run([sys.executable, "-c", filled(REQUESTS, token)], terminal).strip()
    assert location.startswith(f"{shared().url}/wdesk/prototype/platform/operations/")
    assert requests.get(location, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()["status"] == "acknowledged"


def goes_on(location: str, upload_url: str, token: str) -> None:
    """What the page says comes next: PUT, poll, results, image."""
    who = {"Authorization": f"Bearer {token}"}
    assert requests.put(upload_url, data=photo(fmt="WEBP"), headers=who, timeout=30).status_code == 200
    eventually(lambda: requests.get(location, headers=who, timeout=10).json()["status"] == "completed", 30, "completed")
    results = requests.get(requests.get(location, headers=who, timeout=10).json()["resourceUrl"], headers=who, timeout=10).json()
    image = requests.get(f"{shared().url}/wdesk/content/images/{results['data'][0]['image']}", headers=who, timeout=10).json()
    assert (image["fileName"], image["mimeType"]) == ("image.webp", "image/webp")
    assert requests.get(image["downloadUrl"], headers=who, timeout=10).content == photo(fmt="WEBP")


# the guide posts a file with curl's --data, which calls JSON a form
GUIDE = """curl --request POST 'https://api.app.wdesk.com/prototype/platform/content/images/upload' \\
    --header 'Authorization: Bearer {access-token}' --data @body.json"""


def test_the_guides_body_that_calls_itself_a_form(token, terminal, tmp_path, monkeypatch):
    (tmp_path / "body.json").write_text('{"fileName": "guide.webp"}')
    monkeypatch.chdir(tmp_path)
    promise = json.loads(run(["/bin/sh", "-c", filled(GUIDE, token)], terminal))
    requests.put(promise["uploadUrl"], data=photo(fmt="WEBP"), headers={"Authorization": f"Bearer {token}"}, timeout=30)
    who = {"Authorization": f"Bearer {token}"}
    eventually(lambda: requests.get(promise["operationLocation"], headers=who, timeout=10).json()["status"] == "completed", 30, "completed")

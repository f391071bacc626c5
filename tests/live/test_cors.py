"""A page of another origin, in a real browser, speaks to the doors: uploads, reads what its clients read, and reads refusals, too.

The browser is the machine's own Chromium; without one there is nothing that this could prove.
"""

import base64
import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from tests.services.pictures import photo
from tests.services.up import Up

pytestmark = pytest.mark.live
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

SAMPLE = """
async ([url, key, content]) => {
  const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
  const fileInput = {files: [new File([bytes], "photo.jpg", {type: "image/jpeg"})]};

  // the JavaScript tab of the page
  var myHeaders = new Headers();
  myHeaders.append("x-api-key", key);

  var formdata = new FormData();
  formdata.append("image", fileInput.files[0], "");

  var requestOptions = {
     method: 'POST',
     headers: myHeaders,
     body: formdata,
     redirect: 'follow'
  };

  return await fetch(url + "/upload/image", requestOptions)
     .then(response => response.text())
     .catch(error => 'error ' + error);
}
"""

ASK = """
async ([method, url, headers, content]) => {
  const body = content === null ? undefined : Uint8Array.from(atob(content), c => c.charCodeAt(0));
  try {
    const answer = await fetch(url, {method, headers, body});
    return {status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text()};
  } catch (error) {
    return {status: 0, headers: {}, text: String(error)};
  }
}
"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page of somebody else</title>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    """Where the page comes from."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def up(origin):
    with Up(SLIPWAY_CORS_ORIGINS=origin, SLIPWAY_WDESK_REQUESTS_PER_HOUR="1", SLIPWAY_V1_MAX_BYTES="100000") as up:
        yield up


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on PATH (Debian: apt install chromium)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])  # root in a container has no sandbox
        yield browser
        browser.close()


@pytest.fixture
def page(browser, origin):
    page = browser.new_page()
    page.goto(origin)
    yield page
    page.close()


@pytest.fixture
def ask(page, up):
    """One request of the page -> status, readable headers, text. Status 0: the browser let the page know nothing."""

    def ask(method, path, content=None, **headers):
        body = None if content is None else base64.b64encode(content).decode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return page.evaluate(ASK, [method, path if "://" in path else up.url + path, named, body])

    return ask


@pytest.mark.parametrize("name", ['""', '"photo.jpg"'])
def test_the_sample_of_the_backoffice_page_works_as_printed(page, up, name):
    sample = SAMPLE.replace('files[0], "")', f"files[0], {name})")
    said = page.evaluate(sample, [f"{up.url}/backoffice", up.credentials["api_key"], base64.b64encode(photo()).decode()])
    assert re.fullmatch(r"uploads/[0-9a-f-]{36}\.jpg", json.loads(said)["data"]["key"]), said


def test_the_sample_reads_why_it_was_refused(page, up):
    said = page.evaluate(SAMPLE, [f"{up.url}/backoffice", "wrong", base64.b64encode(photo()).decode()])
    assert json.loads(said)["errors"], said


def test_a_page_uploads_polls_fetches_and_deletes(ask, up):
    content, key = photo(), up.bearer["Authorization"]
    made = ask("POST", "/v1/uploads?filename=a.jpg", content, Authorization=key, Content_Type="image/jpeg", Prefer="wait=20")
    assert made["status"] in {200, 202}, made
    assert {"location", "ratelimit", "ratelimit-policy"} <= made["headers"].keys()
    done = ask("GET", made["headers"]["location"], Authorization=key, Prefer="wait=20")
    assert done["headers"]["preference-applied"].startswith("wait")
    asset = done["text"].partition('"resourceUrl": "')[2].partition('"')[0]
    assert asset.startswith(f"{up.url}/v1/assets/"), done
    got = ask("GET", f"{asset}/content", Authorization=key, Range="bytes=0-9")
    assert (got["status"], got["headers"]["content-range"]) == (206, f"bytes 0-9/{len(content)}")
    assert got["headers"]["etag"]
    assert ask("DELETE", asset, Authorization=key)["status"] == 204
    assert ask("GET", asset, Authorization=key)["status"] == 410


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/v1/uploads", {}, 405),
        ("PATCH", "/v1/assets/none", {"If_Match": '"x"', "Content_Type": "application/json"}, 401),
        ("DELETE", "/v1/nowhere", {"X_Contentful_Version": "1"}, 404),
        ("GET", "/v1/operations/none", {"Authorization": "Bearer sk_demo_wrong"}, 401),
        ("GET", "/nowhere", {"x_api_key": "x"}, 404),
    ],
)
def test_a_page_reads_refusals(ask, method, path, headers, status):
    answer = ask(method, path, **headers)
    assert answer["status"] == status, answer
    assert answer["text"]


def test_a_page_reads_that_its_file_is_too_large_and_that_it_came_too_often(ask, up):
    key = up.bearer["Authorization"]
    assert ask("POST", "/v1/uploads", bytes(200_000), Authorization=key, Content_Type="image/jpeg")["status"] == 413
    ask("GET", "/wdesk/operations/none", Authorization=key)
    answer = ask("GET", "/wdesk/operations/none", Authorization=key)
    assert answer["status"] == 429
    assert int(answer["headers"]["retry-after"]) > 0


def test_a_page_of_another_origin_learns_nothing(page, ask, origin, up):
    page.goto(origin.replace("127.0.0.1", "localhost"))
    assert ask("GET", "/healthz")["status"] == 0
    assert ask("POST", "/v1/uploads", b"x", Authorization=up.bearer["Authorization"])["status"] == 0

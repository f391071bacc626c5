"""One trace through real processes: the same id in the lines of web, of gunicorn and of the worker."""

import json

import pytest
import requests

from tests.services.pictures import photo
from tests.services.up import eventually

pytestmark = pytest.mark.live

ID = "7f3c1b0a9d8e4f6aa1b2c3d4e5f60718"


def traced(up):
    """The lines of this trace, by the process that wrote them."""
    lines = (json.loads(line[line.index("{") :]) for line in list(up.lines) if ID in line and "{" in line)
    return [(line["process"], line["message"]) for line in lines if line.get("trace") == ID]


def test_a_request_is_found_by_its_trace_in_web_and_in_the_worker(up):
    sent = {**up.bearer, "traceparent": f"00-{ID}-00f067aa0ba902b7-01"}
    truncated = photo()[:-100]
    answer = requests.post(f"{up.url}/v1/uploads", files={"file": ("cut.jpg", truncated)}, headers=sent, timeout=60)
    assert answer.status_code == 202
    whole = requests.post(f"{up.url}/v1/uploads", files={"file": ("whole.jpg", photo())}, headers=sent, timeout=60)
    assert whole.status_code == 202
    eventually(
        lambda: {("web", "request"), ("worker", "refused"), ("worker", "completed")} <= set(traced(up)),
        what="a line of the worker with the trace",
    )

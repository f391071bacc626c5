"""A small app behind a real gunicorn: takes a body in and says how. Started by the fixture `door`, one event a line in $DOOR_LOG."""

import hashlib
import json
import os
import socket
import struct
import tempfile
from pathlib import Path

from flask import Flask, Response, request

from app.core.errors import ClientGone, UploadError
from app.web import draining
from app.web.bodies import KEPT, RequestBody, raw_body, refuse_rest
from app.web.digests import FingerprintedBody
from app.web.forms import form_upload
from app.web.pace import Pace
from app.web.schemas import json_object

app = Flask(__name__)
LOG = Path(os.environ.get("DOOR_LOG", os.devnull))


def ordinary(wsgi):
    """With `X-Tier: stream` the app does not see gunicorn's socket, as under another server."""

    def wrapped(environ, start_response):
        if environ.get("HTTP_X_TIER") == "stream":
            sock = environ.pop("gunicorn.socket")
            if "HTTP_X_IDLE" in environ:  # what deploy/gunicorn.conf.py sets for every connection
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(float(environ["HTTP_X_IDLE"]) * 1e6)))
        return wsgi(environ, start_response)

    return wrapped


app.wsgi_app = ordinary(app.wsgi_app)


def told(**event):
    with LOG.open("a") as log:
        log.write(json.dumps(event) + "\n")
    return event


def body():
    if "X-Idle" in request.headers:
        floor, window = float(request.headers.get("X-Floor", 0)), float(request.headers.get("X-Window", 60))
        request.environ[KEPT] = RequestBody(request.environ, Pace(float(request.headers["X-Idle"]), floor, window))
    return raw_body(request)


def land(flow, limit=2**40):
    """Take the body into a file as a store does; with `X-Tier: socket` it is seen on its way, as where a digest was declared."""
    flow = FingerprintedBody(flow) if request.headers.get("X-Tier") == "socket" else flow
    with tempfile.TemporaryFile() as file:
        size, gone = 0, False
        try:
            while size < limit and (count := flow.into(file.fileno(), size, limit - size)):
                size += count
                told(at=size, of=request.args.get("name"))
        except ClientGone:
            gone = True
        content = os.pread(file.fileno(), size + 1, 0)
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "gone": gone}


@app.put("/take")
def take():
    flow = body()
    found = land(flow, int(request.args.get("limit", 2**40)))
    return told(tier=flow.tier, length=flow.length, name=request.args.get("name"), **found)


@app.put("/refuse")
def refuse():
    """Refused: before a byte is read, or after `read` bytes."""
    if wanted := int(request.args.get("read", 0)):
        b"".join(body().chunks(wanted))
    return refuse_rest(request, Response("too large", 413))


@app.post("/form")
def form():
    found, verify = form_upload(request)
    landed = land(found.body)
    if verify:
        verify()
    return told(filename=found.filename, fields=found.fields, **landed)


@app.post("/json")
def read_json():
    return told(json=json_object(request, required=False))


@app.get("/draining")
def is_draining():
    return {"draining": draining.begun()}


@app.errorhandler(UploadError)
def refused(error):
    told(code=error.code.value)
    return refuse_rest(request, Response(error.code.value, 400))


@app.errorhandler(ClientGone)
def gone(_):
    told(code="gone")
    return refuse_rest(request, Response("gone", 408))

"""Bodies and requests for tests that need no server."""

import io
import os
import tempfile

from flask import Request
from werkzeug.test import EnvironBuilder

from app.core.errors import ClientGone
from app.web.bodies import Flow


class Pieces(Flow):
    """A body that comes in the given pieces; with `gone` the sender leaves after them."""

    def __init__(self, *pieces, gone=False):
        self.length = None
        self._pieces = [piece for piece in pieces if piece]
        self._gone = gone

    def receive(self, limit):
        if not self._pieces:
            if self._gone:
                raise ClientGone
            return b""
        piece, rest = self._pieces[0][:limit], self._pieces[0][limit:]
        self._pieces[:1] = [rest] if rest else []
        return piece


def request(method="POST", body=b"", **headers):
    """A request with a body in memory; `content_type=` is the header Content-Type."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    builder = EnvironBuilder(method=method, input_stream=io.BytesIO(body), content_length=len(body), headers=named)
    return Request(builder.get_environ())


def landed(flow, limit=2**40):
    """What a store gets when it takes the body into a file, at an offset."""
    at = 3
    with tempfile.TemporaryFile() as file:
        size = 0
        while size < limit and (count := flow.into(file.fileno(), at + size, limit - size)):
            size += count
        assert file.tell() == 0
        return os.pread(file.fileno(), size + 1, at)

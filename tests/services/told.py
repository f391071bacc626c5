"""An HTTP server that answers as it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def server(*answers, tls=None):
    """Answers in turn, (status, headers, document) where HERE stands for its URL, -> its URL, and the requests as (method, path, headers, body)."""
    waiting, seen = list(answers), []

    class Told(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, self.headers, body))
            status, headers, document = waiting.pop(0)
            content = json.dumps(document).replace("HERE", f"http://127.0.0.1:{door.server_port}").encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - the library's names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as door:
        if tls:
            door.socket = tls.wrap_socket(door.socket, server_side=True)
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{door.server_port}", seen
        door.shutdown()

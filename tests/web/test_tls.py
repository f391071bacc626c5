"""Under TLS the socket carries ciphertext: the body is read through the server's stream, and the connection lives on."""

import hashlib
import random
import ssl

import pytest
import trustme

from tests.web.conftest import chunked, gunicorn, read_answer, request_bytes

DATA = random.Random(3).randbytes(1_000_000)


@pytest.fixture(scope="module")
def speaking(tmp_path_factory):
    """Opens a connection under TLS."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    certificate = authority.issue_cert("localhost")
    for name, blobs in (("chain", certificate.cert_chain_pems), ("key", [certificate.private_key_pem])):
        (folder / name).write_bytes(b"".join(blob.bytes() for blob in blobs))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with gunicorn(folder, "--certfile", str(folder / "chain"), "--keyfile", str(folder / "key")) as found:

        def connect():
            with found.connect() as plain:
                return context.wrap_socket(plain.dup(), server_hostname="localhost")

        yield connect


@pytest.mark.parametrize("headers", [(), ("Transfer-Encoding: chunked",)], ids=["length", "chunks"])
@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_body_under_tls_takes_the_ordinary_way(speaking, headers, size):
    data = DATA[:size]
    sent = chunked(data, 50_000) if headers else data
    with speaking() as sock, sock.makefile("rb") as stream:
        for _ in range(2):
            sock.sendall(request_bytes("PUT /take", sent, headers))
            answer = read_answer(stream).json
            assert (answer["tier"], answer["size"], answer["sha256"]) == ("stream", size, hashlib.sha256(data).hexdigest())
